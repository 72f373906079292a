/* What an administrator sees of one database. */
#include <stdio.h>

#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/mount.h"

static enum err_code read_own_row(struct database *database, struct database_status *status,
                                  struct err *err)
{
    struct tx tx = {NULL, 0};
    struct key key = key_number(0);
    struct database_record record;
    struct bytes row;
    enum err_code code = index_read_begin(database->index, &tx.txn, err);

    if (code != ERR_NONE)
        return code;
    code = tx_get(&tx, TABLE_SEGMENT, &key, &row, err);
    if (code == ERR_NONE && !database_unpack(row, &record))
        code = tx_bad_row(&tx, TABLE_SEGMENT, err);
    if (code == ERR_NONE) {
        status->created = record.created;
        status->format = record.format;
        status->upgrading = record.upgrade_next != 0;
    }
    index_read_end(&tx.txn);
    return code;
}

enum err_code store_database_status(struct store *store, unsigned number,
                                    struct database_status *status, struct err *err)
{
    struct segments_size segments;
    struct index_size index;
    struct database *database;
    enum err_code code;

    *status = (struct database_status){0};
    code = store_mounted(store, number, &database, err);
    if (code == ERR_NOT_FOUND)
        return code;
    snprintf(status->name, sizeof(status->name), "db%u", number + 1);
    if (code != ERR_NONE) {
        store_why_unmounted(store, number, status->why);
        return ERR_NONE;
    }
    status->mounted = true;
    code = index_measure(database->index, &index, err);
    if (code == ERR_NONE)
        code = read_own_row(database, status, err);
    if (code != ERR_NONE)
        return code;
    segments_measure(database->segments, &segments);
    copier_status(database, &status->copied, &status->copy_bytes);
    status->mailboxes = index.guids;
    status->items = index.items;
    status->index_bytes = index.bytes;
    status->index_map = index.map;
    status->content_bytes = segments.live;
    status->segment_bytes = segments.disk;
    status->segment_free = segments.free;
    status->segments_erasing = segments.erasing;
    status->commits = atomic_load(&database->commits);
    status->operations = atomic_load(&database->operations);
    return ERR_NONE;
}
