#include "mailbox-backend/store/insert.h"

#include <inttypes.h>

enum err_code quota_check(const struct mailbox_slot *mailbox, uint64_t bytes, uint64_t messages,
                          uint64_t quota_bytes, uint64_t quota_messages, struct err *err)
{
    const struct mailbox_state *state = &mailbox->state;

    if (quota_bytes != 0 && (bytes > quota_bytes || state->bytes > quota_bytes - bytes))
        return err_set(err, ERR_LIMIT, "over quota: %" PRIu64 " of %" PRIu64 " bytes are in use",
                       state->bytes, quota_bytes);
    if (quota_messages != 0 &&
        (messages > quota_messages || state->messages > quota_messages - messages))
        return err_set(err, ERR_LIMIT, "over quota: %" PRIu64 " of %" PRIu64 " messages are in use",
                       state->messages, quota_messages);
    return ERR_NONE;
}

enum err_code insert_uids(struct batch *batch, struct folder_slot *slot, uint32_t count,
                          uint32_t *first, struct err *err)
{
    if (count > UID_MAX - slot->state.uid_next)
        return err_set(err, ERR_LIMIT, "the folder has no uids left");
    folder_slot_change(batch, slot, CHANGE_NEW);
    *first = slot->state.uid_next;
    slot->state.uid_next += count;
    if (slot->arrived == 0) /* kept when the unit is undone: the uid is given again then */
        slot->arrived = *first;
    return ERR_NONE;
}

void folder_count(struct batch *batch, struct folder_slot *slot, const struct store_item *item,
                  int sign)
{
    struct folder_state *state = &slot->state;
    uint32_t one = sign > 0 ? 1 : UINT32_MAX; /* unsigned arithmetic wraps to the right value */

    folder_slot_change(batch, slot, 0);
    state->messages += one;
    state->bytes += sign > 0 ? item->size : 0 - item->size;
    if ((item->flags.system & FLAG_SEEN) == 0)
        state->unseen += one;
    if ((item->flags.system & FLAG_DELETED) != 0)
        state->deleted += one;
}

void mailbox_count(struct batch *batch, struct mailbox_slot *slot, const struct store_item *item,
                   int sign)
{
    mailbox_slot_change(batch, slot);
    slot->state.messages += sign > 0 ? 1 : UINT64_MAX;
    slot->state.bytes += sign > 0 ? item->size : 0 - item->size;
}

enum err_code item_put(const struct folder_slot *slot, const struct store_item *item,
                       uint64_t read_modseq, struct err *err)
{
    struct key key = key_item(slot->folder, item->uid);
    uint8_t row[ITEM_ROW];

    item_pack(row, item, read_modseq);
    return tx_put(&slot->mailbox->tx, TABLE_ITEM, &key, row, sizeof(row), err);
}

static enum err_code put_block(const struct folder_slot *slot, uint32_t block, uint64_t modseq,
                               struct err *err)
{
    struct key key = key_block(slot->folder, block);
    uint8_t row[8];

    put_u64(row, modseq);
    return tx_put(&slot->mailbox->tx, TABLE_BLOCK, &key, row, sizeof(row), err);
}

enum err_code blocks_close(const struct folder_slot *slot, uint32_t first, uint32_t count,
                           struct err *err)
{
    uint32_t from = (first + BLOCK_UIDS - 1) / BLOCK_UIDS; /* blocks that begin among the uids */
    uint32_t to = (uint32_t)(((uint64_t)first + count - 1) / BLOCK_UIDS);
    enum err_code code = ERR_NONE;

    for (uint32_t block = from; block <= to && block > 0 && code == ERR_NONE; block++)
        code = put_block(slot, block - 1, slot->state.highest_modseq, err);
    return code;
}

enum err_code block_touch(const struct folder_slot *slot, uint32_t uid, uint64_t modseq,
                          struct err *err)
{
    uint32_t block = uid / BLOCK_UIDS;

    if (block == (slot->state.uid_next - 1) / BLOCK_UIDS)
        return ERR_NONE;
    return put_block(slot, block, modseq, err);
}
