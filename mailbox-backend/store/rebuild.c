#include "mailbox-backend/store/rebuild.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/file.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/known.h"
#include "mailbox-backend/store/rebuild_private.h"

#define ROOM_LEAST (16u << 20)

void rebuild_say(struct rebuild *rebuild, const char *format, ...)
{
    char line[300];
    va_list arguments;

    if (rebuild->options->say == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    rebuild->options->say(rebuild->options->context, line);
}

static enum err_code make(struct rebuild *rebuild, struct err *err)
{
    enum err_code code = rebuild_open_index(rebuild, err);

    if (code == ERR_NONE)
        code = rebuild_replay(rebuild, err);
    if (code == ERR_NONE && !rebuild->result->from_copy)
        code = rebuild_recovered(rebuild, err);
    if (code == ERR_NONE)
        code = rebuild_end(rebuild, err);
    if (code == ERR_NONE)
        code = rebuild_keep_pieces(rebuild, err);
    if (code == ERR_NONE)
        code = rebuild_tell(rebuild, err);
    return code;
}

static void release(struct rebuild *rebuild)
{
    rebuild_give_up(rebuild);
    segments_close(&rebuild->database.segments);
    index_close(&rebuild->database.index);
    codecs_release(&rebuild->store.codecs);
    if (rebuild->file >= 0)
        close(rebuild->file);
    free(rebuild->segments);
    free(rebuild->parts);
    free(rebuild->bad);
    free(rebuild->pieces);
}

/* What nothing is left of is begun anew only when that is asked for: its disk may not be mounted. */
static enum err_code check_folder(const struct rebuild *rebuild, struct err *err)
{
    bool is_empty = rebuild->options->empty;
    struct known_databases known;
    bool holds;
    enum err_code code = known_read(&known, rebuild->settings->folder, err);

    if (code == ERR_NONE)
        code = known_look(rebuild->folder, &holds, err);
    if (code != ERR_NONE)
        return code;
    if (holds)
        return is_empty ? err_set(err, ERR_EXISTS, "%s is not empty: rebuild it without --empty",
                                  rebuild->folder)
                        : ERR_NONE;
    if (rebuild->options->database >= STORE_DATABASES_MAX || !known.all[rebuild->options->database])
        return err_set(err, ERR_NOT_FOUND, "there is no database %s", rebuild->database.name);
    return is_empty ? ERR_NONE
                    : err_set(err, ERR_UNAVAILABLE,
                              "%s has neither an index nor messages: mount its disk. Only if the "
                              "database is lost for good, --empty begins anew",
                              rebuild->folder);
}

/* LMDB calls a full disk an input/output error. */
static void explain(const struct rebuild *rebuild, struct err *err)
{
    struct err why = *err;
    struct statvfs disk;

    if (err->code == ERR_UNAVAILABLE && statvfs(rebuild->folder, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_LEAST)
        err_set(err, why.code,
                "the disk of %s is full (a second index needs room there, until it takes the place "
                "of the first): %s",
                rebuild->folder, why.text);
}

enum err_code store_rebuild(const struct store_settings *settings,
                            const struct rebuild_options *options, struct rebuild_result *result,
                            struct err *err)
{
    struct rebuild rebuild = {
        .settings = settings, .options = options, .result = result, .file = -1};
    char *path = backup_path("%s/lock", settings->folder);
    int lock = -1;
    enum err_code code = file_lock(&lock, path, err);

    *result = (struct rebuild_result){0};
    rebuild.store.settings = *settings;
    rebuild.store.settings.recovery_of = NULL; /* the records say how long */
    codecs_init(&rebuild.store.codecs);
    rebuild.database.store = &rebuild.store;
    rebuild.database.number = options->database;
    snprintf(rebuild.database.name, sizeof(rebuild.database.name), "db%u", options->database + 1);
    rebuild.folder = backup_path("%s/%s", settings->folder, rebuild.database.name);
    rebuild.work = backup_path("%s/rebuild", rebuild.folder);
    if (code == ERR_NONE)
        code = check_folder(&rebuild, err);
    if (code == ERR_NONE) {
        code = make(&rebuild, err);
        if (code != ERR_NONE)
            explain(&rebuild, err);
    }
    release(&rebuild);
    if (code == ERR_NONE)
        code = rebuild_put_in_place(&rebuild, err);
    if (lock >= 0) {
        rebuild_remove_work(&rebuild);
        file_unlock(&lock);
    }
    free(path);
    free(rebuild.folder);
    free(rebuild.work);
    return code;
}
