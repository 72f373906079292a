/* database repair */
#include <inttypes.h>

#include "mailbox-backend/admin_check.h"
#include "mailbox-backend/admin_database.h"

static enum err_code put_mended(void *context, const struct maintain_finding *finding, bool mended,
                                const char *done, struct err *err)
{
    struct admin_call *call = context;

    if (!mended)
        admin_findings(call);
    admin_put_finding(call, finding);
    admin_put_bool(call, "mended", mended);
    admin_put_text(call, "done", done);
    return admin_row(call, err);
}

enum err_code admin_database_repair(struct admin_call *call, struct err *err)
{
    struct repair_options options = {
        .dry_run = admin_is_dry_run(call),
        .told = put_mended,
    };
    struct repair_result result;
    unsigned number;
    enum err_code code = admin_check_options(call, &options.check, err);

    if (code == ERR_NONE)
        code = admin_database_number(admin_name(call, 0), &number, err);
    if (code == ERR_NONE && !admin_host(call)->daemon) /* a crash ends nobody's session now */
        code = store_mount(admin_backend(call)->store, number, err);
    if (code == ERR_NONE)
        code = store_repair(admin_backend(call)->store, number, &options, &result, err);
    if (code == ERR_NONE && !options.dry_run)
        admin_say(call, "%" PRIu64 " findings mended, %" PRIu64 " left", result.mended,
                  result.left);
    return code;
}
