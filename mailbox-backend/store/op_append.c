#include "mailbox-backend/store/hold.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/property.h"
#include "mailbox-backend/store/replace.h"

#define GAP_MOST (1u << 20) /* unused uids whose blocks are closed */

/* What is replaced makes room (RFC 8508 section 3.4). */
static enum err_code check_quota(struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    uint64_t bytes = op->in.append.quota_bytes;
    uint64_t messages = op->in.append.quota_messages;
    enum err_code code;

    if (bytes != 0)
        bytes += replace_freed_bytes(task->replacement);
    if (messages != 0)
        messages += task->replacement != NULL;
    code =
        quota_check(task->mailbox, store_draft_size(op->in.append.draft), 1, bytes, messages, err);
    op->over_quota = code == ERR_LIMIT;
    return code;
}

static enum err_code check(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    enum err_code code = batch_check_draft(batch, op->in.append.draft, err);

    if (code == ERR_NONE && task->folder->folder == STORE_ROOT_FOLDER)
        code = err_set(err, ERR_DENIED, "the root holds no items");
    if (code == ERR_NONE && op->in.append.summary_length > STORE_SUMMARY_MAX)
        code = err_set(err, ERR_INVALID, "the summary is too long");
    for (unsigned i = 0; i < op->in.append.property_count && code == ERR_NONE; i++)
        code = property_check(&op->in.append.properties[i], err);
    if (code == ERR_NONE)
        code = batch_check_room(batch, err);
    if (code == ERR_NONE)
        code = replace_find(batch, task, &task->replacement, err);
    return code == ERR_NONE ? check_quota(task, err) : code;
}

/* Takes the uid that is wanted, or the next where that one is behind. */
static enum err_code take_uid(struct batch *batch, struct task *task, struct err *err)
{
    uint32_t wanted = task->op->in.append.least_uid, next = task->folder->state.uid_next;
    uint32_t unused = wanted > next ? wanted - next : 0;
    enum err_code code = insert_uids(batch, task->folder, unused + 1, &task->first_uid, err);

    task->item.uid = task->first_uid + unused;
    return code;
}

/* Blocks that end between the uids used before and the new one. Behind a very wide gap only the last
   ones have a row: without one a block is looked through. */
static enum err_code close_blocks(const struct task *task, struct err *err)
{
    uint32_t first = task->first_uid, uid = task->item.uid;

    if (uid - first > GAP_MOST)
        first = uid - GAP_MOST;
    return blocks_close(task->folder, first, uid - first + 1, err);
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    struct store_item *item = &task->item;
    enum err_code code = op_target(batch, task, err);

    if (code != ERR_NONE)
        return code;
    if (hold_blocks(batch->database, task->folder, op)) {
        task->outcome = OUTCOME_WAIT;
        return ERR_NONE;
    }
    code = check(batch, task, err);
    *item = (struct store_item){
        .kind = KIND_MAIL,
        .flags.system = op->in.append.flags.system & FLAG_ALL,
        .size = code == ERR_NONE ? store_draft_size(op->in.append.draft) : 0,
        .header_size = op->in.append.header_size,
        .no_final_newline = op->in.append.no_final_newline,
        .internal_date = op->in.append.internal_date,
        .zone = op->in.append.zone,
        .save_date = batch->now,
        .email_id = op->in.append.email_id,
        .thread_id = op->in.append.thread_id,
    };
    if (code == ERR_NONE)
        code = batch_keywords(batch, task->folder, &op->in.append.keywords, true,
                              item->flags.keywords, err);
    if (code == ERR_NONE)
        code = take_uid(batch, task, err);
    if (code != ERR_NONE)
        return code;
    item->modseq = batch_modseq(batch, task->folder, CHANGE_NEW);
    item->item_id = task->mailbox->state.next_item++;
    folder_count(batch, task->folder, item, 1);
    mailbox_count(batch, task->mailbox, item, 1);
    replace_plan(batch, task, task->replacement);
    return ERR_NONE;
}

static void note_content(struct batch *batch, const struct store_item *item,
                         Journal__Append *append)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_content(item->content_id);
    struct content_head head;
    struct bytes row;

    if (tx_get(&tx, TABLE_CONTENT, &key, &row, NULL) != ERR_NONE ||
        !content_head_unpack(row, &head))
        return;
    append->pieces = journal_pieces(batch, row, head.pieces);
    append->n_pieces = head.pieces;
}

static void note(struct batch *batch, struct task *task, bool content_written)
{
    const struct store_op *op = task->op;
    const struct store_item *item = &task->item;
    Journal__Operation *operation = journal_add(batch, task->folder, item->modseq);
    Journal__Append *append = arena_alloc(&batch->arena, sizeof(*append));

    journal__append__init(append);
    operation->what_case = JOURNAL__OPERATION__WHAT_APPEND;
    operation->append = append;
    append->uid = item->uid;
    append->item_id = item->item_id;
    append->email_id = item->email_id;
    append->thread_id = item->thread_id;
    append->content_id = item->content_id;
    append->size = item->size;
    append->header_size = item->header_size;
    append->no_final_newline = item->no_final_newline;
    append->internal_date = item->internal_date;
    append->zone = item->zone;
    append->save_date = item->save_date;
    append->flags = item->flags.system;
    append->n_keywords = op->in.append.keywords.count;
    append->keywords = journal_keywords(batch, &op->in.append.keywords);
    append->n_properties = op->in.append.property_count;
    append->properties = properties_note(batch, item->item_id, op->in.append.properties,
                                         op->in.append.property_count);
    if (content_written)
        note_content(batch, item, append);
}

static enum err_code put_extras(struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = ERR_NONE;

    if (op->in.append.summary != NULL && op->in.append.summary_length > 0) {
        struct key key = key_item(task->folder->folder, task->item.uid);

        code = tx_put(&task->mailbox->tx, TABLE_SUMMARY, &key, op->in.append.summary,
                      op->in.append.summary_length, err);
    }
    for (unsigned i = 0; i < op->in.append.property_count && code == ERR_NONE; i++)
        code = property_put(&task->mailbox->tx, 0, task->item.item_id, &op->in.append.properties[i],
                            err);
    return code;
}

static enum err_code perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    bool written;
    enum err_code code = batch_take_draft(batch, op->in.append.draft, &written, err);

    if (code != ERR_NONE)
        return code;
    task->item.content_id = op->in.append.draft->content_id;
    code = item_put(task->folder, &task->item, task->item.modseq, err);
    if (code == ERR_NONE)
        code = close_blocks(task, err);
    if (code == ERR_NONE)
        code = put_extras(task, err);
    note(batch, task, written);
    if (code == ERR_NONE)
        code = replace_perform(batch, task->replacement, err);
    op->modseq = task->item.modseq;
    op->out.append.uid = task->item.uid;
    op->out.append.uid_validity = task->folder->state.uid_validity;
    op->out.append.item_id = task->item.item_id;
    return code;
}

const struct op_table op_append = {plan, perform};
