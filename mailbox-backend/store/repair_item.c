/* Rows of items, in folders and recoverable ones. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/repair.h"
#include "mailbox-backend/store/vanished.h"

/* ---- what a row says ---- */

struct mended_item {
    struct mailbox_slot *mailbox;
    struct folder_slot *folder;
    struct store_item item;
    uint64_t read_modseq;
};

static enum err_code load(struct mend_run *run, struct mended_item *mended, struct err *err)
{
    uint32_t uid = run->mend->place.uid;
    struct key key = key_item(run->mend->place.folder, uid);
    struct bytes row;
    enum err_code code =
        mend_folder_slot(run, run->mend->place.folder, &mended->mailbox, &mended->folder, err);

    if (code == ERR_NONE)
        code = tx_get(&run->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !item_unpack(row, uid, &mended->item))
        code = tx_bad_row(&run->tx, TABLE_ITEM, err);
    if (code == ERR_NONE)
        mended->read_modseq = item_read_modseq(row);
    return code;
}

/* Counts follow when the folder is compared. */
static void raise_marks(struct mend_run *run, struct mended_item *mended)
{
    struct folder_state *state = &mended->folder->state;
    struct mailbox_state *counters = &mended->mailbox->state;
    const struct store_item *item = &mended->item;
    uint64_t modseq = item->modseq > mended->read_modseq ? item->modseq : mended->read_modseq;

    folder_slot_change(run->batch, mended->folder, CHANGE_FLAGS | CHANGE_NEW);
    mailbox_slot_change(run->batch, mended->mailbox);
    if (item->uid >= state->uid_next && item->uid < UID_MAX && state->claim_count == 0) {
        state->uid_next = item->uid + 1;
        mend_say(run, "UIDNEXT is raised to %" PRIu32, state->uid_next);
    }
    if (modseq > state->highest_modseq) {
        state->highest_modseq = modseq;
        mend_say(run, "HIGHESTMODSEQ is raised to %" PRIu64, modseq);
    }
    if (modseq > counters->modseq)
        counters->modseq = modseq;
    if (item->item_id >= counters->next_item) {
        counters->next_item = item->item_id + 1;
        mend_say(run, "the next number of a message is raised");
    }
}

/* ---- sizes ---- */

/* The content's size, when its pieces agree with it. */
static bool size_of(struct mend_run *run, uint64_t content, uint64_t *size)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_content(content);
    struct content_head head;
    struct bytes row;
    uint64_t sum = 0;

    if (tx_get(&tx, TABLE_CONTENT, &key, &row, NULL) != ERR_NONE ||
        !content_head_unpack(row, &head))
        return false;
    for (uint32_t i = 0; i < head.pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        sum += piece.real;
    }
    *size = head.size;
    return sum == head.size;
}

static enum err_code mend_sizes(struct mend_run *run, struct mended_item *mended, struct err *err)
{
    struct store_item fixed = mended->item;
    enum err_code code;

    if (size_of(run, fixed.content_id, &fixed.size) && fixed.size != mended->item.size)
        mend_say(run, "its size is %" PRIu64 " bytes now", fixed.size);
    else
        fixed.size = mended->item.size;
    if (fixed.header_size > fixed.size) {
        fixed.header_size = (uint32_t)fixed.size;
        mend_say(run, "its header counts as all of it");
    }
    if (fixed.size == mended->item.size && fixed.header_size == mended->item.header_size)
        return ERR_NONE;
    folder_count(run->batch, mended->folder, &mended->item, -1);
    mailbox_count(run->batch, mended->mailbox, &mended->item, -1);
    fixed.modseq = batch_modseq(run->batch, mended->folder, CHANGE_FLAGS);
    folder_count(run->batch, mended->folder, &fixed, 1);
    mailbox_count(run->batch, mended->mailbox, &fixed, 1);
    code = item_put(mended->folder, &fixed, mended->read_modseq, err);
    return code == ERR_NONE ? block_touch(mended->folder, fixed.uid, fixed.modseq, err) : code;
}

enum err_code mend_item(struct mend_run *run, struct err *err)
{
    struct mended_item mended = {0};
    enum err_code code = load(run, &mended, err);

    if (code == ERR_NOT_FOUND || code == ERR_CORRUPT)
        return ERR_NONE; /* gone meanwhile, or told by itself */
    if (code != ERR_NONE)
        return code;
    raise_marks(run, &mended);
    code = mend_keywords(run, mended.folder, mended.item.flags.keywords, err);
    return code == ERR_NONE ? mend_sizes(run, &mended, err) : code;
}

/* ---- what it says of its content ---- */

enum err_code mend_facts(struct mend_run *run, struct err *err)
{
    const struct mend *mend = run->mend;
    struct mended_item mended = {0};
    struct store_item *item = &mended.item;
    enum err_code code = load(run, &mended, err);

    if (code == ERR_NOT_FOUND || code == ERR_CORRUPT ||
        (code == ERR_NONE && item->content_id != mend->number))
        return ERR_NONE; /* gone meanwhile, or told by itself */
    if (code != ERR_NONE)
        return code;
    item->header_size = mend->facts.header_size;
    item->no_final_newline = mend->facts.no_final_newline;
    item->thread_id = mend->facts.thread_id;
    item->modseq = batch_modseq(run->batch, mended.folder, CHANGE_FLAGS);
    mend_say(run, "it says now what its text says");
    code = item_put(mended.folder, item, mended.read_modseq, err);
    return code == ERR_NONE ? block_touch(mended.folder, item->uid, item->modseq, err) : code;
}

/* ---- a damaged row ---- */

/* The folder may have no room for a keyword: it is left out. */
static void set_keywords(struct mend_run *run, struct folder_slot *folder, struct store_item *item)
{
    const struct evidence *evidence = &run->task->evidence;

    if (evidence->of_row) { /* bits of this folder */
        mend_keywords(run, folder, item->flags.keywords, NULL);
        return;
    }
    item->flags.keywords[0] = item->flags.keywords[1] = 0;
    for (unsigned i = 0; i < evidence->keyword_count; i++) {
        const struct store_keyword_names name = {&evidence->keywords[i], 1};
        uint64_t bits[2];

        if (batch_keywords(run->batch, folder, &name, true, bits, NULL) != ERR_NONE)
            continue;
        item->flags.keywords[0] |= bits[0];
        item->flags.keywords[1] |= bits[1];
    }
}

static enum err_code restore(struct mend_run *run, struct folder_slot *folder, struct err *err)
{
    struct store_item item = run->task->evidence.item;
    enum err_code code;

    item.uid = run->mend->place.uid;
    item.flags.system &= FLAG_ALL;
    set_keywords(run, folder, &item);
    item.modseq = batch_modseq(run->batch, folder, CHANGE_FLAGS | CHANGE_NEW);
    mend_say(run, run->task->evidence.of_row
                      ? "the message is kept; its flags and dates are as the damaged row has them"
                      : "the row is made anew from operation records; flags are as at delivery");
    code = item_put(folder, &item, item.modseq, err);
    return code == ERR_NONE ? block_touch(folder, item.uid, item.modseq, err) : code;
}

static enum err_code give_up(struct mend_run *run, struct folder_slot *folder, struct err *err)
{
    uint32_t uid = run->mend->place.uid;
    struct key key = key_item(run->mend->place.folder, uid);
    struct uidset gone = {0};
    enum err_code code = mend_remove_row(run, TABLE_ITEM, key, err);

    if (code == ERR_NONE)
        code = summary_remove(&run->tx, run->mend->place.folder, uid, err);
    uidset_add(&gone, uid);
    if (code == ERR_NONE)
        code = vanished_put(run->batch, folder, batch_modseq(run->batch, folder, CHANGE_GONE),
                            &gone, err);
    uidset_release(&gone);
    mend_say(run, "lost from the folder: nothing tells which text it had; that is kept as a text "
                  "without a message");
    return code;
}

/* The row is still there and still damaged. */
static bool is_damaged(struct mend_run *run, enum table table)
{
    struct key key = run->mend->key;
    struct store_recoverable entry = {0};
    struct bytes row;
    enum err_code code = tx_get(&run->tx, table, &key, &row, NULL);

    if (code != ERR_NONE)
        return code == ERR_CORRUPT;
    if (table == TABLE_ITEM)
        return !item_unpack(row, 1, &entry.item);
    return !recoverable_unpack(row, &entry) || entry.item.item_id != get_u48(key.bytes + 12);
}

static bool has_content(struct mend_run *run)
{
    const struct store_item *item = &run->task->evidence.item;
    uint64_t size;

    return run->task->evidence.found && size_of(run, item->content_id, &size) && size == item->size;
}

enum err_code mend_item_row(struct mend_run *run, struct err *err)
{
    struct mailbox_slot *mailbox;
    struct folder_slot *folder;
    enum err_code code;

    if (!is_damaged(run, TABLE_ITEM))
        return ERR_NONE;
    code = mend_folder_slot(run, run->mend->place.folder, &mailbox, &folder, err);
    if (code != ERR_NONE)
        return code;
    return has_content(run) ? restore(run, folder, err) : give_up(run, folder, err);
}

/* ---- recoverable items ---- */

enum err_code mend_recoverable_row(struct mend_run *run, struct err *err)
{
    const struct evidence *evidence = &run->task->evidence;
    uint8_t row[RECOVERABLE_MOST] = {1};
    struct key key = run->mend->key;
    struct folder_record record = {0};
    struct bytes old;
    uint64_t size;

    if (tx_get(&run->tx, TABLE_RECOVERABLE, &key, &old, NULL) == ERR_NOT_FOUND)
        return ERR_NONE;
    if (!is_damaged(run, TABLE_RECOVERABLE)) { /* only its size is wrong */
        struct store_recoverable entry;

        if (!recoverable_unpack(old, &entry) || !size_of(run, entry.item.content_id, &size) ||
            size == entry.item.size)
            return ERR_NONE;
        memcpy(row, old.data, old.length);
        entry.item.size = size;
        item_pack(row + RECOVERABLE_HEAD, &entry.item, 0);
        mend_say(run, "its size is %" PRIu64 " bytes now", size);
        return tx_put(&run->tx, TABLE_RECOVERABLE, &key, row, old.length, err);
    }
    if (!has_content(run)) {
        mend_say(run, "lost from what can be recovered: nothing tells which text it had; that is "
                      "kept as a text without a message");
        return mend_remove_row(run, TABLE_RECOVERABLE, key, err);
    }
    folder_record_get(&run->tx, evidence->folder, &record, NULL);
    put_u32(row + 1, evidence->folder);
    put_u32(row + 5, evidence->item.uid);
    put_u64(row + 9, (uint64_t)run->batch->now);
    item_pack(row + RECOVERABLE_HEAD, &evidence->item, 0);
    if (record.name.length != 0)
        memcpy(row + RECOVERABLE_HEAD + ITEM_ROW, record.name.data, record.name.length);
    mend_say(run, "the row is made anew; when it was deleted is not known");
    return tx_put(&run->tx, TABLE_RECOVERABLE, &key, row,
                  RECOVERABLE_HEAD + ITEM_ROW + record.name.length, err);
}
