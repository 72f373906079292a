#include "mailbox-backend/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/backup_segment.h"
#include "mailbox-backend/store/index_copy.h"
#include "mailbox-backend/store/mount.h"

struct run {
    struct store *store;
    const char *folder; /* of all backups */
    char *own;          /* of this one */
    const struct backup_options *options;
    struct backup_pace pace;
    struct backup_manifest manifest, before;
};

/* ---- a file that is written from its start ---- */

typedef enum err_code fill_fn(void *context, int to, struct err *err);

static enum err_code measure(int file, uint64_t *size, uint32_t *crc, struct err *err)
{
    struct stat facts;

    *crc = 0;
    if (fsync(file) != 0 || fstat(file, &facts) != 0)
        return err_errno(err, errno, "writing");
    *size = (uint64_t)facts.st_size;
    return backup_crc(file, 0, *size, crc, err);
}

static enum err_code make_file(const char *path, fill_fn *fill, void *context, uint64_t *size,
                               uint32_t *crc, struct err *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err_code code;

    if (file < 0)
        return err_errno(err, errno, "%s", path);
    code = fill(context, file, err);
    if (code == ERR_NONE)
        code = measure(file, size, crc, err);
    close(file);
    return code;
}

/* ---- a database ---- */

static enum err_code fill_index(void *context, int to, struct err *err)
{
    return index_copy(context, to, err);
}

/* The database's own row, and how many items it has. */
static enum err_code read_facts(struct run *run, struct index *copy, struct backup_database *entry,
                                struct err *err)
{
    struct database_record record;
    struct index_size size;
    struct key key = key_number(0);
    struct tx tx = {NULL, 0};
    struct bytes row;
    enum err_code code = index_measure(copy, &size, err);

    run->manifest.messages += size.items;
    if (code == ERR_NONE)
        code = index_read_begin(copy, &tx.txn, err);
    if (code != ERR_NONE)
        return code;
    code = tx_get(&tx, TABLE_SEGMENT, &key, &row, err);
    if (code == ERR_NONE && !database_unpack(row, &record))
        code = tx_bad_row(&tx, TABLE_SEGMENT, err);
    if (code == ERR_NONE)
        entry->created = record.created;
    index_read_end(&tx.txn);
    return code;
}

/* Copies the index, and keeps the segments that it names. */
static enum err_code take_index(struct run *run, struct database *database,
                                struct backup_database *entry, struct segment_list *list,
                                struct err *err)
{
    char *path = backup_path("%s/db%u.index", run->own, entry->number);
    struct index *copy = NULL;
    enum err_code code;

    segments_hold(database->segments);
    code = make_file(path, fill_index, database->index, &entry->index_size, &entry->index_crc, err);
    if (code == ERR_NONE)
        code = index_open_copy(&copy, path, err);
    if (code == ERR_NONE)
        code = read_facts(run, copy, entry, err);
    if (code == ERR_NONE)
        code = segment_list_take(list, database->segments, copy, err);
    segments_let_go(database->segments);
    index_close(&copy);
    free(path);
    return code;
}

/* What the backup before this one says of the same database. */
static const struct backup_database *find_before(const struct run *run,
                                                 const struct backup_database *entry)
{
    for (size_t i = 0; i < run->before.count; i++) {
        const struct backup_database *before = &run->before.databases[i];

        if (before->number == entry->number && before->created == entry->created)
            return before;
    }
    return NULL;
}

static enum err_code copy_segments(struct run *run, struct database *database,
                                   struct backup_database *entry, struct segment_list *list,
                                   struct err *err)
{
    const struct backup_database *before = find_before(run, entry);
    char *folder = backup_segment_folder(run->folder, entry);
    enum err_code code = file_make_folders(folder, 0700, err);

    for (size_t i = 0; i < list->count && code == ERR_NONE; i++) {
        struct segment_copy copy = {
            .folder = run->folder,
            .database = database,
            .entry = entry,
            .kept = &list->segments[i],
            .pace = &run->pace,
            .before =
                before == NULL ? NULL : manifest_segment(before, list->segments[i].record.number),
        };

        code = segment_copy(&copy, err);
        run->manifest.bytes += list->segments[i].record.used;
        segment_list_let_go(list, i);
    }
    if (code == ERR_NONE)
        code = file_sync_folder(folder, err);
    free(folder);
    return code;
}

static enum err_code run_database(struct run *run, struct database *database, struct err *err)
{
    struct backup_database *entry = manifest_add(&run->manifest);
    struct segment_list list = {.set = database->segments};
    enum err_code code;

    entry->number = database->number + 1;
    code = take_index(run, database, entry, &list, err);
    if (code == ERR_NONE)
        code = copy_segments(run, database, entry, &list, err);
    segment_list_release(&list);
    run->manifest.bytes += entry->index_size;
    run->manifest.copied += entry->index_size;
    return code;
}

/* ---- the directory ---- */

static enum err_code fill_directory(void *context, int to, struct err *err)
{
    const struct backup_options *options = context;

    return options->directory(options->context, to, err);
}

static enum err_code run_directory(struct run *run, struct err *err)
{
    char *path = backup_path("%s/directory.mdb", run->own);
    struct backup_options options = *run->options;
    enum err_code code = make_file(path, fill_directory, &options, &run->manifest.directory_size,
                                   &run->manifest.directory_crc, err);

    run->manifest.has_directory = true;
    run->manifest.bytes += run->manifest.directory_size;
    run->manifest.copied += run->manifest.directory_size;
    free(path);
    return code;
}

/* ---- the whole ---- */

static enum err_code run_parts(struct run *run, struct err *err)
{
    char *path = backup_path("%s/manifest", run->own);
    enum err_code code = ERR_NONE;

    for (unsigned i = 0; i < run->store->database_count && code == ERR_NONE; i++) {
        struct database *database;

        code = store_mounted(run->store, i, &database, err);
        if (code == ERR_NONE)
            code = run_database(run, database, err);
        else /* the backup would be without it, and older ones that have it would give way */
            err_prefix(err, "no backup is made");
    }
    if (code == ERR_NONE && run->options->directory != NULL)
        code = run_directory(run, err);
    run->manifest.copied += run->pace.bytes;
    if (code == ERR_NONE)
        code = file_sync_folder(run->own, err);
    if (code == ERR_NONE)
        code = manifest_write(&run->manifest, path, err);
    if (code == ERR_NONE)
        code = file_sync_folder(run->folder, err);
    free(path);
    return code;
}

static void remove_parts(struct run *run)
{
    static const char *const names[] = {"manifest", "directory.mdb"};
    char *path;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path = backup_path("%s/%s", run->own, names[i]);
        unlink(path);
        free(path);
    }
    for (unsigned i = 1; i <= run->store->database_count; i++) {
        path = backup_path("%s/db%u.index", run->own, i);
        unlink(path);
        free(path);
    }
    rmdir(run->own);
}

static void read_before(struct run *run)
{
    struct backup_facts facts = {0};
    char *path;

    while (backup_next(run->folder, facts.name, &facts, NULL) == ERR_NONE) {
        if (backup_is_broken_off(run->folder,
                                 facts.name)) /* one that was killed: it is in the way */
            backup_discard(run->folder, facts.name, NULL);
        if (!facts.whole)
            continue;
        manifest_release(&run->before);
        path = backup_path("%s/%s/manifest", run->folder, facts.name);
        manifest_read(&run->before, path, NULL);
        free(path);
    }
}

static void name_now(char name[BACKUP_NAME_SIZE])
{
    struct timespec now;
    struct tm tm;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    length = strftime(name, BACKUP_NAME_SIZE, "%Y%m%dT%H%M%S", &tm);
    snprintf(name + length, BACKUP_NAME_SIZE - length, ".%03uZ",
             (unsigned)(now.tv_nsec / 1000000) % 1000);
}

static enum err_code run_locked(struct run *run, struct backup_facts *facts, struct err *err)
{
    enum err_code code = ERR_NONE;

    read_before(run);
    name_now(facts->name);
    run->own = backup_path("%s/%s", run->folder, facts->name);
    run->manifest.taken = time(NULL);
    clock_gettime(CLOCK_MONOTONIC, &run->pace.began);
    if (mkdir(run->own, 0700) != 0)
        code = err_errno(err, errno, "%s", facts->name);
    else if ((code = run_parts(run, err)) != ERR_NONE)
        remove_parts(run);
    facts->whole = code == ERR_NONE;
    facts->taken = run->manifest.taken;
    facts->databases = (unsigned)run->manifest.count;
    facts->messages = run->manifest.messages;
    facts->bytes = run->manifest.bytes;
    facts->copied = run->manifest.copied;
    return code;
}

enum err_code backup_run(struct store *store, const char *folder,
                         const struct backup_options *options, struct backup_facts *facts,
                         struct err *err)
{
    struct run run = {
        .store = store,
        .folder = folder,
        .options = options,
        .pace.options = options,
        .manifest.room = {BACKUP_ROOM_UIDS, BACKUP_ROOM_MODSEQS, BACKUP_ROOM_ITEMS,
                          BACKUP_ROOM_FOLDERS},
    };
    char *path = backup_path("%s/lock", folder);
    int lock = -1;
    enum err_code code = file_lock(&lock, path, err);

    *facts = (struct backup_facts){0};
    free(path);
    if (code != ERR_NONE)
        return code;
    code = run_locked(&run, facts, err);
    manifest_release(&run.manifest);
    manifest_release(&run.before);
    free(run.own);
    file_unlock(&lock);
    return code;
}
