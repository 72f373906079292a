#include "mailbox-backend/store/recoverable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/property.h"

/* ---- rows ---- */

bool recoverable_unpack(struct bytes row, struct store_recoverable *entry)
{
    size_t name;

    if (row.length < RECOVERABLE_HEAD + ITEM_ROW || row.length > RECOVERABLE_MOST ||
        row.data[0] != 1)
        return false;
    name = row.length - RECOVERABLE_HEAD - ITEM_ROW;
    entry->folder = get_u32(row.data + 1);
    entry->removed = (int64_t)get_u64(row.data + 9);
    memcpy(entry->name, row.data + RECOVERABLE_HEAD + ITEM_ROW, name);
    entry->name[name] = '\0';
    return item_unpack((struct bytes){row.data + RECOVERABLE_HEAD, ITEM_ROW}, get_u32(row.data + 5),
                       &entry->item);
}

/* ---- counting ---- */

enum err_code recoverable_sum(const struct tx *tx, struct store_usage *sum, struct err *err)
{
    struct key key = key_first();
    struct store_recoverable entry;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    *sum = (struct store_usage){0};
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        if (code == ERR_CORRUPT || !recoverable_unpack(scan.value, &entry))
            continue;
        sum->messages++;
        sum->bytes += entry.item.size;
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static bool is_counted(const struct mailbox_slot *slot)
{
    return slot->present && slot->state.counts_recoverable;
}

static void count_in(struct batch *batch, struct mailbox_slot *slot, const struct store_item *item)
{
    if (!is_counted(slot))
        return;
    mailbox_slot_change(batch, slot);
    slot->state.recoverable_messages++;
    slot->state.recoverable_bytes += item->size;
}

static void count_out(struct batch *batch, struct mailbox_slot *slot, const struct store_item *item)
{
    struct mailbox_state *state = &slot->state;

    if (!is_counted(slot))
        return;
    mailbox_slot_change(batch, slot);
    state->recoverable_messages -= state->recoverable_messages > 0;
    state->recoverable_bytes -=
        item->size < state->recoverable_bytes ? item->size : state->recoverable_bytes;
}

/* A damaged row has gone: nobody knows how much that was. */
static enum err_code count_anew(struct batch *batch, struct mailbox_slot *slot, struct err *err)
{
    struct store_usage sum;
    enum err_code code;

    if (!is_counted(slot))
        return ERR_NONE;
    code = recoverable_sum(&slot->tx, &sum, err);
    if (code != ERR_NONE)
        return code;
    mailbox_slot_change(batch, slot);
    slot->state.recoverable_messages = sum.messages;
    slot->state.recoverable_bytes = sum.bytes;
    return ERR_NONE;
}

/* ---- how long, how much ---- */

static bool guid_of_slot(const struct mailbox_slot *slot, struct store_guid *guid)
{
    struct tx tx = {slot->tx.txn, 0};
    struct key key = key_number(slot->number);
    struct mailbox_record record;
    struct bytes row;

    if (slot->mailbox != NULL) {
        *guid = slot->mailbox->guid;
        return true;
    }
    if (tx_get(&tx, TABLE_MAILBOX, &key, &row, NULL) != ERR_NONE || !mailbox_unpack(row, &record))
        return false;
    *guid = record.guid;
    return true;
}

void slot_guid_text(const struct mailbox_slot *slot, char text[2 * sizeof(struct store_guid) + 1])
{
    struct store_guid guid = {0};

    guid_of_slot(slot, &guid);
    for (size_t i = 0; i < sizeof(guid.bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", guid.bytes[i]);
}

bool recovery_of(struct batch *batch, struct mailbox_slot *slot, struct store_recovery *recovery)
{
    const struct store_settings *settings = &batch->database->store->settings;
    struct store_guid guid;

    if (!slot->recovery_asked) { /* once a batch */
        slot->recovery_asked = true;
        slot->recovery.seconds = settings->recovery_seconds;
        slot->recovery.quota = settings->recovery_quota;
        slot->recovery_known =
            settings->recovery_of == NULL ||
            (guid_of_slot(slot, &guid) &&
             settings->recovery_of(settings->recovery_context, &guid, &slot->recovery));
    }
    *recovery = slot->recovery;
    return slot->recovery_known;
}

/* ---- coming and going ---- */

enum err_code recoverable_put(struct batch *batch, const struct item_place *place,
                              const struct store_item *item, uint64_t read_modseq, uint64_t seconds,
                              struct err *err)
{
    struct key key = key_recoverable((uint64_t)batch->now + seconds, item->item_id);
    uint8_t row[RECOVERABLE_MOST];

    row[0] = 1;
    put_u32(row + 1, place->folder);
    put_u32(row + 5, item->uid);
    put_u64(row + 9, (uint64_t)batch->now);
    item_pack(row + RECOVERABLE_HEAD, item, read_modseq);
    memcpy(row + RECOVERABLE_HEAD + ITEM_ROW, place->name.data, place->name.length);
    count_in(batch, place->mailbox, item);
    return tx_put(&place->mailbox->tx, TABLE_RECOVERABLE, &key, row,
                  RECOVERABLE_HEAD + ITEM_ROW + place->name.length, err);
}

enum err_code recoverable_take(struct batch *batch, struct mailbox_slot *slot, struct key *key,
                               const struct store_item *item, struct err *err)
{
    count_out(batch, slot, item);
    return tx_remove(&slot->tx, TABLE_RECOVERABLE, key, err);
}

/* Damaged content must not keep an item from going. */
enum err_code recoverable_release(struct batch *batch, const struct tx *tx,
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

enum err_code recoverable_drop(struct batch *batch, struct mailbox_slot *slot, struct key *key,
                               const struct store_item *item, struct err *err)
{
    enum err_code code = recoverable_release(batch, &slot->tx, item, err);

    return code == ERR_NONE ? recoverable_take(batch, slot, key, item, err) : code;
}

/* The first recoverable row of the mailbox: its key, and what it holds. */
static enum err_code first_row(const struct tx *tx, struct key *key,
                               struct store_recoverable *entry, struct err *err)
{
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    *key = key_first();
    if (code == ERR_NONE)
        code = scan_seek(&scan, key, err);
    if (code == ERR_NONE || code == ERR_CORRUPT) {
        *key = key_recoverable(get_u64(scan.key.data + 4), get_u48(scan.key.data + 12));
        if (code == ERR_NONE && !recoverable_unpack(scan.value, entry))
            code = ERR_CORRUPT;
    }
    scan_end(&scan);
    return code;
}

static enum err_code drop_damaged(struct batch *batch, struct mailbox_slot *slot, struct key *key,
                                  struct err *err)
{
    enum err_code code;

    log_error(batch->database->name, "mailbox %" PRIu32 ": a recoverable row is damaged and goes",
              slot->number);
    code = tx_remove(&slot->tx, TABLE_RECOVERABLE, key, err);
    return code == ERR_NONE ? count_anew(batch, slot, err) : code;
}

enum err_code recoverable_drop_first(struct batch *batch, struct mailbox_slot *slot, uint64_t until,
                                     struct store_usage *dropped, struct err *err)
{
    struct store_recoverable entry;
    struct key key;
    enum err_code code = first_row(&slot->tx, &key, &entry, err);

    if (code != ERR_NONE && code != ERR_CORRUPT)
        return code;
    if (get_u64(key.bytes + 4) > until)
        return err_set(err, ERR_NOT_FOUND, "none expires by then");
    journal_purged(batch, slot, get_u48(key.bytes + 12));
    if (code == ERR_CORRUPT)
        return drop_damaged(batch, slot, &key, err);
    dropped->messages++;
    dropped->bytes += entry.item.size;
    return recoverable_drop(batch, slot, &key, &entry.item, err);
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
