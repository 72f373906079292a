/* database upgrade: from the format of an older program to that of this one. */
#include "mailbox-backend/admin_database.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/maintain.h"

static enum err_code put_upgrade(struct admin_call *call, const struct database_status *status,
                                 uint32_t format, struct err *err)
{
    admin_put_text(call, "database", status->name);
    admin_put_number(call, "from", status->format);
    admin_put_number(call, "to", format);
    admin_put_text(call, "brings", format_brought(format));
    return admin_row(call, err);
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

/* *upgraded grows when there was something to do. */
static enum err_code upgrade(struct admin_call *call, unsigned number, unsigned *upgraded,
                             struct err *err)
{
    struct store *store = admin_backend(call)->store;
    struct database_status status;
    enum err_code code = store_database_status(store, number, &status, err);

    if (code == ERR_NONE && !status.mounted)
        return err_set(err, ERR_UNAVAILABLE, "%s is not mounted: %s", status.name, status.why);
    if (code != ERR_NONE || (status.format == FORMAT_NEWEST && !status.upgrading))
        return code;
    ++*upgraded;
    if (!admin_is_dry_run(call))
        code = store_upgrade(store, number, is_wanted, call, err);
    for (uint32_t format = status.format + 1; code == ERR_NONE && format <= FORMAT_NEWEST; format++)
        code = put_upgrade(call, &status, format, err);
    return code;
}

static enum err_code run_upgrade(struct admin_call *call, struct err *err)
{
    unsigned upgraded = 0;
    unsigned first = 0, last = 0;
    enum err_code code = admin_databases(call, &first, &last, err);

    for (unsigned n = first; n <= last && code == ERR_NONE; n++)
        code = upgrade(call, n, &upgraded, err);
    if (code != ERR_NONE)
        return code;
    if (upgraded == 0)
        admin_say(call, "nothing to do: format %u is the newest that this program knows",
                  FORMAT_NEWEST);
    else if (admin_is_dry_run(call))
        admin_say(call, "%u databases would be upgraded; older programs would refuse them then",
                  upgraded);
    else
        admin_say(call,
                  "%u databases upgraded to format %u; older programs refuse them from now on",
                  upgraded, FORMAT_NEWEST);
    return ERR_NONE;
}

const struct admin_command backend_upgrade_commands[] = {
    {
     .noun = "database",
     .verb = "upgrade",
     .arguments = "[DATABASE]",
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS | ADMIN_CHANGES | ADMIN_CONFIRM | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .help = "bring one database, or all, to this program's format; no way back: older programs "
                "refuse it then", .run = run_upgrade,
     },
    {0},
};
