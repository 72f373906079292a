/* Taking over another server's UIDVALIDITY and UIDNEXT. */
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/hold.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/ops.h"

/* UIDVALIDITY may change as long as no uid was given: no client can remember one. */
static enum err_code check(const struct task *task, struct err *err)
{
    const struct folder_state *state = &task->folder->state;
    const struct store_op *op = task->op;

    if (op->folder == STORE_ROOT_FOLDER)
        return err_set(err, ERR_DENIED, "the root holds no items");
    if (op->in.adopt.uid_validity == 0 || op->in.adopt.uid_next == 0 ||
        op->in.adopt.uid_next > UID_MAX)
        return err_set(err, ERR_INVALID, "UIDVALIDITY or UIDNEXT is out of range");
    if (state->uid_next != 1 && state->uid_validity != op->in.adopt.uid_validity)
        return err_set(err, ERR_EXISTS, "the folder has given uids already");
    return ERR_NONE;
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = op_target(batch, task, err);

    if (code != ERR_NONE)
        return code;
    if (hold_blocks(batch->database, task->folder, op)) {
        task->outcome = OUTCOME_WAIT;
        return ERR_NONE;
    }
    return check(task, err);
}

static enum err_code perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    struct mailbox_state *mailbox = &task->mailbox->state;
    struct folder_record record = {0};
    enum err_code code = folder_record_get(&task->mailbox->tx, task->folder->folder, &record, err);

    if (code != ERR_NONE)
        return code;
    op->modseq = batch_modseq(batch, task->folder, CHANGE_FOLDERS);
    mailbox_slot_change(batch, task->mailbox);
    if (mailbox->last_uid_validity < op->in.adopt.uid_validity)
        mailbox->last_uid_validity = op->in.adopt.uid_validity;
    task->folder->state.uid_validity = op->in.adopt.uid_validity;
    if (task->folder->state.uid_next < op->in.adopt.uid_next)
        task->folder->state.uid_next = op->in.adopt.uid_next;
    folder_note(batch, task->folder, &record, op->modseq);
    return ERR_NONE;
}

const struct op_table op_folder_adopt = {plan, perform};
