/* database check, and what it shares with database repair. */
#include "mailbox-backend/admin_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/admin_database.h"
#include "mailbox-backend/mailbox/content_facts.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SHARE_OF_DAEMON 25 /* percent of the time: clients come first */

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

void admin_put_finding(struct admin_call *call, const struct maintain_finding *finding)
{
    struct arena arena = {0};
    char name[16];

    snprintf(name, sizeof(name), "db%u", finding->database + 1);
    admin_put_text(call, "database", name);
    put_owner(call, finding, &arena);
    put_folder(call, finding, &arena);
    admin_put_number(call, "uid", finding->uid);
    admin_put_text(call, "problem", finding->problem);
    arena_reset(&arena);
}

static enum err_code put_finding(void *context, const struct maintain_finding *finding,
                                 struct err *err)
{
    struct admin_call *call = context;

    admin_findings(call);
    admin_put_finding(call, finding);
    admin_put_text(call, "advice", finding->advice);
    return admin_row(call, err);
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

enum err_code admin_check_options(struct admin_call *call, struct check_options *options,
                                  struct err *err)
{
    bool slow = admin_host(call)->daemon && !admin_has(call, "fast");

    if (admin_has(call, "deep") && admin_has(call, "index-only"))
        return err_set(err, ERR_INVALID,
                       "--deep reads the messages, which --index-only leaves unread");
    *options = (struct check_options){
        .content = !admin_has(call, "index-only"),
        .facts = admin_has(call, "deep") ? content_facts_read : NULL,
        .share = slow ? SHARE_OF_DAEMON : 100,
        .wanted = is_wanted,
        .context = call,
    };
    return ERR_NONE;
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

static enum err_code tell_unmounted(struct admin_call *call, unsigned number, bool *unmounted,
                                    struct err *err)
{
    struct maintain_finding finding = {
        .database = number,
        .advice = "nothing in it was looked at: mount it, or run `database rebuild`",
    };
    struct database_status status;
    enum err_code code = store_database_status(admin_backend(call)->store, number, &status, err);

    *unmounted = code == ERR_NONE && !status.mounted;
    if (!*unmounted)
        return code;
    snprintf(finding.problem, sizeof(finding.problem), "not mounted: %.220s", status.why);
    return put_finding(call, &finding, err);
}

enum err_code admin_database_check(struct admin_call *call, struct err *err)
{
    struct check_options options;
    struct store *store = admin_backend(call)->store;
    struct check_result sum = {0};
    unsigned first = 0, last = 0;
    enum err_code code = admin_check_options(call, &options, err);

    if (code == ERR_NONE)
        code = admin_databases(call, &first, &last, err);

    options.found = put_finding;
    for (unsigned n = first; n <= last && code == ERR_NONE; n++) {
        struct check_result result = {0};
        bool unmounted = false;

        code = tell_unmounted(call, n, &unmounted, err);
        if (code == ERR_NONE && !unmounted)
            code = store_check(store, n, &options, &result, err);
        result.findings += unmounted ? 1 : 0;
        add(&sum, &result);
    }
    if (code == ERR_NONE)
        say_result(call, &sum);
    return code;
}

const struct admin_flag admin_check_flags[] = {
    {"index-only",                                                                               NULL,
     "leave the messages themselves unread: quick, but damage in them stays unseen"},
    {"deep",             NULL,
     "also read each message as at its delivery, and compare what the index says of it: slower"},
    {"fast",                                                                                     NULL, "without the pauses that leave the disk and the cores to clients"},
    {0}
};
