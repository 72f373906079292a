/* OP_REPAIR: looks at one finding again, within the writer, and mends it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/repair.h"

void mend_say(struct mend_run *run, const char *format, ...)
{
    char *done = run->task->done;
    size_t length = strlen(done);
    size_t room = sizeof(run->task->done);
    va_list args;

    run->task->mended = true;
    if (length > 0 && length + 2 < room) {
        strcpy(done + length, "; ");
        length += 2;
    }
    va_start(args, format);
    vsnprintf(done + length, room - length, format, args);
    va_end(args);
}

bool mend_has_mailbox(const struct mend_run *run, uint32_t number)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_number(number);
    struct bytes row;

    return tx_get(&tx, TABLE_MAILBOX, &key, &row, NULL) == ERR_NONE;
}

bool mend_has_state(const struct mend_run *run, uint32_t mailbox, uint32_t folder)
{
    struct tx tx = {run->batch->txn, mailbox};
    struct key key = key_item(folder, KEY_STATE);
    struct bytes row;

    return tx_get(&tx, TABLE_ITEM, &key, &row, NULL) != ERR_NOT_FOUND;
}

bool mend_is_going(const struct mend_run *run, uint32_t folder)
{
    struct pending pending;
    enum err_code code = pending_next(run->batch->txn, run->tx.mailbox, folder, &pending, NULL);

    if (code == ERR_NONE && pending.mailbox == run->tx.mailbox && pending.folder == folder &&
        pending.kind != PENDING_CLAIM)
        return true;
    return folder != 0 && mend_is_going(run, 0);
}

enum err_code mend_remove_row(struct mend_run *run, enum table table, struct key key,
                              struct err *err)
{
    enum err_code code = tx_remove(&run->tx, table, &key, err);

    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static mend_fn *function_of(const struct mend *mend)
{
    static mend_fn *const functions[] = {
        [MEND_NOTHING] = NULL,         [MEND_ROW] = mend_row,
        [MEND_MAILBOX] = mend_mailbox, [MEND_FOLDER] = mend_folder,
        [MEND_ITEM] = mend_item,       [MEND_FACTS] = mend_facts,
        [MEND_CONTENT] = mend_content, [MEND_REFERENCES] = mend_references,
        [MEND_ORPHAN] = mend_orphan,   [MEND_LIVE] = mend_live,
        [MEND_FILE] = mend_file,
    };

    if (mend->kind == MEND_ROW && mend->table == TABLE_ITEM)
        return mend_item_row;
    if (mend->kind == MEND_ROW && mend->table == TABLE_RECOVERABLE)
        return mend_recoverable_row;
    return functions[mend->kind];
}

/* A repair changes rows behind the back of slots: it is the first in its batch, so that there are
   none. */
static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    (void)err;
    if (batch->unit > 1)
        task->outcome = OUTCOME_FULL;
    return ERR_NONE;
}

/* A mailbox whose own row is lost comes first. Where nothing tells whose it was, its messages stay as
   they are, and a row without messages is nobody's. */
static enum err_code mend_owner(struct mend_run *run, bool *go_on, struct err *err)
{
    uint32_t number = run->tx.mailbox;
    enum err_code code;

    if (mend_is_going(run, run->mend->place.folder)) {
        *go_on = false;
        return ERR_NONE;
    }
    if (mend_has_mailbox(run, number))
        return ERR_NONE;
    code = mend_mailbox(run, err);
    *go_on = mend_has_mailbox(run, number);
    if (code != ERR_NONE || *go_on || run->mend->kind != MEND_ROW || mend_has_state(run, number, 0))
        return code;
    mend_say(run, "it belonged to no mailbox");
    return mend_remove_row(run, run->mend->table, run->mend->key, err);
}

static enum err_code perform(struct batch *batch, struct task *task, struct err *err)
{
    struct mend_task *mend_task = task->op->in.repair.task;
    const struct mend *mend = &mend_task->mend;
    struct mend_run run = {
        .batch = batch, .task = mend_task, .mend = mend, .tx = {batch->txn, mend->place.mailbox}
    };
    bool go_on = true;
    enum err_code code = ERR_NONE;

    if (mend->kind == MEND_ROW && table_of_mailbox(mend->table))
        run.tx.mailbox = get_u32(mend->key.bytes);
    if (run.tx.mailbox != 0)
        code = mend_owner(&run, &go_on, err);
    return code == ERR_NONE && go_on ? function_of(mend)(&run, err) : code;
}

const struct op_table op_repair = {plan, perform};
