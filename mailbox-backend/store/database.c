#include "mailbox-backend/store/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/pages.h"
#include "mailbox-backend/store/writer.h"

struct rows {
    struct segment_record *records;
    size_t count;
};

static enum err_code read_segments(const struct tx *tx, struct rows *rows, struct err *err)
{
    struct key key = key_number(1); /* 0 is the database's own row */
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_SEGMENT, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE) {
        rows->records = mem_grow(rows->records, rows->count + 1, sizeof(*rows->records));
        if (scan.key.length != 4 ||
            !segment_unpack(scan.value, get_u32(scan.key.data), &rows->records[rows->count]))
            code = tx_bad_row(tx, TABLE_SEGMENT, err);
        else
            code = scan_next(&scan, err);
        rows->count++;
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* Reads the database's own row and raises the start number, before anything is appended. */
static enum err_code start_up(const struct tx *tx, struct database_record *record, bool made,
                              struct err *err)
{
    struct key key = key_number(0);
    uint8_t packed[DATABASE_MOST];
    struct bytes row;
    size_t length;
    enum err_code code = tx_get(tx, TABLE_SEGMENT, &key, &row, err);

    if (code == ERR_NOT_FOUND && made) {
        *record = (struct database_record){.next_content = 1,
                                           .next_mailbox = 1,
                                           .next_segment = 1,
                                           .created = (uint64_t)time(NULL),
                                           .format = FORMAT_NEWEST};
        code = ERR_NONE;
    } else if (code == ERR_NONE) {
        record->format = format_of(row);
        code = format_check(record->format, err);
        if (code == ERR_NONE && !database_unpack(row, record))
            code = tx_bad_row(tx, TABLE_SEGMENT, err);
    }
    if (code != ERR_NONE)
        return code;
    record->start++;
    length = database_pack(packed, record);
    return tx_put(tx, TABLE_SEGMENT, &key, packed, length, err);
}

static enum err_code read_rows(struct database *database, bool made, struct rows *rows,
                               uint64_t *txn, struct err *err)
{
    struct tx tx = {NULL, 0};
    enum err_code code = index_write_begin(database->index, &tx.txn, err);

    if (code != ERR_NONE)
        return code;
    *txn = index_txn_id(tx.txn);
    code = start_up(&tx, &database->record, made, err);
    if (code == ERR_NONE)
        code = read_segments(&tx, rows, err);
    if (code != ERR_NONE) {
        index_abort(&tx.txn);
        return code;
    }
    return index_commit(&tx.txn, err);
}

/* A file that was cut to nothing is none: LMDB would make a new index of it. */
static bool has_index(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && facts.st_size > 0;
}

/* An index that was lost must not be replaced by an empty one; and what every opening reads of it, or with
   whole all of it, must not end the process. *made: nothing was ever stored, the index may have no row yet. */
static enum err_code check_index(const char *folder, bool whole, bool *made, struct err *err)
{
    static const char *const first_read[] = {"pending", "segment", NULL};
    char *path;
    enum err_code code = ERR_NONE;

    if (asprintf(&path, "%s/index.mdb", folder) < 0)
        abort();
    *made = !segments_any(folder);
    if (has_index(path))
        code = pages_look(path, whole ? NULL : first_read, err);
    else if (!*made)
        code = err_set(err, ERR_CORRUPT, "%s is missing, but there are segments beside it", path);
    free(path);
    return code;
}

/* Nor a whole database, whose disk is perhaps not mounted. Nothing is written into its folder. */
static enum err_code check_folder(const struct database *database, bool is_known, struct err *err)
{
    bool holds = false;
    enum err_code code = is_known ? known_look(database->folder, &holds, err) : ERR_NONE;

    if (code != ERR_NONE || !is_known || holds)
        return code;
    return err_set(err, ERR_UNAVAILABLE,
                   "%s is empty, and there was a database: mount its disk. Only if the database is "
                   "lost for good, `mailbox-backend database rebuild %s --empty` begins anew",
                   database->folder, database->name);
}

static bool has_piece_in(struct bytes row, uint32_t segment)
{
    struct content_head head;

    if (!content_head_unpack(row, &head))
        return true;
    for (uint32_t i = 0; i < head.pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        if (piece.segment == segment)
            return true;
    }
    return false;
}

/* Reads all contents' rows; one that cannot be read may name any segment. */
static bool names_segment(void *context, uint32_t segment)
{
    const struct database *database = context;
    struct key key = key_content(0);
    struct tx tx = {NULL, 0};
    struct tx_scan scan;
    enum err_code code = index_read_begin(database->index, &tx.txn, NULL);

    if (code != ERR_NONE)
        return true;
    code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, NULL);
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    while (code == ERR_NONE && !has_piece_in(scan.value, segment))
        code = scan_next(&scan, NULL);
    scan_end(&scan);
    index_read_end(&tx.txn);
    return code != ERR_NOT_FOUND;
}

/* What an administrator can do about an index that is missing or that LMDB refuses. */
static enum err_code index_is_lost(const struct database *database, struct err *err)
{
    struct err why = *err;

    return err_set(err, ERR_CORRUPT, "%s. Run `mailbox-backend database rebuild %s`", why.text,
                   database->name);
}

/* The marks are there before anything of the index is touched. */
static enum err_code look_at_marks(struct database *database, struct database_opening *opening,
                                   struct err *err)
{
    enum err_code code = file_make_folders(database->folder, 0700, err);

    if (code == ERR_NONE)
        code = crash_marks_open(&database->marks, database->folder, err);
    opening->has_crashed = database->marks.count >= CRASHES_MOST && !opening->again;
    if (code == ERR_NONE && opening->has_crashed)
        return err_set(err, ERR_UNAVAILABLE,
                       "its index crashed the process twice in a row. Stop the back end and run "
                       "`mailbox-backend database rebuild %s`, or try again with "
                       "`mailbox-backend database mount %s`",
                       database->name, database->name);
    return code;
}

static enum err_code open_parts(struct database *database, struct database_opening *opening,
                                struct err *err)
{
    const struct store_settings *settings = &database->store->settings;
    struct segments_start start = {
        .folder = database->folder, .is_named = names_segment, .context = database};
    struct rows rows = {0};
    bool made = false;
    enum err_code code = check_folder(database, opening->is_known, err);

    if (code == ERR_NONE)
        code = look_at_marks(database, opening, err);
    if (code == ERR_NONE)
        code = check_index(database->folder, settings->check_pages, &made, err);
    if (code == ERR_NONE)
        code = index_open(&database->index, database->folder, settings->map_size,
                          settings->max_readers, &database->marks, err);
    if (code == ERR_NONE)
        code = read_rows(database, made, &rows, &start.txn, err);
    opening->is_newer = database->record.format > FORMAT_NEWEST;
    if (code == ERR_CORRUPT && err != NULL)
        code = index_is_lost(database, err);
    start.most = database_segment_size(database);
    start.start = database->record.start;
    start.next = database->record.next_segment;
    start.batch = database->record.batch;
    if (code == ERR_NONE)
        segments_open(&database->segments, &start, rows.records, rows.count);
    free(rows.records);
    if (code == ERR_NONE)
        code = copier_start(&database->copier, database, settings->index_copy_interval, err);
    if (code == ERR_NONE)
        code = writer_start(&database->writer, database, err);
    if (code == ERR_NONE)
        crash_marks_forgive(&database->marks);
    return code;
}

enum err_code database_open(struct database **out, struct store *store, unsigned number,
                            struct database_opening *opening, struct err *err)
{
    struct database *database = mem_alloc(sizeof(*database));
    enum err_code code;

    database->store = store;
    database->number = number;
    snprintf(database->name, sizeof(database->name), "db%u", number + 1);
    if (asprintf(&database->folder, "%s/%s", store->folder, database->name) < 0)
        abort();
    database->marks.fd = -1;
    code = open_parts(database, opening, err);
    atomic_store(&database->format, database->record.format);
    if (code != ERR_NONE)
        database_close(&database);
    *out = database;
    return code;
}

void database_close(struct database **out)
{
    struct database *database = *out;

    *out = NULL;
    if (database == NULL)
        return;
    copier_stop(&database->copier);
    writer_stop(&database->writer);
    segments_close(&database->segments);
    index_close(&database->index);
    crash_marks_close(&database->marks);
    free(database->folder);
    free(database);
}

void database_index_copied_up_to(struct database *database, uint64_t txn)
{
    segments_copied(database->segments, txn);
}
