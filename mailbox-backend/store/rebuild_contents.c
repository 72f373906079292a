/* Doing again what an operation did to contents, and to items that can be recovered. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/rebuild_replay.h"
#include "mailbox-backend/store/recoverable.h"

/* ---- contents ---- */

static enum err_code content_put(const struct replay *replay, uint64_t id, uint32_t references,
                                 uint64_t size, Journal__Piece **pieces, size_t count,
                                 struct err *err)
{
    struct content_head head = {references, size, (uint32_t)count};
    uint8_t *row = mem_alloc(CONTENT_HEAD + count * PIECE_ROW);
    struct tx tx = {replay->batch->txn, 0};
    struct key key = key_content(id);
    enum err_code code;

    content_head_pack(row, &head);
    for (size_t i = 0; i < count; i++) {
        const struct piece place = {pieces[i]->segment, pieces[i]->offset, pieces[i]->stored,
                                    pieces[i]->real};

        piece_pack(row, (uint32_t)i, &place);
    }
    if (replay->batch->record.next_content <= id)
        replay->batch->record.next_content = id + 1;
    code = tx_put(&tx, TABLE_CONTENT, &key, row, CONTENT_HEAD + count * PIECE_ROW, err);
    free(row);
    return code;
}

static enum err_code content_get(const struct replay *replay, uint64_t id,
                                 struct content_head *head, struct err *err)
{
    struct tx tx = {replay->batch->txn, 0};
    struct key key = key_content(id);
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_CONTENT, &key, &row, err);

    if (code == ERR_NONE && !content_head_unpack(row, head))
        code = tx_bad_row(&tx, TABLE_CONTENT, err);
    return code;
}

static uint64_t size_of(Journal__Piece **pieces, size_t count)
{
    uint64_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += pieces[i]->real;
    return size;
}

/* Without a copy nothing but this may tell of a content: nobody refers to it then. */
enum err_code replay_content(const struct replay *replay, struct err *err)
{
    const Journal__Content *set = replay->op->content_set;
    struct content_head head = {0};
    enum err_code code = content_get(replay, set->content_id, &head, err);

    if (code == ERR_NOT_FOUND && replay->rebuild->result->from_copy)
        return ERR_NONE; /* it was dropped when what used it was, not when its turn came */
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        return code;
    return content_put(replay, set->content_id, head.references,
                       size_of(set->pieces, set->n_pieces), set->pieces, set->n_pieces, err);
}

enum err_code replay_take_content(const struct replay *replay, struct err *err)
{
    const Journal__Append *append = replay->op->append;
    struct content_head head;
    enum err_code code;

    code = content_get(replay, append->content_id, &head, err);
    if (code == ERR_NOT_FOUND && (append->n_pieces > 0 || append->size == 0))
        return content_put(replay, append->content_id, 1, append->size, append->pieces,
                           append->n_pieces, err);
    return code == ERR_NONE ? batch_content_add(replay->batch, append->content_id, err) : code;
}

/* ---- recoverable items ---- */

static bool is_wanted(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Finds one of the items at or behind *key, which becomes its key. */
static enum err_code find_recoverable(const struct tx *tx, const uint64_t *ids, size_t count,
                                      struct key *key, struct store_recoverable *entry,
                                      struct err *err)
{
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        uint64_t id = get_u48(scan.key.data + 12);

        if (code == ERR_NONE && is_wanted(ids, count, id) &&
            recoverable_unpack(scan.value, entry)) {
            *key = key_recoverable(get_u64(scan.key.data + 4), id);
            break;
        }
    }
    scan_end(&scan);
    return code;
}

enum err_code replay_purge(const struct replay *replay, struct err *err)
{
    const Journal__Items *purge = replay->op->purge;
    struct key key = key_recoverable(0, 0);
    enum err_code code = ERR_NONE;

    for (size_t left = purge->n_item_ids; left > 0 && code == ERR_NONE; left--) {
        struct store_recoverable entry;

        code = find_recoverable(&replay->mailbox->tx, purge->item_ids, purge->n_item_ids, &key,
                                &entry, err);
        if (code == ERR_NONE)
            code = recoverable_drop(replay->batch, replay->mailbox, &key, &entry.item, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code replay_take_back(const struct replay *replay, struct store_item *item,
                               struct err *err)
{
    struct key key = key_recoverable(0, 0);
    struct store_recoverable was;
    enum err_code code = find_recoverable(&replay->mailbox->tx, &item->item_id, 1, &key, &was, err);

    if (code != ERR_NONE)
        return code;
    if (was.folder == replay->op->folder)
        memcpy(item->flags.keywords, was.item.flags.keywords, sizeof(item->flags.keywords));
    return recoverable_take(replay->batch, replay->mailbox, &key, &was.item, err);
}
