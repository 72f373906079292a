#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/vanished.h"

static enum err_code remove_slice(struct batch *batch, struct task *task,
                                  const struct item_place *place, struct uidset *gone,
                                  struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && batch->records < SLICE_RECORDS) {
        struct store_item item;
        uint64_t read_modseq;

        code = item_next_in(task->folder, op->uids, &task->next_uid, &item, &read_modseq, err);
        if (code != ERR_NONE)
            break;
        batch->records++;
        if (op->in.expunge.only_deleted && (item.flags.system & FLAG_DELETED) == 0)
            continue;
        code = item_drop(batch, place, &item, read_modseq, err);
        folder_count(batch, task->folder, &item, -1);
        mailbox_count(batch, task->mailbox, &item, -1);
        uidset_add(gone, item.uid);
    }
    return code;
}

static void tell(struct store_op *op, const struct uidset *gone)
{
    for (size_t i = 0; i < gone->count; i++)
        uidset_add_range(&op->out.expunge.removed, gone->ranges[i].first, gone->ranges[i].last);
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    struct item_place place;
    struct uidset gone = {0};
    enum err_code code = op_target(batch, task, err);

    if (code == ERR_NONE)
        code = item_place_of(batch, task->folder, &place, err);
    if (code != ERR_NONE)
        return code;
    task->outcome = OUTCOME_FULL;
    if (batch->records >= SLICE_RECORDS)
        return ERR_NONE;
    code = remove_slice(batch, task, &place, &gone, err);
    task->outcome = code == ERR_NONE ? OUTCOME_MORE : OUTCOME_DONE;
    if (code != ERR_NONE && code != ERR_NOT_FOUND) /* what was removed stays removed */
        task->late = *err;
    if (!uidset_is_empty(&gone)) {
        op->modseq = batch_modseq(batch, task->folder, CHANGE_GONE);
        vanished_put(batch, task->folder, op->modseq, &gone, err);
        expunge_note(batch, task->folder, &gone, op->modseq);
        tell(op, &gone);
    }
    uidset_release(&gone);
    return ERR_NONE;
}

const struct op_table op_expunge = {plan, NULL};
