/* mailbox restore: one mailbox, or some of its folders, out of a backup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/restore.h"

/* One run of the command. */
struct run {
    struct admin_call *call;
    char folder[ADMIN_FOLDER_SIZE], name[BACKUP_NAME_SIZE];
    struct account from, to; /* as the backup has it, and whose mailbox is filled */
    bool is_back;            /* the user was made again */
    struct backup_reader *reader;
    struct restore_request request;
    struct restore_result result;
};

/* ---- what was asked ---- */

static enum err_code check_flags(struct admin_call *call, struct err *err)
{
    bool in_place = admin_has(call, "in-place");

    if (in_place && (admin_has(call, "into") || admin_has(call, "to")))
        return err_set(err, ERR_INVALID, "--in-place goes with neither --into nor --to");
    if (!in_place && (admin_has(call, "exact") || admin_has(call, "flags")))
        return err_set(err, ERR_INVALID, "--exact and --flags go with --in-place only");
    return ERR_NONE;
}

static enum err_code read_path(struct admin_call *call, const char *given, const char **path,
                               struct err *err)
{
    struct str normal;
    enum err_code code = path_normalise(admin_arena(call), str_of(given), &normal, err);

    if (code == ERR_NONE)
        *path = arena_copy(admin_arena(call), normal.data, normal.length);
    return code;
}

/* 20261124T101500.250Z gives "Restored/2026-11-24 10.15", so that two backups do not mix; nor do two
   users in a third one's mailbox. */
static const char *default_into(const struct run *run)
{
    const char *name = run->name;
    bool is_other = admin_has(run->call, "to");

    return arena_printf(admin_arena(run->call), "Restored/%s%s%.4s-%.2s-%.2s %.2s.%.2s",
                        is_other ? run->from.name : "", is_other ? " " : "", name, name + 4,
                        name + 6, name + 9, name + 11);
}

static enum err_code read_paths(struct run *run, struct err *err)
{
    struct admin_call *call = run->call;
    const char *folder = admin_value(call, "folder"), *into = admin_value(call, "into");
    enum err_code code = ERR_NONE;

    if (folder != NULL)
        code = read_path(call, folder, &run->request.folder, err);
    if (code != ERR_NONE || admin_has(call, "in-place"))
        return code;
    return read_path(call, into == NULL ? default_into(run) : into, &run->request.into, err);
}

/* ---- whose ---- */

static enum err_code make_user_again(struct run *run, struct directory *copy, struct err *err)
{
    struct admin_call *call = run->call;
    enum err_code code =
        account_bring_back(admin_backend(call)->directory, copy, str_of(admin_name(call, 0)),
                           admin_is_dry_run(call), err);

    run->is_back = code == ERR_NONE;
    return code;
}

/* Looks the user up in the backup's own directory: by now somebody else may have the name. */
static enum err_code find_source(struct run *run, struct err *err)
{
    struct admin_call *call = run->call;
    struct directory *live = admin_backend(call)->directory, *copy = NULL;
    struct str name = str_of(admin_name(call, 0));
    char *path = NULL;
    enum err_code code = backup_directory(run->folder, run->name, &path, err);

    if (code == ERR_NONE)
        code = directory_open_copy(&copy, path, live, err);
    if (code == ERR_NONE)
        code = directory_find(copy, name, admin_arena(call), &run->from, err);
    if (code == ERR_NOT_FOUND)
        err_set(err, code, "backup %s has no user %s", run->name, name.data);
    if (code == ERR_NONE && admin_has(call, "with-user"))
        code = make_user_again(run, copy, err);
    directory_close(&copy);
    free(path);
    return code;
}

/* The mail of one who had the name before must not come to a new user unasked. */
static enum err_code check_same(struct run *run, struct err *err)
{
    if (memcmp(&run->to.guid, &run->from.guid, sizeof(run->to.guid)) == 0)
        return ERR_NONE;
    admin_hint(run->call, "--to=%s gives them the messages all the same", run->to.name);
    return err_set(err, ERR_EXISTS, "%s is another user than in the backup", run->to.name);
}

static enum err_code find_target(struct run *run, struct err *err)
{
    struct admin_call *call = run->call;
    const char *to = admin_value(call, "to");
    const char *name = to == NULL ? admin_name(call, 0) : to;
    enum err_code code;

    if (run->is_back && to == NULL && admin_is_dry_run(call)) {
        run->to = run->from; /* as it would be made */
        return ERR_NONE;
    }
    code = directory_find(admin_backend(call)->directory, str_of(name), admin_arena(call), &run->to,
                          err);
    if (code == ERR_NONE && to == NULL)
        return check_same(run, err);
    if (code != ERR_NOT_FOUND)
        return code;
    if (to == NULL)
        admin_hint(call, "`user restore` brings back who was removed lately; else add --with-user, "
                         "or give somebody else the messages by --to");
    return err_set(err, code, "no user %s", name);
}

/* What --exact removes must come back if that was a mistake. */
static enum err_code check_recovery(const struct run *run, struct err *err)
{
    uint64_t kept = run->to.recovery_is_set
                        ? run->to.recovery.seconds
                        : admin_backend(run->call)->settings->store.recovery_time;

    if (!run->request.exact || kept > 0)
        return ERR_NONE;
    return err_set(err, ERR_DENIED,
                   "the recovery time of %s is 0: what --exact removes would be gone for good",
                   run->to.name);
}

static enum err_code open_target(struct run *run, struct err *err)
{
    struct admin_call *call = run->call;

    run->request.store = admin_backend(call)->store;
    run->request.dry_run = admin_is_dry_run(call);
    if (!admin_has(call, "ignore-quota")) {
        run->request.quota_bytes = run->to.quota_bytes;
        run->request.quota_messages = run->to.quota_messages;
    }
    return run->request.dry_run ? admin_open_mailbox(call, &run->to, &run->request.to, err)
                                : mailbox_open(run->request.store, &run->to, &run->request.to, err);
}

/* ---- the answer ---- */

static enum err_code put_folder(void *context, const struct restore_folder *folder, struct err *err)
{
    struct admin_call *call = context;
    const struct restore_counts *counts = &folder->counts;

    admin_put_text(call, "folder", folder->from == NULL ? "" : folder->from);
    admin_put_text(call, "into", folder->to);
    admin_put_text(call, "folder-was",
                   folder->from == NULL ? "deleted"
                   : folder->was_made   ? "made"
                                        : "there");
    admin_put_number(call, "messages", counts->messages);
    admin_put_number(call, "there", counts->there);
    admin_put_number(call, "restored", counts->restored);
    admin_put_number(call, "flags", counts->flags);
    admin_put_number(call, "removed", counts->removed);
    admin_put_number(call, "failed", counts->failed);
    admin_put_text(call, "problem", "");
    return admin_row(call, err);
}

static enum err_code put_failure(void *context, const char *path, uint32_t uid, const char *problem,
                                 struct err *err)
{
    struct admin_call *call = context;
    static const char *const numbers[] = {"messages", "there",   "restored",
                                          "flags",    "removed", "failed"};

    admin_findings(call);
    admin_put_text(call, "folder", path);
    admin_put_text(call, "into", "");
    admin_put_text(call, "folder-was", "");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        admin_put_number(call, numbers[i], i + 1 == sizeof(numbers) / sizeof(numbers[0]));
    admin_put_text(call, "problem",
                   uid == 0 ? problem
                            : arena_printf(admin_arena(call), "uid %u in the backup: %s",
                                           (unsigned)uid, problem));
    return admin_row(call, err);
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

static void say(const struct run *run, enum err_code code)
{
    const struct restore_counts *counts = &run->result.counts;

    if (code == ERR_NONE)
        admin_say(run->call,
                  "backup %s: %llu of %llu messages %srestored, %llu were there, %llu removed, "
                  "%llu failed",
                  run->name, (unsigned long long)counts->restored,
                  (unsigned long long)counts->messages, run->request.dry_run ? "would be " : "",
                  (unsigned long long)counts->there, (unsigned long long)counts->removed,
                  (unsigned long long)counts->failed);
    else if (run->result.over_quota)
        admin_hint(
            run->call,
            "%llu messages were restored. Raise the quota, or add --ignore-quota, and run it "
            "again: nothing comes twice",
            (unsigned long long)counts->restored);
    else if (counts->restored > 0)
        admin_hint(run->call, "%llu messages were restored; run it again, nothing comes twice",
                   (unsigned long long)counts->restored);
}

/* ---- the command ---- */

static enum err_code prepare(struct run *run, struct err *err)
{
    enum err_code code = check_flags(run->call, err);

    admin_backup_folder(run->call, run->folder);
    if (code == ERR_NONE)
        code = admin_backup_choose(run->call, run->folder, run->name, err);
    if (code == ERR_NONE)
        code = find_source(run, err);
    if (code == ERR_NONE)
        code = read_paths(run, err);
    if (code == ERR_NONE)
        code = find_target(run, err);
    if (code == ERR_NONE)
        code = check_recovery(run, err);
    if (code == ERR_NONE) {
        code = backup_reader_open(&run->reader, run->folder, run->name, &run->from.guid, err);
        if (code == ERR_NOT_FOUND)
            admin_hint(run->call, "nothing had come for %s yet", run->from.name);
    }
    if (code == ERR_NONE)
        code = open_target(run, err);
    return code;
}

static enum err_code run_restore(struct admin_call *call, struct err *err)
{
    struct run run = {
        .call = call,
        .request =
            {
                      .exact = admin_has(call, "exact"),
                      .flags = admin_has(call, "flags") || admin_has(call, "exact"),
                      .done = put_folder,
                      .failed = put_failure,
                      .wanted = is_wanted,
                      .context = call,
                      },
    };
    enum err_code code = prepare(&run, err);

    if (code == ERR_NONE) {
        run.request.from = backup_reader_mailbox(run.reader);
        code = restore_run(&run.request, &run.result, err);
        say(&run, code);
    }
    store_mailbox_unref(&run.request.to);
    backup_reader_close(&run.reader);
    return code;
}

static const struct admin_flag restore_flags[] = {
    {"backup",                                                         "NAME", "out of this one, instead of the newest"},
    {"folder",                        "PATH", "only this folder and those below it"},
    {"in-place",                                                         NULL, "each folder gets back the messages that it lacks"},
    {"into",                           "PATH", "into folders below this one (Restored/ and the backup's time)"},
    {"to",                                                       "LOGIN", "into another user's mailbox"},
    {"flags",              NULL, "in place: messages that are still there get their flags back, too"},
    {"exact",                                                           NULL, "in place: --flags, and what came since the backup becomes recoverable"},
    {"ignore-quota", NULL, "restore more than the user's quota allows"},
    {"with-user",                                                             NULL, "make the user again, too, with password and addresses as in the backup"},
    {0                                  }
};

const struct admin_command backend_restore_commands[] = {
    {
     .noun = "mailbox",
     .verb = "restore",
     .arguments = "LOGIN FOLDER",
     .least = 2,
     .most = 2,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_ROWS | ADMIN_FILE | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .flags = restore_flags,
     .help = "bring a mailbox, or a folder of it, back from a folder of backups: beside what is "
                "there, or in its place.\nMessages that are there are not brought again.", .run = run_restore,
     },
    {0},
};
