#include "mailbox-backend/admin_export.h"

#include <string.h>

#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/export.h"

const struct admin_flag admin_export_flags[] = {
    {"format",                                                     "maildir|mbox", "a Maildir with its subfolders, or an mbox for each folder"},
    {"folder", "PATH", "only this folder and those below it"},
    {0                                                    }
};

static enum err_code read_format(const struct admin_call *call, enum export_format *format,
                                 struct err *err)
{
    const char *name = admin_value(call, "format");

    *format = name != NULL && strcmp(name, "mbox") == 0 ? EXPORT_MBOX : EXPORT_MAILDIR;
    if (name != NULL && *format == EXPORT_MAILDIR && strcmp(name, "maildir") != 0)
        return err_set(err, ERR_INVALID, "--format is maildir or mbox");
    return ERR_NONE;
}

static void say(struct admin_call *call, const struct export_result *result)
{
    admin_say(call, "%llu messages exported from %llu folders, %llu could not be read",
              (unsigned long long)result->messages, (unsigned long long)result->folders,
              (unsigned long long)result->damaged);
    if (result->damaged > 0)
        admin_findings(call);
}

enum err_code admin_export(struct admin_call *call, struct err *err)
{
    struct export_request request = {
        .to = admin_file(call),
        .folder = admin_value(call, "folder"),
    };
    struct export_result result;
    struct account account;
    enum err_code code = read_format(call, &request.format, err);

    if (code == ERR_NONE)
        code = admin_find_account(call, admin_arena(call), &account, err);
    if (code == ERR_NONE)
        code = admin_open_mailbox(call, &account, &request.mailbox, err);
    if (code == ERR_NONE && request.mailbox == NULL)
        code = err_set(err, ERR_NOT_FOUND, "nothing has come for this mailbox yet");
    if (code != ERR_NONE)
        return code;
    code = export_run(&request, &result, err);
    store_mailbox_unref(&request.mailbox);
    if (code == ERR_NONE)
        say(call, &result);
    return code;
}
