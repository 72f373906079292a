#include "mailbox-backend/store/remove.h"

#include <inttypes.h>

#include "common/log.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/journal.h"

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

/* ---- removing them ---- */

enum err_code item_place_of(struct batch *batch, struct folder_slot *slot, struct item_place *place,
                            struct err *err)
{
    struct folder_record record;
    enum err_code code = folder_record_get(&slot->mailbox->tx, slot->folder, &record, err);

    if (code != ERR_NONE)
        return code;
    place->for_good = false;
    place->mailbox = slot->mailbox;
    place->folder = slot->folder;
    place->name =
        str_n(arena_copy(&batch->arena, record.name.data, record.name.length), record.name.length);
    return ERR_NONE;
}

void expunge_note(struct batch *batch, const struct folder_slot *slot, const struct uidset *gone,
                  uint64_t modseq)
{
    Journal__Operation *operation = journal_add(batch, slot, modseq);
    Journal__Uids *uids = arena_alloc(&batch->arena, sizeof(*uids));

    journal__uids__init(uids);
    operation->what_case = JOURNAL__OPERATION__WHAT_EXPUNGE;
    operation->expunge = uids;
    operation->expiry = journal_expiry(batch, slot->mailbox);
    uids->n_ranges = gone->count;
    uids->ranges = journal_ranges(batch, gone);
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
    struct store_recovery recovery = {0};
    struct key key = key_item(place->folder, item->uid);
    enum err_code code = tx_remove(tx, TABLE_ITEM, &key, err);

    if (code == ERR_NONE)
        code = summary_remove(tx, place->folder, item->uid, err);
    if (code != ERR_NONE)
        return code;
    if (!place->for_good)
        recovery_of(batch, place->mailbox, &recovery);
    if (recovery.seconds > 0)
        return recoverable_put(batch, place, item, read_modseq, recovery.seconds, err);
    return recoverable_release(batch, tx, item, err);
}
