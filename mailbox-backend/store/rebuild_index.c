/* The index that a rebuild makes: begun from the copy or empty, changed by transactions, put in the place of the old one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/pages.h"
#include "mailbox-backend/store/rebuild_private.h"

/* ---- transactions ---- */

static enum err_code begin(struct rebuild *rebuild, struct err *err)
{
    enum err_code code = batch_begin(&rebuild->batch, &rebuild->database, err);

    rebuild->batch.record.batch = rebuild->database.record.batch;
    rebuild->in_batch = code == ERR_NONE;
    return code;
}

void rebuild_give_up(struct rebuild *rebuild)
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
    rebuild_give_up(rebuild);
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

void rebuild_remove_work(const struct rebuild *rebuild)
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

enum err_code rebuild_open_index(struct rebuild *rebuild, struct err *err)
{
    /* operations count live bytes of segments: these are counted anew in the end */
    const struct segments_start none = {.folder = rebuild->work};
    enum err_code code;

    rebuild_remove_work(rebuild); /* what a rebuild left that was broken off */
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
enum err_code rebuild_end(struct rebuild *rebuild, struct err *err)
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

enum err_code rebuild_tell(struct rebuild *rebuild, struct err *err)
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

enum err_code rebuild_put_in_place(struct rebuild *rebuild, struct err *err)
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
