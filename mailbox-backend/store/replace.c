#include "mailbox-backend/store/replace.h"

#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/vanished.h"

struct replacement {
    struct folder_slot *folder;
    struct item_place place;
    struct store_item item;
    uint64_t read_modseq;
    uint64_t modseq; /* that its folder was given */
};

static enum err_code find_item(const struct task *task, struct replacement *replacement,
                               struct err *err)
{
    struct uidset wanted = {0};
    uint32_t uid = task->op->in.append.replaced_uid;
    enum err_code code;

    uidset_add(&wanted, uid);
    code = item_next_in(replacement->folder, &wanted, &uid, &replacement->item,
                        &replacement->read_modseq, err);
    uidset_release(&wanted);
    return code;
}

enum err_code replace_find(struct batch *batch, struct task *task, struct replacement **replacement,
                           struct err *err)
{
    struct store_op *op = task->op;
    struct replacement *found;
    enum err_code code;

    *replacement = NULL;
    if (op->in.append.replaced_uid == 0)
        return ERR_NONE;
    found = arena_alloc(&batch->arena, sizeof(*found));
    code = batch_folder(batch, task->mailbox, op->in.append.replaced_folder, &found->folder, err);
    if (code == ERR_NONE)
        code = item_place_of(batch, found->folder, &found->place, err);
    if (code == ERR_NONE)
        code = find_item(task, found, err);
    if (code == ERR_NONE)
        *replacement = found;
    op->item_gone = code == ERR_NOT_FOUND;
    return code;
}

uint64_t replace_freed_bytes(const struct replacement *replacement)
{
    return replacement == NULL ? 0 : replacement->item.size;
}

void replace_plan(struct batch *batch, const struct task *task, struct replacement *replacement)
{
    if (replacement == NULL)
        return;
    replacement->modseq = batch_modseq(batch, replacement->folder, CHANGE_GONE);
    folder_count(batch, replacement->folder, &replacement->item, -1);
    mailbox_count(batch, task->mailbox, &replacement->item, -1);
}

enum err_code replace_perform(struct batch *batch, const struct replacement *replacement,
                              struct err *err)
{
    struct uidset gone = {0};
    enum err_code code;

    if (replacement == NULL)
        return ERR_NONE;
    uidset_add(&gone, replacement->item.uid);
    code = item_drop(batch, &replacement->place, &replacement->item, replacement->read_modseq, err);
    if (code == ERR_NONE)
        code = vanished_put(batch, replacement->folder, replacement->modseq, &gone, err);
    expunge_note(batch, replacement->folder, &gone, replacement->modseq);
    uidset_release(&gone);
    return code;
}
