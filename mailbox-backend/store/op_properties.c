/* Setting several properties of a folder or a mailbox together. */
#include <string.h>

#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/property.h"

static enum err_code find_place(struct batch *batch, struct task *task, struct err *err)
{
    if (task->op->folder != 0)
        return op_target(batch, task, err);
    if (task->op->mailbox->database != batch->database)
        return err_set(err, ERR_INVALID, "the mailbox is in another database");
    return batch_mailbox(batch, task->op->mailbox, &task->mailbox, err);
}

/* What the operation makes of the count of those whose names begin so. */
static enum err_code count_change(const struct task *task, const char *prefix, int *change,
                                  struct err *err)
{
    const struct store_op *op = task->op;

    *change = 0;
    for (unsigned i = 0; i < op->in.properties.count; i++) {
        const struct store_property *property = &op->in.properties.list[i];
        struct key key = key_property(op->folder, 0, str_of(property->name));
        struct bytes row;
        enum err_code code;

        if (strncmp(property->name, prefix, strlen(prefix)) != 0)
            continue;
        code = tx_get(&task->mailbox->tx, TABLE_PROPERTY, &key, &row, err);
        if (code != ERR_NONE && code != ERR_NOT_FOUND && code != ERR_CORRUPT)
            return code;
        *change += (property->length > 0) - (code != ERR_NOT_FOUND);
    }
    return ERR_NONE;
}

static enum err_code check_count(const struct task *task, const char *prefix, struct err *err)
{
    struct store_op *op = task->op;
    unsigned count;
    int change;
    enum err_code code = count_change(task, prefix, &change, err);

    if (code != ERR_NONE || change <= 0)
        return code;
    code = properties_count(&task->mailbox->tx, op->folder, prefix, &count, err);
    if (code != ERR_NONE || count + (unsigned)change <= op->in.properties.most)
        return code;
    op->over_quota = true;
    return err_set(err, ERR_LIMIT, "there may be %u properties %s…", op->in.properties.most,
                   prefix);
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    const char *const *prefix = op->in.properties.counted;
    enum err_code code = ERR_NONE;

    for (unsigned i = 0; i < op->in.properties.count && code == ERR_NONE; i++)
        code = property_check(&op->in.properties.list[i], err);
    if (code == ERR_NONE)
        code = find_place(batch, task, err);
    for (; code == ERR_NONE && prefix != NULL && *prefix != NULL; prefix++)
        code = check_count(task, *prefix, err);
    return code;
}

static Journal__Operation *note(struct batch *batch, const struct task *task)
{
    if (task->folder != NULL)
        return journal_add(batch, task->folder, task->op->modseq);
    return journal_add_mailbox(batch, task->mailbox, JOURNAL__OPERATION__WHAT__NOT_SET);
}

static enum err_code perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    enum err_code code = ERR_NONE;

    if (op->in.properties.count == 0)
        return ERR_NONE;
    if (task->folder != NULL) {
        op->modseq = batch_modseq(batch, task->folder, 0);
    } else {
        mailbox_slot_change(batch, task->mailbox);
        op->modseq = ++task->mailbox->state.modseq;
    }
    for (unsigned i = 0; i < op->in.properties.count && code == ERR_NONE; i++) {
        const struct store_property *property = &op->in.properties.list[i];
        bool differs = property_differs(&task->mailbox->tx, op->folder, property);
        Journal__Operation *operation = note(batch, task);

        operation->what_case = JOURNAL__OPERATION__WHAT_PROPERTY;
        operation->property = properties_note(batch, 0, property, 1)[0];
        code = property_put(&task->mailbox->tx, op->folder, 0, property, err);
        if (code == ERR_NONE && differs)
            batch_note_property(batch, task->mailbox, op->folder, property->name, op->modseq);
    }
    return code;
}

const struct op_table op_properties_set = {plan, perform};
