/* backup run|list|verify|restore */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/store/backup.h"

/* ---- what commands on backups share ---- */

void admin_backup_folder(const struct admin_call *call, char folder[ADMIN_FOLDER_SIZE])
{
    snprintf(folder, ADMIN_FOLDER_SIZE, "/proc/self/fd/%d", admin_file(call));
}

enum err_code admin_backup_choose(struct admin_call *call, const char *folder,
                                  char name[BACKUP_NAME_SIZE], struct err *err)
{
    const char *wanted = admin_value(call, "backup");
    struct backup_facts facts = {0};
    enum err_code code;

    name[0] = '\0';
    while ((code = backup_next(folder, facts.name, &facts, err)) == ERR_NONE) {
        if (wanted == NULL ? facts.whole : strcmp(facts.name, wanted) == 0)
            snprintf(name, BACKUP_NAME_SIZE, "%s", facts.name);
    }
    if (code != ERR_NOT_FOUND)
        return code;
    if (name[0] != '\0')
        return ERR_NONE;
    return err_set(err, ERR_NOT_FOUND, "no whole backup%s%s in %s", wanted == NULL ? "" : " ",
                   wanted == NULL ? "" : wanted, admin_name(call, admin_name_count(call) - 1));
}

static void put_facts(struct admin_call *call, const struct backup_facts *facts)
{
    admin_put_text(call, "backup", facts->name);
    admin_put_bool(call, "whole", facts->whole);
    admin_put_time(call, "taken", facts->taken);
    admin_put_number(call, "databases", facts->databases);
    admin_put_number(call, "messages", facts->messages);
    admin_put_bytes(call, "bytes", facts->bytes);
    admin_put_bytes(call, "copied", facts->copied);
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

/* ---- run ---- */

static enum err_code copy_directory(void *context, int to, struct err *err)
{
    return directory_copy(admin_backend(context)->directory, to, err);
}

static enum err_code run_run(struct admin_call *call, struct err *err)
{
    struct backup_options options = {
        .directory = copy_directory,
        .wanted = is_wanted,
        .context = call,
    };
    struct backup_facts facts;
    char folder[ADMIN_FOLDER_SIZE];
    enum err_code code = admin_value_size(call, "rate", &options.rate, err);

    admin_backup_folder(call, folder);
    if (code == ERR_NONE)
        code = backup_run(admin_backend(call)->store, folder, &options, &facts, err);
    if (code == ERR_DENIED)
        admin_hint(call, "the folder must belong to the user that the back end runs as");
    if (code != ERR_NONE)
        return code;
    put_facts(call, &facts);
    admin_say(call, "backup %s: %llu messages, %llu KB, of these %llu KB copied", facts.name,
              (unsigned long long)facts.messages, (unsigned long long)facts.bytes / 1024,
              (unsigned long long)facts.copied / 1024);
    return admin_row(call, err);
}

/* ---- list ---- */

/* One that is not whole is being made, as long as somebody has the folder's lock. */
static bool is_being_made(const char *folder)
{
    char path[ADMIN_FOLDER_SIZE + 8];

    snprintf(path, sizeof(path), "%s/lock", folder);
    return file_lock_holder(path) != 0;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    struct backup_facts facts = {0};
    char folder[ADMIN_FOLDER_SIZE];
    bool being_made;
    enum err_code code;

    admin_backup_folder(call, folder);
    being_made = is_being_made(folder); /* before the look at it: it may be done by then */
    while ((code = backup_next(folder, facts.name, &facts, err)) == ERR_NONE) {
        if (!facts.whole && !being_made && !is_being_made(folder))
            admin_findings(call);
        put_facts(call, &facts);
        if ((code = admin_row(call, err)) != ERR_NONE)
            return code;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- verify ---- */

static enum err_code put_problem(void *context, const char *problem, struct err *err)
{
    struct admin_call *call = context;

    admin_findings(call);
    admin_put_text(call, "problem", problem);
    return admin_row(call, err);
}

static enum err_code run_verify(struct admin_call *call, struct err *err)
{
    struct backup_check check = {.found = put_problem, .wanted = is_wanted, .context = call};
    char folder[ADMIN_FOLDER_SIZE], name[BACKUP_NAME_SIZE];
    enum err_code code;

    admin_backup_folder(call, folder);
    code = admin_backup_choose(call, folder, name, err);
    if (code == ERR_NONE)
        code = backup_verify(folder, name, &check, err);
    if (code == ERR_NONE)
        admin_say(call, "backup %s: %llu messages checked, %llu findings", name,
                  (unsigned long long)check.messages, (unsigned long long)check.findings);
    return code;
}

/* ---- restore ---- */

static enum err_code restore_here(struct admin_call *call, const char *folder, const char *name,
                                  struct err *err)
{
    const struct backend_settings *settings = admin_backend(call)->settings;
    char *store = backend_path(settings, "store");
    char *directory = backend_path(settings, "directory");
    const struct backup_target target = {
        .store = store,
        .directory = directory,
        .map_size = settings->store.map_size,
        .new_uid_validity = admin_has(call, "new-uid-validity"),
    };
    struct backup_facts facts;
    enum err_code code = backup_restore(folder, name, &target, &facts, err);

    free(store);
    free(directory);
    if (code == ERR_NONE)
        admin_say(call,
                  "backup %s restored: %llu messages. Look at `service list` before you start",
                  name, (unsigned long long)facts.messages);
    if (code == ERR_NONE && facts.damaged > 0) {
        admin_say(call,
                  "%llu rows of the index were damaged when the backup was made: run `database "
                  "repair` before you start",
                  (unsigned long long)facts.damaged);
        admin_findings(call);
    }
    return code;
}

static enum err_code run_restore(struct admin_call *call, struct err *err)
{
    char folder[ADMIN_FOLDER_SIZE], name[BACKUP_NAME_SIZE];
    enum err_code code;

    if (admin_host(call)->daemon) {
        admin_hint(call, "stop it first");
        return err_set(err, ERR_EXISTS, "the back end is running");
    }
    admin_backup_folder(call, folder);
    code = admin_backup_choose(call, folder, name, err);
    return code == ERR_NONE ? restore_here(call, folder, name, err) : code;
}

/* ---- prune ---- */

static enum err_code put_fate(void *context, const char *name, int64_t taken, enum backup_fate fate,
                              struct err *err)
{
    static const char *const words[] = {
        [BACKUP_STAYS] = "kept",
        [BACKUP_GOES] = "removed",
        [BACKUP_BROKEN_OFF] = "removed: it was broken off",
        [BACKUP_IN_USE] = "kept: it is in use",
        [BACKUP_UNREADABLE] = "kept: its manifest cannot be read",
    };
    struct admin_call *call = context;

    if (fate == BACKUP_UNREADABLE)
        admin_findings(call);
    admin_put_text(call, "backup", name);
    admin_put_time(call, "taken", taken);
    admin_put_text(call, "fate", words[fate]);
    return admin_row(call, err);
}

static enum err_code read_keep(struct admin_call *call, const char *flag, unsigned *keep,
                               struct err *err)
{
    uint64_t value = 0;
    enum err_code code = admin_value_number(call, flag, &value, err);

    if (code == ERR_NONE && admin_has(call, flag) && (value == 0 || value > UINT_MAX))
        code = err_set(err, ERR_INVALID, "--%s is 1 or more", flag);
    *keep = (unsigned)value;
    return code;
}

static enum err_code run_prune(struct admin_call *call, struct err *err)
{
    struct backup_pruning pruning = {
        .dry_run = admin_is_dry_run(call),
        .told = put_fate,
        .context = call,
    };
    char folder[ADMIN_FOLDER_SIZE];
    enum err_code code = read_keep(call, "keep", &pruning.newest, err);

    admin_backup_folder(call, folder);
    if (code == ERR_NONE)
        code = read_keep(call, "keep-daily", &pruning.daily, err);
    if (code == ERR_NONE)
        code = read_keep(call, "keep-weekly", &pruning.weekly, err);
    if (code == ERR_NONE && pruning.newest + pruning.daily + pruning.weekly == 0)
        code = err_set(err, ERR_INVALID, "say what to keep: --keep, --keep-daily, --keep-weekly");
    if (code == ERR_NONE)
        code = backup_prune(folder, &pruning, err);
    if (code == ERR_CORRUPT)
        admin_hint(call, "move the folder of that backup away when you are sure that it is lost");
    if (code == ERR_NONE)
        admin_say(call, "%llu KB %sfreed", (unsigned long long)pruning.freed / 1024,
                  pruning.dry_run ? "would be " : "");
    return code;
}

static const struct admin_flag prune_flags[] = {
    {"keep",                                                           "N", "the N newest"},
    {"keep-daily",                                                  "N", "the last one of each of the N newest days that have one (UTC)"},
    {"keep-weekly",                                                     "N", "the last one of each of the N newest weeks that have one"},
    {0},
};

static const struct admin_flag run_flags[] = {
    {"follow",                                                          "[=TIME]", "go on, with a backup every TIME (15m), until SIGINT or SIGTERM"},
    {"rate", "BYTES", "copy at most so many bytes of messages a second (20M)"},
    {0                                                           }
};

static const struct admin_flag verify_flags[] = {
    {"backup",                           "NAME", "this one, instead of the newest"},
    {0}
};

static const struct admin_flag restore_flags[] = {
    {"backup",                           "NAME", "this one, instead of the newest"},
    {"new-uid-validity", NULL,
     "let every client read every folder anew (more than 16 million "
     "messages have come into one folder since)"},
    {0                }
};

const struct admin_command backend_backup_commands[] = {
    {
     .noun = "backup",
     .verb = "run",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_DAEMON,
     .traits = ADMIN_CHANGES | ADMIN_FILE | ADMIN_FOLLOW,
     .flags = run_flags,
     .help = "copy all mail and users into a folder; what is there from backups before is not "
                "copied "
                "again", .run = run_run,
     },
    {
     .noun = "backup",
     .verb = "list",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .traits = ADMIN_ROWS | ADMIN_FILE,
     .help = "the backups in a folder",
     .run = run_list,
     },
    {
     .noun = "backup",
     .verb = "prune",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .traits = ADMIN_ROWS | ADMIN_FILE | ADMIN_DRY_RUN,
     .flags = prune_flags,
     .help =
            "remove all backups but those that a flag keeps, and the messages that only they had", .run = run_prune,
     },
    {
     .noun = "backup",
     .verb = "verify",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .traits = ADMIN_ROWS | ADMIN_FILE,
     .flags = verify_flags,
     .help = "read a backup and check every checksum in it",
     .run = run_verify,
     },
    {
     .noun = "backup",
     .verb = "restore",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_FILE,
     .flags = restore_flags,
     .help =
            "make all mail and users of a backup those of a back end that is stopped and has none", .run = run_restore,
     },
    {0                                                  },
};
