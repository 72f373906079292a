#include "mailbox-backend/store/remove.h"

#include <inttypes.h>

#include "common/log.h"
#include "mailbox-backend/store/property.h"
#include "mailbox-backend/store/recover.h"

/* ---- finding items ---- */

/* The first row at or behind uid. */
static enum err_code seek_item(const struct folder_slot *slot, uint32_t *uid,
                               struct store_item *item, uint64_t *read_modseq, struct err *err)
{
    struct key key = key_item(slot->folder, *uid);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &slot->mailbox->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE || code == ERR_CORRUPT)
        *uid = get_u32(scan.key.data + 8);
    if (code == ERR_NONE && *uid < slot->state.uid_next) {
        if (item_unpack(scan.value, *uid, item))
            *read_modseq = item_read_modseq(scan.value);
        else
            code = tx_bad_row(&slot->mailbox->tx, TABLE_ITEM, err);
    }
    scan_end(&scan);
    return code;
}

enum err_code item_next_in(const struct folder_slot *slot, const struct uidset *set, uint32_t *uid,
                           struct store_item *item, uint64_t *read_modseq, struct err *err)
{
    while ((*uid = uidset_next(set, *uid)) != 0 && *uid < slot->state.uid_next) {
        uint32_t found = *uid;
        enum err_code code = seek_item(slot, &found, item, read_modseq, err);

        if (code == ERR_CORRUPT)
            log_error(NULL, "mailbox %" PRIu32 ", folder %" PRIu32 ": item %" PRIu32 " is damaged",
                      slot->mailbox->number, slot->folder, found);
        else if (code != ERR_NONE)
            return code;
        if (found >= slot->state.uid_next)
            break;
        *uid = found + (code == ERR_CORRUPT || uidset_has(set, found));
        if (code == ERR_NONE && *uid > found)
            return ERR_NONE;
    }
    return err_set(err, ERR_NOT_FOUND, "no more items");
}

/* ---- recoverable items ---- */

static enum err_code put_aside(struct batch *batch, const struct item_place *place,
                               const struct store_item *item, uint64_t read_modseq, struct err *err)
{
    uint64_t expiry = (uint64_t)batch->now + batch->database->store->settings.recovery_seconds;
    struct key key = key_recoverable(expiry, item->item_id);
    uint8_t row[RECOVERABLE_MOST];

    row[0] = 1;
    put_u32(row + 1, place->folder);
    put_u32(row + 5, item->uid);
    put_u64(row + 9, (uint64_t)batch->now);
    item_pack(row + RECOVERABLE_HEAD, item, read_modseq);
    memcpy(row + RECOVERABLE_HEAD + ITEM_ROW, place->name.data, place->name.length);
    return tx_put(&place->mailbox->tx, TABLE_RECOVERABLE, &key, row,
                  RECOVERABLE_HEAD + ITEM_ROW + place->name.length, err);
}

/* Damaged content must not keep an item from going. */
static enum err_code release(struct batch *batch, const struct tx *tx,
                             const struct store_item *item, struct err *err)
{
    enum err_code code = batch_content_drop(batch, item->content_id, err);

    if (code == ERR_CORRUPT || code == ERR_NOT_FOUND) {
        log_error(batch->database->name, "content %" PRIu64 ": %s", item->content_id, err->text);
        code = ERR_NONE;
    }
    if (code == ERR_NONE)
        code = properties_remove(tx, 0, item->item_id, err);
    return code;
}

enum err_code summary_remove(const struct tx *tx, uint32_t folder, uint32_t uid, struct err *err)
{
    struct key key = key_item(folder, uid);
    enum err_code code = tx_remove(tx, TABLE_SUMMARY, &key, err);

    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code item_drop(struct batch *batch, const struct item_place *place,
                        const struct store_item *item, uint64_t read_modseq, struct err *err)
{
    const struct tx *tx = &place->mailbox->tx;
    struct key key = key_item(place->folder, item->uid);
    enum err_code code = tx_remove(tx, TABLE_ITEM, &key, err);

    if (code == ERR_NONE)
        code = summary_remove(tx, place->folder, item->uid, err);
    if (code != ERR_NONE)
        return code;
    if (!place->for_good && batch->database->store->settings.recovery_seconds > 0)
        return put_aside(batch, place, item, read_modseq, err);
    return release(batch, tx, item, err);
}

bool recoverable_unpack(struct bytes row, struct store_item *item)
{
    return row.length >= RECOVERABLE_HEAD + ITEM_ROW && row.data[0] == 1 &&
           item_unpack((struct bytes){row.data + RECOVERABLE_HEAD, ITEM_ROW}, get_u32(row.data + 5),
                       item);
}

enum err_code recoverable_drop(struct batch *batch, const struct tx *tx, struct key *key,
                               const struct store_item *item, struct err *err)
{
    enum err_code code = release(batch, tx, item, err);

    return code == ERR_NONE ? tx_remove(tx, TABLE_RECOVERABLE, key, err) : code;
}

/* The first recoverable row of the mailbox: its key, and what it holds. */
static enum err_code first_row(const struct tx *tx, struct key *key, struct store_item *item,
                               struct err *err)
{
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    *key = key_first();
    *item = (struct store_item){0};
    if (code == ERR_NONE)
        code = scan_seek(&scan, key, err);
    if (code == ERR_NONE || code == ERR_CORRUPT) {
        *key = key_recoverable(get_u64(scan.key.data + 4), get_u48(scan.key.data + 12));
        if (code == ERR_NONE && !recoverable_unpack(scan.value, item))
            code = ERR_CORRUPT;
    }
    scan_end(&scan);
    return code;
}

enum err_code recoverable_purge(struct batch *batch, uint32_t mailbox, uint64_t until,
                                unsigned most, unsigned *dropped, struct err *err)
{
    struct tx tx = {batch->txn, mailbox};
    enum err_code code = ERR_NONE;

    for (*dropped = 0; *dropped < most && code == ERR_NONE; ++*dropped) {
        struct store_item item;
        struct key key;

        code = first_row(&tx, &key, &item, err);
        if ((code != ERR_NONE && code != ERR_CORRUPT) || get_u64(key.bytes + 4) > until)
            break;
        if (code == ERR_CORRUPT)
            log_error(batch->database->name, "mailbox %" PRIu32 ": a recoverable row is damaged",
                      mailbox);
        else if ((code = release(batch, &tx, &item, err)) != ERR_NONE)
            break;
        code = tx_remove(&tx, TABLE_RECOVERABLE, &key, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code recoverable_mailbox(struct index_txn *txn, uint32_t number, uint32_t *mailbox,
                                  struct err *err)
{
    struct tx tx = {txn, number};
    struct key key = key_first();
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_RECOVERABLE, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_CORRUPT)
        code = ERR_NONE; /* the key is good */
    if (code == ERR_NONE)
        *mailbox = get_u32(scan.key.data);
    scan_end(&scan);
    return code;
}
