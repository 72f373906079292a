/* database list|show|check */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/admin_database.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/maintain.h"

#define SHARE_OF_DAEMON 25 /* percent of the time: clients come first */

/* The number of a database called db1, or 1, from 0. */
static enum err_code number_of(const char *name, unsigned *number, struct err *err)
{
    const char *digits = strncmp(name, "db", 2) == 0 ? name + 2 : name;
    char *end;
    unsigned long value = strtoul(digits, &end, 10);

    if (digits[0] < '1' || digits[0] > '9' || *end != '\0' || value > 100000)
        return err_set(err, ERR_NOT_FOUND, "no database %s", name);
    *number = (unsigned)value - 1;
    return ERR_NONE;
}

enum err_code admin_databases(struct admin_call *call, unsigned *first, unsigned *last,
                              struct err *err)
{
    struct store_status status;

    if (admin_name_count(call) > 0) {
        enum err_code code = number_of(admin_name(call, 0), first, err);

        *last = *first;
        return code;
    }
    store_status(admin_backend(call)->store, &status);
    *first = 0;
    *last = status.databases - 1;
    return ERR_NONE;
}

/* ---- list, show ---- */

static void put_database(struct admin_call *call, const struct database_status *status)
{
    admin_put_text(call, "database", status->name);
    admin_put_number(call, "mailboxes", status->mailboxes);
    admin_put_number(call, "messages", status->items);
    admin_put_bytes(call, "content", status->content_bytes);
    admin_put_bytes(call, "disk-content", status->segment_bytes);
    admin_put_bytes(call, "disk-index", status->index_bytes);
    admin_put_number(call, "format", status->format);
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    struct database_status status;
    enum err_code code = ERR_NONE;

    for (unsigned n = 0; code == ERR_NONE; n++) {
        code = store_database_status(admin_backend(call)->store, n, &status, err);
        if (code == ERR_NONE) {
            put_database(call, &status);
            code = admin_row(call, err);
        }
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_show(struct admin_call *call, struct err *err)
{
    struct database_status status;
    unsigned number = 0;
    enum err_code code = number_of(admin_name(call, 0), &number, err);

    if (code == ERR_NONE)
        code = store_database_status(admin_backend(call)->store, number, &status, err);
    if (code != ERR_NONE)
        return code;
    put_database(call, &status);
    admin_put_bytes(call, "disk-content-free", status.segment_free);
    admin_put_bytes(call, "index-limit", status.index_map);
    admin_put_number(call, "commits", status.commits);
    admin_put_number(call, "operations", status.operations);
    admin_put_number(call, "format-newest", FORMAT_NEWEST);
    admin_put_bool(call, "upgrading", status.upgrading);
    admin_put_time(call, "made", (int64_t)status.created);
    return admin_row(call, err);
}

/* ---- check ---- */

/* The user, or, where the directory does not know them (any more), the mailbox's GUID. */
static void put_owner(struct admin_call *call, const struct maintain_finding *finding,
                      struct arena *arena)
{
    const uint8_t *guid = finding->mailbox.bytes;
    struct account account;
    char text[2 * sizeof(finding->mailbox.bytes) + 1] = "";

    for (size_t i = 0; finding->has_mailbox && i < sizeof(finding->mailbox.bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", guid[i]);
    if (finding->has_mailbox &&
        directory_find_guid(admin_backend(call)->directory, &finding->mailbox, arena, &account,
                            NULL) == ERR_NONE)
        admin_put_text(call, "mailbox", account.name);
    else
        admin_put_text(call, "mailbox", text);
}

/* The folder's path, or, where it has none, its number. */
static void put_folder(struct admin_call *call, const struct maintain_finding *finding,
                       struct arena *arena)
{
    struct store_mailbox *mailbox = NULL;
    struct store_read *read = NULL;
    struct store_folder folder;
    struct str path = str_of("");
    char number[16];

    snprintf(number, sizeof(number), "%" PRIu32, finding->folder);
    if (finding->folder != 0 &&
        (!finding->has_mailbox ||
         store_mailbox_open(admin_backend(call)->store, &finding->mailbox, false, &mailbox, NULL,
                            NULL) != ERR_NONE ||
         store_read_begin(mailbox, &read, NULL) != ERR_NONE ||
         store_folder_get(read, finding->folder, &folder, NULL) != ERR_NONE ||
         path_of(read, &folder, arena, &path, NULL) != ERR_NONE))
        path = str_of(number);
    store_read_end(&read);
    store_mailbox_unref(&mailbox);
    admin_put_text(call, "folder", arena_copy(arena, path.data, path.length));
}

static enum err_code put_finding(void *context, const struct maintain_finding *finding,
                                 struct err *err)
{
    struct admin_call *call = context;
    struct arena arena = {0};
    char name[16];
    enum err_code code;

    admin_findings(call);
    snprintf(name, sizeof(name), "db%u", finding->database + 1);
    admin_put_text(call, "database", name);
    put_owner(call, finding, &arena);
    put_folder(call, finding, &arena);
    admin_put_number(call, "uid", finding->uid);
    admin_put_text(call, "problem", finding->problem);
    admin_put_text(call, "advice", finding->advice);
    code = admin_row(call, err);
    arena_reset(&arena);
    return code;
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

static void add(struct check_result *sum, const struct check_result *result)
{
    sum->mailboxes += result->mailboxes;
    sum->folders += result->folders;
    sum->items += result->items;
    sum->contents += result->contents;
    sum->bytes += result->bytes;
    sum->findings += result->findings;
}

static void say_result(struct admin_call *call, const struct check_result *sum)
{
    if (sum->findings > 0)
        admin_findings(call);
    admin_say(call,
              "%" PRIu64 " mailboxes, %" PRIu64 " folders, %" PRIu64 " messages, %" PRIu64
              " texts (%" PRIu64 " MB read): %" PRIu64 " findings",
              sum->mailboxes, sum->folders, sum->items, sum->contents, sum->bytes >> 20,
              sum->findings);
}

static enum err_code run_check(struct admin_call *call, struct err *err)
{
    const struct check_options options = {
        .content = !admin_has(call, "index-only"),
        .share = admin_host(call)->daemon && !admin_has(call, "fast") ? SHARE_OF_DAEMON : 100,
        .wanted = is_wanted,
        .found = put_finding,
        .context = call,
    };
    struct store *store = admin_backend(call)->store;
    struct check_result sum = {0};
    unsigned first = 0, last = 0;
    enum err_code code = admin_databases(call, &first, &last, err);

    for (unsigned n = first; n <= last && code == ERR_NONE; n++) {
        struct check_result result;

        code = store_check(store, n, &options, &result, err);
        add(&sum, &result);
    }
    if (code == ERR_NONE)
        say_result(call, &sum);
    return code;
}

static const struct admin_flag check_flags[] = {
    {"index-only",                                                                   NULL,
     "leave the messages themselves unread: quick, but damage in them stays unseen"},
    {"fast", NULL, "without the pauses that leave the disk and the cores to clients"},
    {0                                                                        }
};

#define PARTS (BACKEND_DIRECTORY | BACKEND_STORE)

const struct admin_command backend_database_commands[] = {
    {
     .noun = "database",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = PARTS,
     .help = "the databases, with what they hold",
     .run = run_list,
     },
    {
     .noun = "database",
     .verb = "show",
     .arguments = "DATABASE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .needs = PARTS,
     .help = "one database",
     .run = run_show,
     },
    {
     .noun = "database",
     .verb = "check",
     .arguments = "[DATABASE]",
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = PARTS,
     .flags = check_flags,
     .help = "look for damage in one database, or in all, and change nothing; ends with 1 when "
                "there is some", .run = run_check,
     },
    {0},
};
