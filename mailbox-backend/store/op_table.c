#include "mailbox-backend/store/ops.h"

static const struct op_table *const tables[] = {
    [OP_APPEND] = &op_append,
    [OP_FLAGS] = &op_flags,
    [OP_EXPUNGE] = &op_expunge,
    [OP_COPY] = &op_copy,
    [OP_MOVE] = &op_copy,
    [OP_FOLDER_CREATE] = &op_folder_create,
    [OP_FOLDER_RENAME] = &op_folder_rename,
    [OP_FOLDER_DELETE] = &op_folder_delete,
    [OP_PROPERTY_SET] = &op_property_set,
    [OP_PROPERTIES_SET] = &op_properties_set,
    [OP_MAILBOX_CREATE] = &op_mailbox_create,
    [OP_RECOVER] = &op_recover,
    [OP_PURGE] = &op_purge,
    [OP_MAILBOX_REMOVE] = &op_mailbox_remove,
    [OP_FOLDER_ADOPT] = &op_folder_adopt,
    [OP_REPAIR] = &op_repair,
};

const struct op_table *op_table(enum store_op_kind kind)
{
    return (size_t)kind < sizeof(tables) / sizeof(tables[0]) ? tables[kind] : NULL;
}

enum err_code op_target(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code;

    if (op->mailbox->database != batch->database)
        return err_set(err, ERR_INVALID, "the mailbox is in another database");
    code = batch_mailbox(batch, op->mailbox, &task->mailbox, err);
    if (code == ERR_NONE)
        code = batch_folder(batch, task->mailbox, op->folder, &task->folder, err);
    return code;
}
