/* mailbox list|show|import; export has a file of its own. */
#include "mailbox-backend/admin.h"
#include "mailbox-backend/admin_export.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/export.h"
#include "mailbox-backend/import.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/maildir.h"

static enum err_code put_mailbox(struct admin_call *call, const struct account *account,
                                 struct err *err)
{
    struct store_usage usage, recoverable;
    enum err_code code = admin_usage(call, account, &usage, &recoverable, err);

    if (code != ERR_NONE)
        return code;
    admin_put_text(call, "login", account->name);
    admin_put_number(call, "messages", usage.messages);
    admin_put_bytes(call, "bytes", usage.bytes);
    admin_put_number(call, "recoverable", recoverable.messages);
    admin_put_bytes(call, "recoverable-bytes", recoverable.bytes);
    if (account->quota_bytes == 0)
        admin_put_text(call, "quota", "none");
    else
        admin_put_bytes(call, "quota", account->quota_bytes);
    admin_put_guid(call, &account->guid);
    return ERR_NONE;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    char cursor[DIRECTORY_CURSOR_SIZE] = "";
    struct arena arena = {0};
    struct account account;
    enum err_code code;

    while ((code = directory_next(admin_backend(call)->directory, cursor, &arena, &account, err)) ==
           ERR_NONE) {
        if ((code = put_mailbox(call, &account, err)) != ERR_NONE ||
            (code = admin_row(call, err)) != ERR_NONE)
            break;
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_show(struct admin_call *call, struct err *err)
{
    struct account account;
    struct store_mailbox *mailbox;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code != ERR_NONE || (code = put_mailbox(call, &account, err)) != ERR_NONE ||
        (code = admin_open_mailbox(call, &account, &mailbox, err)) != ERR_NONE)
        return code;
    admin_put_bool(call, "made", mailbox != NULL);
    if (mailbox != NULL)
        admin_put_number(call, "database", store_mailbox_database(mailbox) + 1);
    store_mailbox_unref(&mailbox);
    return admin_row(call, err);
}

/* A message that could not be taken in. */
static enum err_code put_failure(void *context, const char *source, const char *problem,
                                 struct err *err)
{
    struct admin_call *call = context;

    admin_findings(call);
    admin_put_text(call, "message", source);
    admin_put_text(call, "problem", problem);
    return admin_row(call, err);
}

static void say_imported(struct admin_call *call, const struct import_result *result)
{
    admin_say(call,
              "%llu messages imported into %llu folders, %llu were there from an earlier import, "
              "%llu could not be taken; %llu folders could not keep the source's uids",
              (unsigned long long)result->messages, (unsigned long long)result->folders,
              (unsigned long long)result->skipped, (unsigned long long)result->failed,
              (unsigned long long)result->renumbered);
}

static enum err_code run_import(struct admin_call *call, struct err *err)
{
    struct backend *backend = admin_backend(call);
    struct import_request request = {
        .store = backend->store,
        .file = admin_file(call),
        .folder = admin_value(call, "folder"),
        .failed = put_failure,
        .context = call,
    };
    struct import_result result;
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code == ERR_NONE)
        code = mailbox_open(backend->store, &account, &request.mailbox, err);
    if (code != ERR_NONE)
        return code;
    code = import_run(&request, &result, err);
    store_mailbox_unref(&request.mailbox);
    if (code == ERR_NONE)
        say_imported(call, &result);
    else if (result.messages > 0)
        admin_hint(call, "%llu messages were imported before", (unsigned long long)result.messages);
    return code;
}

static const struct admin_flag import_flags[] = {
    {"folder",                                              "PATH", "into this folder (INBOX), which is made if need be"},
    {0}
};

#define PARTS (BACKEND_DIRECTORY | BACKEND_STORE)

const struct admin_command backend_mailbox_commands[] = {
    {
     .noun = "mailbox",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = PARTS,
     .help = "the mailboxes, with what they hold",
     .run = run_list,
     },
    {
     .noun = "mailbox",
     .verb = "show",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .needs = PARTS,
     .help = "one mailbox, what it holds and where it is",
     .run = run_show,
     },
    {
     .noun = "mailbox",
     .verb = "import",
     .arguments = "LOGIN FILE|MAILDIR|MBOX",
     .least = 2,
     .most = 2,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_ROWS | ADMIN_FILE,
     .needs = PARTS,
     .flags = import_flags,
     .help = "copy messages into a mailbox; shows those that could not be taken",
     .run = run_import,
     .feed = maildir_feed,
     },
    {
     .noun = "mailbox",
     .verb = "export",
     .arguments = "LOGIN FOLDER",
     .least = 2,
     .most = 2,
     .where = ADMIN_EITHER,
     .traits = ADMIN_FILE,
     .needs = PARTS,
     .flags = admin_export_flags,
     .help = "copy a mailbox's messages into an empty folder, as a Maildir or as mboxes",
     .run = admin_export,
     .drain = export_drain,
     },
    {0                                           },
};
