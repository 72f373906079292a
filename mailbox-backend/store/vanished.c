#include "mailbox-backend/store/vanished.h"

static enum err_code drop_oldest(struct folder_slot *slot, struct err *err)
{
    struct key key = key_vanished(slot->folder, 0);
    struct tx_scan scan;
    uint64_t modseq = 0;
    enum err_code code = scan_begin(&scan, &slot->mailbox->tx, TABLE_VANISHED, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE || code == ERR_CORRUPT)
        modseq = get_u64(scan.key.data + 8);
    scan_end(&scan);
    if (modseq == 0)
        return code;
    key = key_vanished(slot->folder, modseq);
    code = tx_remove(&slot->mailbox->tx, TABLE_VANISHED, &key, err);
    slot->state.vanished_floor = modseq;
    slot->state.vanished_rows--;
    return code;
}

enum err_code vanished_put(struct batch *batch, struct folder_slot *slot, uint64_t modseq,
                           const struct uidset *gone, struct err *err)
{
    struct key key = key_vanished(slot->folder, modseq);
    struct buf row = {0};
    enum err_code code;

    folder_slot_change(batch, slot, CHANGE_GONE);
    ranges_pack(&row, gone);
    code = tx_put(&slot->mailbox->tx, TABLE_VANISHED, &key, buf_bytes(&row), buf_length(&row), err);
    buf_release(&row);
    slot->state.vanished_rows++;
    if (code == ERR_NONE && slot->state.vanished_rows > VANISHED_ROWS_MOST)
        code = drop_oldest(slot, err);
    return code;
}

/* Adds the ranges of all rows behind modseq. */
static enum err_code collect(struct store_read *read, uint32_t folder, uint64_t modseq,
                             struct uidset *set, struct err *err)
{
    struct key key = key_vanished(folder, modseq + 1);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &read->tx, TABLE_VANISHED, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE) {
        if (!ranges_unpack(scan.value, set))
            code = tx_bad_row(&read->tx, TABLE_VANISHED, err);
        else
            code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code store_vanished(struct store_read *read, uint32_t folder, uint64_t modseq,
                             struct uidset *set, bool *complete, struct err *err)
{
    struct key key = key_item(folder, KEY_STATE);
    struct folder_state state = {0};
    struct bytes row;
    enum err_code code;

    *complete = false;
    if (folder == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    code = tx_get(&read->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !folder_state_unpack(row, &state))
        code = tx_bad_row(&read->tx, TABLE_ITEM, err);
    if (code != ERR_NONE)
        return code;
    *complete = modseq >= state.vanished_floor;
    return modseq == UINT64_MAX ? ERR_NONE : collect(read, folder, modseq, set, err);
}
