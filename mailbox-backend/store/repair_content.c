/* Contents and the segments that they are in: rows, uses, live bytes, and texts that nothing uses. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/repair.h"

static enum err_code get(struct mend_run *run, struct key *key, struct bytes *row,
                         struct content_head *head, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    enum err_code code;

    *key = key_content(run->mend->number);
    code = tx_get(&tx, TABLE_CONTENT, key, row, err);
    if (code == ERR_NONE && !content_head_unpack(*row, head))
        code = tx_bad_row(&tx, TABLE_CONTENT, err);
    return code;
}

static enum err_code put(struct mend_run *run, struct key *key, struct bytes row,
                         const struct content_head *head, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    uint8_t *copy = (uint8_t *)arena_copy(&run->batch->arena, row.data, row.length);

    content_head_pack(copy, head);
    return tx_put(&tx, TABLE_CONTENT, key, copy, row.length, err);
}

/* ---- uses ---- */

enum err_code mend_references(struct mend_run *run, struct err *err)
{
    struct content_head head;
    struct bytes row;
    struct key key;
    int64_t references;
    enum err_code code = get(run, &key, &row, &head, err);

    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
    references = (int64_t)head.references + run->mend->difference;
    if (references < 1 || references > UINT32_MAX)
        return ERR_NONE;
    head.references = (uint32_t)references;
    mend_say(run, "it counts %" PRIu32 " uses now", head.references);
    return put(run, &key, row, &head, err);
}

/* ---- live bytes ---- */

enum err_code mend_live(struct mend_run *run, struct err *err)
{
    (void)err;
    if (segments_adjust_live(run->batch->database->segments, (uint32_t)run->mend->number,
                             run->mend->difference))
        mend_say(run, "it counts %+" PRId64 " bytes now", run->mend->difference);
    return ERR_NONE;
}

/* ---- a file's header ---- */

enum err_code mend_file(struct mend_run *run, struct err *err)
{
    (void)err;
    if (segments_mend_header(run->batch->database->segments, (uint32_t)run->mend->number))
        mend_say(run, "the file's header is written anew: its records are of this segment");
    return ERR_NONE;
}

/* ---- a row that is lost ---- */

enum err_code mend_content(struct mend_run *run, struct err *err)
{
    const struct evidence *evidence = &run->task->evidence;
    struct content_head head = {evidence->references, evidence->size, evidence->pieces};
    size_t length = CONTENT_HEAD + (size_t)evidence->pieces * PIECE_ROW;
    struct tx tx = {run->batch->txn, 0};
    struct content_head there;
    struct bytes old;
    struct key key;
    uint8_t *row;
    enum err_code code = get(run, &key, &old, &there, err);

    if (code == ERR_NONE || !evidence->found)
        return ERR_NONE;
    if (code != ERR_NOT_FOUND && code != ERR_CORRUPT)
        return code;
    row = arena_alloc(&run->batch->arena, length);
    content_head_pack(row, &head);
    for (uint32_t i = 0; i < evidence->pieces; i++)
        piece_pack(row, i, &evidence->piece[i]);
    mend_say(run, evidence->of_row ? "the row is made anew from its own pieces, which are whole"
                                   : "the row is made anew from operation records");
    return tx_put(&tx, TABLE_CONTENT, &key, row, length, err);
}

/* ---- a text that nothing uses ---- */

/* The bytes are saved: its room is given back. */
static enum err_code drop(struct mend_run *run, struct key *key, struct bytes row,
                          const struct content_head *head, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};

    for (uint32_t i = 0; i < head->pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        segments_count(run->batch->database->segments, &piece, -1);
    }
    mend_say(run, "it is in the file " FOUND_FOLDER "/content-%" PRIu64 " of the database's folder",
             run->mend->number);
    return tx_remove(&tx, TABLE_CONTENT, key, err);
}

static enum err_code owner_of(struct mend_run *run, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_guid(run->task->evidence.owner.bytes);
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_GUID, &key, &row, err);

    if (code == ERR_NONE)
        run->tx.mailbox = row.length == 4 ? get_u32(row.data) : 0;
    if (code == ERR_NONE && (run->tx.mailbox == 0 || mend_is_going(run, 0)))
        code = err_set(err, ERR_NOT_FOUND, "the mailbox is gone");
    return code;
}

/* A new item in the owner's folder for such things. */
static enum err_code give_back(struct mend_run *run, const struct content_head *head,
                               struct err *err)
{
    struct store_item item = run->task->evidence.item;
    struct mailbox_slot *mailbox;
    struct folder_slot *folder;
    enum err_code code = mend_mailbox_slot(run, &mailbox, err);

    if (code == ERR_NONE)
        code = mend_recovered(run, mailbox, &folder, err);
    if (code == ERR_NONE)
        code = insert_uids(run->batch, folder, 1, &item.uid, err);
    if (code != ERR_NONE)
        return code;
    item.modseq = batch_modseq(run->batch, folder, CHANGE_NEW);
    item.item_id = mailbox->state.next_item++;
    item.save_date = run->batch->now;
    item.size = head->size;
    item.flags.system &= FLAG_ALL & ~(unsigned)FLAG_DELETED;
    item.flags.keywords[0] = item.flags.keywords[1] = 0;
    folder_count(run->batch, folder, &item, 1);
    mailbox_count(run->batch, mailbox, &item, 1);
    item_note(run->batch, folder, &item, &(struct store_keyword_names){0});
    mend_say(run, "the message is in its owner's folder %s now, with uid %" PRIu32, RECOVERED_NAME,
             item.uid);
    code = item_put(folder, &item, item.modseq, err);
    return code == ERR_NONE ? blocks_close(folder, item.uid, 1, err) : code;
}

enum err_code mend_orphan(struct mend_run *run, struct err *err)
{
    struct content_head head;
    struct bytes row;
    struct key key;
    enum err_code code = get(run, &key, &row, &head, err);

    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
    if (run->task->saved)
        return drop(run, &key, row, &head, err);
    if (!run->task->evidence.found || owner_of(run, NULL) != ERR_NONE)
        return ERR_NONE;
    head.references = 1;
    code = put(run, &key, row, &head, err);
    return code == ERR_NONE ? give_back(run, &head, err) : code;
}
