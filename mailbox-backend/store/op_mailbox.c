/* Making and removing whole mailboxes, and setting properties. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/property.h"

/* ---- create ---- */

static enum err_code create_plan(struct batch *batch, struct task *task, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_guid(task->op->mailbox->guid.bytes);
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_GUID, &key, &row, err);

    if (code == ERR_NONE)
        return err_set(err, ERR_EXISTS, "the mailbox is there already");
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code mailbox_rows_put(struct batch *batch, const struct store_guid *id, uint32_t mailbox,
                               struct err *err)
{
    struct mailbox_record record = {*id, batch->now};
    struct tx tx = {batch->txn, 0};
    struct key guid = key_guid(id->bytes);
    struct key number = key_number(mailbox);
    uint8_t row[MAILBOX_ROW];
    uint8_t number_row[4];
    enum err_code code;

    put_u32(number_row, mailbox);
    code = tx_put(&tx, TABLE_GUID, &guid, number_row, sizeof(number_row), err);
    mailbox_pack(row, &record);
    if (code == ERR_NONE)
        code = tx_put(&tx, TABLE_MAILBOX, &number, row, sizeof(row), err);
    return code;
}

enum err_code mailbox_folders_make(struct batch *batch, struct mailbox_slot *slot, struct err *err)
{
    const struct folder_record root = {0, USE_NONE, CLASS_MAIL, batch->now, str_of("")};
    const struct folder_record inbox = {STORE_ROOT_FOLDER, USE_INBOX, CLASS_MAIL, batch->now,
                                        str_of("INBOX")};
    struct folder_slot *folder;
    enum err_code code = folder_make(batch, slot, STORE_ROOT_FOLDER, &root, &folder, err);

    return code == ERR_NONE ? folder_make(batch, slot, STORE_INBOX_FOLDER, &inbox, &folder, err)
                            : code;
}

static enum err_code create_perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_mailbox *mailbox = task->op->mailbox;
    struct mailbox_slot *slot;
    struct err none;
    enum err_code code;

    mailbox->number = batch->record.next_mailbox++;
    if (batch_mailbox_number(batch, mailbox->number, &slot, &none) != ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "mailbox %" PRIu32 " is there already", mailbox->number);
    mailbox_slot_change(batch, slot);
    slot->mailbox = mailbox;
    slot->present = true;
    slot->state.next_item = 1;
    slot->state.counts_recoverable = format_has(batch->record.format, FORMAT_RECOVERABLE_COUNTS);
    slot->state.next_folder = STORE_INBOX_FOLDER + 1;
    journal_add_mailbox(batch, slot, JOURNAL__OPERATION__WHAT_MAILBOX_CREATE)->number =
        slot->number;
    code = mailbox_rows_put(batch, &mailbox->guid, mailbox->number, err);
    if (code == ERR_NONE)
        code = mailbox_folders_make(batch, slot, err);
    task->op->modseq = slot->state.modseq;
    return code;
}

const struct op_table op_mailbox_create = {create_plan, create_perform};

/* ---- remove ---- */

static enum err_code remove_plan(struct batch *batch, struct task *task, struct err *err)
{
    if (task->op->mailbox->database != batch->database)
        return err_set(err, ERR_INVALID, "the mailbox is in another database");
    return batch_mailbox(batch, task->op->mailbox, &task->mailbox, err);
}

enum err_code mailbox_rows_remove(struct batch *batch, struct mailbox_slot *slot,
                                  const struct store_guid *id, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key guid = key_guid(id->bytes);
    struct key number = key_number(slot->number);
    struct key state = key_item(0, KEY_STATE);
    enum err_code code = tx_remove(&tx, TABLE_GUID, &guid, err);

    mailbox_slot_change(batch, slot);
    slot->present = false;
    if (code == ERR_NONE)
        code = tx_remove(&tx, TABLE_MAILBOX, &number, err);
    if (code == ERR_NONE)
        code = tx_remove(&slot->tx, TABLE_ITEM, &state, err);
    if (code == ERR_NONE ||
        code == ERR_NOT_FOUND) /* of one that this batch made it is not written yet */
        code = pending_put(batch, slot->number, 0, PENDING_MAILBOX, str_of(""), err);
    return code;
}

static enum err_code remove_perform(struct batch *batch, struct task *task, struct err *err)
{
    journal_add_mailbox(batch, task->mailbox, JOURNAL__OPERATION__WHAT_MAILBOX_REMOVE);
    return mailbox_rows_remove(batch, task->mailbox, &task->op->mailbox->guid, err);
}

const struct op_table op_mailbox_remove = {remove_plan, remove_perform};

/* ---- properties ---- */

/* An item's property must not outlive it, so the item has to be there. Items have no index by id:
   this reads the folder. */
static enum err_code find_item(const struct folder_slot *slot, uint64_t item_id, struct err *err)
{
    struct key key = key_item(slot->folder, 1);
    struct store_item item = {0};
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &slot->mailbox->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        if (code == ERR_NONE && item_unpack(scan.value, 1, &item) && item.item_id == item_id)
            break;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? err_set(err, code, "there is no such item") : code;
}

static enum err_code property_plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = property_check(&op->in.property.property, err);

    if (code == ERR_NONE && op->folder == 0)
        code = remove_plan(batch, task, err);
    else if (code == ERR_NONE)
        code = op_target(batch, task, err);
    if (code == ERR_NONE && op->in.property.item_id != 0)
        code = op->folder == 0 ? err_set(err, ERR_INVALID, "an item is in a folder")
                               : find_item(task->folder, op->in.property.item_id, err);
    return code;
}

static enum err_code property_perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    const struct store_property *property = &op->in.property.property;
    bool differs =
        op->in.property.item_id == 0 && property_differs(&task->mailbox->tx, op->folder, property);
    Journal__Operation *operation;
    enum err_code code;

    if (task->folder != NULL) {
        op->modseq = batch_modseq(batch, task->folder, 0);
        operation = journal_add(batch, task->folder, op->modseq);
    } else {
        mailbox_slot_change(batch, task->mailbox);
        op->modseq = ++task->mailbox->state.modseq;
        operation = journal_add_mailbox(batch, task->mailbox, JOURNAL__OPERATION__WHAT__NOT_SET);
    }
    operation->what_case = JOURNAL__OPERATION__WHAT_PROPERTY;
    operation->property = properties_note(batch, op->in.property.item_id, property, 1)[0];
    code = property_put(&task->mailbox->tx, op->folder, op->in.property.item_id, property, err);
    if (code == ERR_NONE && differs)
        batch_note_property(batch, task->mailbox, op->folder, property->name, op->modseq);
    return code;
}

const struct op_table op_property_set = {property_plan, property_perform};
