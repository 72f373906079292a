/* database list|show, and the table of what else there is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/admin_check.h"
#include "mailbox-backend/admin_database.h"
#include "mailbox-backend/mailbox/grants.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/maintain.h"

enum err_code admin_database_number(const char *name, unsigned *number, struct err *err)
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
        enum err_code code = admin_database_number(admin_name(call, 0), first, err);

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
    admin_put_bool(call, "mounted", status->mounted);
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
            if (!status.mounted)
                admin_say(call, "%s is not mounted: %s", status.name, status.why);
            code = admin_row(call, err);
        }
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_show(struct admin_call *call, struct err *err)
{
    struct database_status status;
    unsigned number = 0;
    enum err_code code = admin_database_number(admin_name(call, 0), &number, err);

    if (code == ERR_NONE)
        code = store_database_status(admin_backend(call)->store, number, &status, err);
    if (code != ERR_NONE)
        return code;
    put_database(call, &status);
    admin_put_text(call, "not-mounted-because", status.why);
    admin_put_bytes(call, "disk-content-free", status.segment_free);
    admin_put_number(call, "segments-erasing", status.segments_erasing);
    admin_put_bytes(call, "index-limit", status.index_map);
    admin_put_number(call, "commits", status.commits);
    admin_put_number(call, "operations", status.operations);
    admin_put_number(call, "format-newest", FORMAT_NEWEST);
    admin_put_bool(call, "upgrading", status.upgrading);
    admin_put_time(call, "made", (int64_t)status.created);
    admin_put_time(call, "index-copied", status.copied);
    admin_put_bytes(call, "index-copy", status.copy_bytes);
    return admin_row(call, err);
}

/* ---- add, mount ---- */

static enum err_code put_one(struct admin_call *call, unsigned number, struct err *err)
{
    struct database_status status;
    enum err_code code = store_database_status(admin_backend(call)->store, number, &status, err);

    if (code != ERR_NONE)
        return code;
    put_database(call, &status);
    return admin_row(call, err);
}

static enum err_code run_add(struct admin_call *call, struct err *err)
{
    unsigned number;
    enum err_code code = store_database_add(admin_backend(call)->store, &number, err);

    return code == ERR_NONE ? put_one(call, number, err) : code;
}

static enum err_code run_mount(struct admin_call *call, struct err *err)
{
    unsigned number = 0;
    enum err_code code = admin_database_number(admin_name(call, 0), &number, err);

    if (code == ERR_NONE)
        code = store_mount(admin_backend(call)->store, number, err);
    grants_forget(admin_backend(call)->grants); /* it has access control lists */
    return code == ERR_NONE ? put_one(call, number, err) : code;
}

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
     .verb = "add",
     .arguments = "",
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES,
     .needs = PARTS,
     .help = "make one more database, which new mailboxes go to while it has the fewest",
     .run = run_add,
     },
    {
     .noun = "database",
     .verb = "mount",
     .arguments = "DATABASE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES,
     .needs = PARTS,
     .help = "open a database that could not be opened, or that crashed the back end, once more",
     .run = run_mount,
     },
    {
     .noun = "database",
     .verb = "check",
     .arguments = "[DATABASE]",
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = PARTS | BACKEND_PAGES,
     .flags = admin_check_flags,
     .help = "look for damage in one database, or in all, and change nothing; ends with 1 when "
                "there is some", .run = admin_database_check,
     },
    {
     .noun = "database",
     .verb = "repair",
     .arguments = "DATABASE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS | ADMIN_CHANGES | ADMIN_DRY_RUN,
     .needs = PARTS | BACKEND_PAGES,
     .flags = admin_check_flags,
     .help = "check, and mend what can be mended; ends with 1 when something could not",
     .run = admin_database_repair,
     },
    {0                     },
};
