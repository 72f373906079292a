#include "mailbox-backend/store/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/known.h"
#include "mailbox-backend/store/pages.h"
#include "mailbox-backend/store/rebuild_private.h"

#define ITEMS_A_COMMIT 10000u /* about: a transaction has room for some 100,000 pages */
#define SAY_SECONDS 5
#define ROOM_LEAST (16u << 20)
#define UNKNOWN_TOLD 20

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

/* ---- transactions ---- */

static enum err_code begin(struct rebuild *rebuild, struct err *err)
{
    enum err_code code = batch_begin(&rebuild->batch, &rebuild->database, err);

    rebuild->batch.record.batch = rebuild->database.record.batch;
    rebuild->in_batch = code == ERR_NONE;
    return code;
}

static void give_up(struct rebuild *rebuild)
{
    if (!rebuild->in_batch)
        return;
    index_abort(&rebuild->batch.txn);
    batch_release(&rebuild->batch);
    rebuild->in_batch = false;
}

static enum err_code end(struct rebuild *rebuild, struct err *err)
{
    struct batch *batch = &rebuild->batch;
    struct tx tx = {batch->txn, 0};
    struct key key = key_number(0);
    uint8_t row[DATABASE_MOST];
    size_t length;
    enum err_code code = batch_write_slots(batch, err);

    length = database_pack(row, &batch->record);
    if (code == ERR_NONE)
        code = tx_put(&tx, TABLE_SEGMENT, &key, row, length, err);
    if (code == ERR_NONE && index_is_broken(batch->txn, err))
        code = ERR_UNAVAILABLE;
    if (code == ERR_NONE)
        code = index_commit(&batch->txn, err);
    rebuild->database.record = batch->record;
    give_up(rebuild);
    rebuild->items = 0;
    return code;
}

enum err_code rebuild_flush(struct rebuild *rebuild, struct err *err)
{
    int64_t now = rebuild->batch.now; /* of the operation that is done again */
    enum err_code code = end(rebuild, err);

    if (code == ERR_NONE)
        code = begin(rebuild, err);
    rebuild->batch.now = now;
    return code;
}

/* ---- the new index ---- */

static void remove_work(const struct rebuild *rebuild)
{
    static const char *const names[] = {"index.mdb", "index.mdb-lock"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = backup_path("%s/%s", rebuild->work, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(rebuild->work);
}

static enum err_code take_copy(struct rebuild *rebuild, struct err *err)
{
    char *from = backup_path("%s/index.copy", rebuild->folder);
    char *to = backup_path("%s/index.mdb", rebuild->work);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat facts = {0};
    enum err_code code = ERR_NONE;

    if (in < 0 && errno == ENOENT)
        code = err_set(err, ERR_NOT_FOUND,
                       "there is no copy of the index (%s): --without-copy makes the index out of "
                       "the segments alone",
                       from);
    else if (in < 0 || out < 0 || fstat(in, &facts) != 0)
        code = err_errno(err, errno, "%s", in < 0 ? from : to);
    if (code == ERR_NONE)
        code = backup_copy(in, out, 0, (uint64_t)facts.st_size, NULL, err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (code == ERR_NONE) /* LMDB would believe what a damaged page says */
        code = pages_look(to, NULL, err);
    if (code == ERR_CORRUPT)
        err_prefix(err, "the copy of the index (%s) cannot be used", from);
    rebuild->result->from_copy = code == ERR_NONE;
    free(from);
    free(to);
    return code;
}

static enum err_code read_record(struct rebuild *rebuild, struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(0);
    struct bytes row;
    enum err_code code;

    if (!rebuild->result->from_copy) {
        rebuild->batch.record = (struct database_record){
            .next_content = 1,
            .next_mailbox = 1,
            .next_segment = 1,
            .start = 1,
            .format = FORMAT_NEWEST,
        };
        return ERR_NONE;
    }
    code = tx_get(&tx, TABLE_SEGMENT, &key, &row, err);
    if (code == ERR_NONE && !database_unpack(row, &rebuild->batch.record))
        code = tx_bad_row(&tx, TABLE_SEGMENT, err);
    return code == ERR_NOT_FOUND ? err_set(err, ERR_CORRUPT, "the copy of the index is no index")
                                 : code;
}

static enum err_code open_index(struct rebuild *rebuild, struct err *err)
{
    /* operations count live bytes of segments: these are counted anew in the end */
    const struct segments_start none = {.folder = rebuild->work};
    enum err_code code;

    remove_work(rebuild); /* what a rebuild left that was broken off */
    code = file_make_folders(rebuild->work, 0700, err);
    if (code == ERR_NONE && !rebuild->options->without_copy && !rebuild->options->empty)
        code = take_copy(rebuild, err);
    if (code == ERR_NONE)
        code = index_open(&rebuild->database.index, rebuild->work, rebuild->settings->map_size, 4,
                          NULL, err);
    if (code != ERR_NONE)
        return code;
    segments_open(&rebuild->database.segments, &none, NULL, 0);
    code = begin(rebuild, err);
    if (code == ERR_NONE)
        code = read_record(rebuild, err);
    if (code == ERR_NONE)
        rebuild->database.record = rebuild->batch.record;
    return code;
}

/* ---- replaying ---- */

static uint64_t count_uids(Journal__Range **ranges, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += ranges[i]->last >= ranges[i]->first ? ranges[i]->last - ranges[i]->first + 1u : 0;
    return sum;
}

/* How many items it may have changed. */
static unsigned weight_of(const Journal__Operation *operation)
{
    uint64_t items = 1;

    if (operation->what_case == JOURNAL__OPERATION__WHAT_FLAGS)
        items = count_uids(operation->flags->ranges, operation->flags->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_EXPUNGE)
        items = count_uids(operation->expunge->ranges, operation->expunge->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_COPY ||
             operation->what_case == JOURNAL__OPERATION__WHAT_MOVE) /* a union */
        items = count_uids(operation->copy->ranges, operation->copy->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_PURGE)
        items = operation->purge->n_item_ids;
    return items < ITEMS_A_COMMIT ? (unsigned)items + 1 : ITEMS_A_COMMIT;
}

/* What fails for reasons of its own leaves the rest alone. */
static enum err_code replay_one(struct rebuild *rebuild, const Journal__Batch *record,
                                const Journal__Operation *operation, struct err *err)
{
    enum err_code code = rebuild_operation(rebuild, record, operation, err);

    if (index_is_broken(rebuild->batch.txn, err))
        return ERR_UNAVAILABLE;
    rebuild->items += weight_of(operation);
    rebuild->result->operations++;
    if (code == ERR_NONE)
        rebuild_name_pieces(rebuild, operation);
    if (code != ERR_NONE && ++rebuild->result->unknown <= UNKNOWN_TOLD)
        rebuild_say(rebuild, "batch %" PRIu64 ": one operation could not be done again: %s",
                    record->number, err->text);
    if (code != ERR_NONE || (operation->what_case != JOURNAL__OPERATION__WHAT_FOLDER_DELETE &&
                             operation->what_case != JOURNAL__OPERATION__WHAT_MAILBOX_REMOVE))
        return ERR_NONE;
    code = rebuild_flush(rebuild, err); /* slots of what is gone must not be written behind it */
    return code == ERR_NONE ? rebuild_finish(rebuild, err) : code;
}

static enum err_code replay_part(struct rebuild *rebuild, const struct rebuild_part *part,
                                 struct err *err)
{
    Journal__Batch *record = rebuild_read_part(rebuild, part);
    enum err_code code = ERR_NONE;

    if (record == NULL)
        return err_set(err, ERR_CORRUPT, "segment %" PRIu32 " cannot be read twice", part->segment);
    if (rebuild->batch.record.batch < record->number)
        rebuild->batch.record.batch = record->number;
    rebuild->result->last = record->time;
    for (size_t i = 0; i < record->n_operations && code == ERR_NONE; i++)
        code = replay_one(rebuild, record, record->operations[i], err);
    journal__batch__free_unpacked(record, NULL);
    return code;
}

static enum err_code replay_batch(struct rebuild *rebuild, size_t i, struct err *err)
{
    const struct rebuild_part *first = &rebuild->parts[i];
    enum err_code code = ERR_NONE;

    for (; code == ERR_NONE; i++) {
        code = replay_part(rebuild, &rebuild->parts[i], err);
        if (rebuild->parts[i].last || i + 1 == rebuild->part_count ||
            rebuild->parts[i + 1].number != first->number)
            break;
    }
    rebuild->result->batches++;
    if (code == ERR_NONE && rebuild->items >= ITEMS_A_COMMIT)
        code = rebuild_flush(rebuild, err);
    return code;
}

static enum err_code replay(struct rebuild *rebuild, uint64_t above, struct err *err)
{
    size_t count;
    size_t *chain = rebuild_chain(rebuild, above, &count);
    time_t said = time(NULL);
    enum err_code code = ERR_NONE;

    rebuild_say(rebuild, "%zu batches of operations came after the copy", count);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = replay_batch(rebuild, chain[i], err);
        if (time(NULL) - said >= SAY_SECONDS) {
            said = time(NULL);
            rebuild_say(rebuild, "%zu of %zu batches are done", i + 1, count);
        }
    }
    free(chain);
    /* the numbers of records that do not count are not used again either */
    if (rebuild->part_count > 0 &&
        rebuild->batch.record.batch < rebuild->parts[rebuild->part_count - 1].number)
        rebuild->batch.record.batch = rebuild->parts[rebuild->part_count - 1].number;
    if (rebuild->batch.record.start < rebuild->start)
        rebuild->batch.record.start = rebuild->start;
    return code;
}

static enum err_code replay_all(struct rebuild *rebuild, struct err *err)
{
    uint64_t above = rebuild->batch.record.batch;
    enum err_code code = rebuild_list(rebuild, err);

    rebuild_say(rebuild, "%zu segments are looked through for operations after batch %" PRIu64,
                rebuild->segment_count, above);
    if (code == ERR_NONE)
        code = rebuild_scan(rebuild, above, err);
    if (code == ERR_NONE)
        code = replay(rebuild, above, err);
    return code == ERR_NONE ? rebuild_finish_all(rebuild, err) : code;
}

/* ---- the end ---- */

static enum err_code leap(struct rebuild *rebuild, struct err *err)
{
    const struct backup_room room = {BACKUP_ROOM_UIDS, BACKUP_ROOM_MODSEQS, BACKUP_ROOM_ITEMS,
                                     BACKUP_ROOM_FOLDERS};
    uint64_t damaged = 0;
    enum err_code code = end(rebuild, err);

    if (code == ERR_NONE)
        code = backup_leap(rebuild->database.index, NULL, &room, !rebuild->result->from_copy,
                           &damaged, err);
    rebuild->result->rows += damaged;
    return code == ERR_NONE ? begin(rebuild, err) : code;
}

/* The leap has changed the database's own row. */
static enum err_code finish(struct rebuild *rebuild, struct err *err)
{
    enum err_code code = leap(rebuild, err);
    bool from_copy = rebuild->result->from_copy;

    rebuild->result->from_copy = true; /* there is a row now */
    if (code == ERR_NONE)
        code = read_record(rebuild, err);
    rebuild->result->from_copy = from_copy;
    if (code == ERR_NONE)
        code = rebuild_count(rebuild, err);
    rebuild->result->unreadable += rebuild->dropped;
    rebuild->result->rows += rebuild->bad_rows;
    return code == ERR_NONE ? end(rebuild, err) : code;
}

static enum err_code tell(struct rebuild *rebuild, struct err *err)
{
    struct index_size size;
    enum err_code code = index_measure(rebuild->database.index, &size, err);

    rebuild->result->mailboxes = size.guids;
    rebuild->result->messages = size.items;
    return code;
}

/* Renames a file of the database's folder aside; one that is not there is no error. */
static enum err_code keep(const struct rebuild *rebuild, const char *name, const char *aside,
                          char *kept, size_t room, struct err *err)
{
    char *from = backup_path("%s/%s", rebuild->folder, name);
    char *to = backup_path("%s/%s", rebuild->folder, aside);
    enum err_code code = ERR_NONE;

    if (rename(from, to) == 0)
        snprintf(kept, room, "%s", to);
    else if (errno != ENOENT)
        code = err_errno(err, errno, "%s", to);
    free(from);
    free(to);
    return code;
}

static enum err_code put_in_place(struct rebuild *rebuild, struct err *err)
{
    char *from = backup_path("%s/index.mdb", rebuild->work);
    char *to = backup_path("%s/index.mdb", rebuild->folder);
    char *locks = backup_path("%s/index.mdb-lock", rebuild->folder);
    char index[64], copy[64], ignored[4];
    time_t now = time(NULL);
    struct tm utc;
    enum err_code code;

    gmtime_r(&now, &utc);
    strftime(index, sizeof(index), "index.mdb.damaged-%Y%m%dT%H%M%SZ", &utc);
    strftime(copy, sizeof(copy), "index.copy.used-%Y%m%dT%H%M%SZ", &utc);
    code = keep(rebuild, "index.mdb", index, rebuild->result->kept, sizeof(rebuild->result->kept),
                err);
    unlink(locks);
    crash_marks_remove(rebuild->folder); /* they speak of the old one */
    if (code == ERR_NONE && rename(from, to) != 0)
        code = err_errno(err, errno, "%s", to);
    if (code == ERR_NONE) /* it does not go with what comes after */
        code = keep(rebuild, "index.copy", copy, ignored, sizeof(ignored), err);
    if (code == ERR_NONE)
        code = file_sync_folder(rebuild->folder, err);
    free(from);
    free(to);
    free(locks);
    return code;
}

static enum err_code make(struct rebuild *rebuild, struct err *err)
{
    enum err_code code = open_index(rebuild, err);

    if (code == ERR_NONE)
        code = replay_all(rebuild, err);
    if (code == ERR_NONE && !rebuild->result->from_copy)
        code = rebuild_recovered(rebuild, err);
    if (code == ERR_NONE)
        code = finish(rebuild, err);
    if (code == ERR_NONE)
        code = rebuild_keep_pieces(rebuild, err);
    if (code == ERR_NONE)
        code = tell(rebuild, err);
    return code;
}

static void release(struct rebuild *rebuild)
{
    give_up(rebuild);
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
        code = put_in_place(&rebuild, err);
    if (lock >= 0) {
        remove_work(&rebuild);
        file_unlock(&lock);
    }
    free(path);
    free(rebuild.folder);
    free(rebuild.work);
    return code;
}
