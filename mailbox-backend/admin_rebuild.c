/* database rebuild */
#include <stdlib.h>

#include "mailbox-backend/admin_database.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/rebuild.h"

static void say(void *context, const char *line)
{
    admin_say(context, "%s", line);
}

/* Whose mailbox takes what has no owner. */
static enum err_code find_owner(struct admin_call *call, struct store_guid *guid, bool *given,
                                struct err *err)
{
    const char *name = admin_value(call, "into");
    struct account account;
    enum err_code code;

    *given = name != NULL;
    if (name == NULL)
        return ERR_NONE;
    code = directory_find(admin_backend(call)->directory, str_of(name), admin_arena(call), &account,
                          err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "no user %s", name);
    if (code == ERR_NONE)
        *guid = account.guid;
    return code;
}

static void put_result(struct admin_call *call, const struct rebuild_result *result)
{
    admin_put_text(call, "made-from", result->from_copy ? "copy" : "segments");
    admin_put_number(call, "mailboxes", result->mailboxes);
    admin_put_number(call, "messages", result->messages);
    admin_put_number(call, "batches-replayed", result->batches);
    admin_put_number(call, "operations-replayed", result->operations);
    admin_put_number(call, "operations-not-done", result->unknown);
    admin_put_number(call, "gaps", result->gaps);
    admin_put_number(call, "damaged-records", result->damaged);
    admin_put_number(call, "damaged-rows", result->rows);
    admin_put_number(call, "messages-without-content", result->unreadable);
    admin_put_number(call, "messages-without-owner", result->without_owner);
    admin_put_number(call, "pieces-without-record", result->kept_pieces);
    admin_put_time(call, "last-operation-known", result->last);
    admin_put_text(call, "old-index", result->kept);
}

static void say_result(struct admin_call *call, const struct rebuild_result *result)
{
    if (!result->from_copy)
        admin_say(call, "without a copy nobody knows what was changed in messages whose records "
                        "are gone: look through the folders below Recovered");
    if (result->gaps > 0)
        admin_say(call, "what the missing batches did is lost, but for messages that others name");
    if (result->rows > 0)
        admin_say(call, "rows of the copy are damaged: run `database repair` before you start");
    if (result->kept_pieces > 0)
        admin_say(call,
                  "texts that no record names are in files piece-... of the folder " FOUND_FOLDER
                  " in the database's folder: look through them");
    admin_say(call, "what was done after the last operation that is known, if anything, is lost; "
                    "run `database check` and start the back end");
}

static enum err_code rebuild(struct admin_call *call, unsigned number, struct err *err)
{
    const struct backend_settings *settings = admin_backend(call)->settings;
    char *folder = backend_path(settings, "store");
    const struct store_settings store = {
        .folder = folder,
        .map_size = settings->store.map_size,
        .recovery_seconds = settings->store.recovery_time,
    };
    struct store_guid guid;
    struct rebuild_options options = {
        .database = number,
        .without_copy = admin_has(call, "without-copy"),
        .empty = admin_has(call, "empty"),
        .say = say,
        .context = call,
    };
    struct rebuild_result result;
    bool given;
    enum err_code code = find_owner(call, &guid, &given, err);

    options.owner = given ? &guid : NULL;
    if (code == ERR_NONE)
        code = store_rebuild(&store, &options, &result, err);
    free(folder);
    if (code == ERR_CORRUPT && !options.without_copy)
        admin_hint(call, "if the copy of the index is damaged, too, --without-copy makes it out of "
                         "the segments alone");
    if (code != ERR_NONE)
        return code;
    put_result(call, &result);
    say_result(call, &result);
    if (result.gaps + result.damaged + result.rows + result.unknown + result.unreadable > 0 ||
        (result.kept_pieces > 0 && !result.from_copy)) /* else uploads that were broken off */
        admin_findings(call);
    return admin_row(call, err);
}

static enum err_code run_rebuild(struct admin_call *call, struct err *err)
{
    unsigned number = 0;

    if (admin_host(call)->daemon) {
        admin_hint(call, "stop it first");
        return err_set(err, ERR_EXISTS, "the back end is running");
    }
    if (admin_database_number(admin_name(call, 0), &number, err) != ERR_NONE)
        return err->code;
    return rebuild(call, number, err);
}

static const struct admin_flag rebuild_flags[] = {
    {"without-copy",                                                                              NULL,
     "out of the segments alone, although there is a copy of the index: messages come into folders "
     "below Recovered"},
    {"empty",                                                                           NULL,
     "nothing is left of the database and its disk will not come back: begin anew, without mail"},
    {"into",                                                                                     "LOGIN",
     "the user who gets messages of which nothing tells whose they are (without a copy only)"},
    {0},
};

const struct admin_command backend_rebuild_commands[] = {
    {
     .noun = "database",
     .verb = "rebuild",
     .arguments = "DATABASE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES,
     .needs = BACKEND_DIRECTORY,
     .flags = rebuild_flags,
     .help = "make the index of a database again, when it is lost or damaged, out of its newest "
                "copy and what was recorded since; the back end must be stopped", .run = run_rebuild,
     },
    {0},
};
