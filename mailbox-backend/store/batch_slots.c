#include "mailbox-backend/store/batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/recoverable.h"

/* ---- units ---- */

void batch_unit_begin(struct batch *batch)
{
    batch->unit++;
    batch->touched_mailboxes = NULL;
    batch->touched_folders = NULL;
}

void batch_unit_undo(struct batch *batch)
{
    for (struct mailbox_slot *slot = batch->touched_mailboxes; slot; slot = slot->next_touched) {
        slot->present = slot->saved.present;
        slot->dirty = slot->saved.dirty;
        slot->state = slot->saved.state;
    }
    for (struct folder_slot *slot = batch->touched_folders; slot; slot = slot->next_touched) {
        slot->present = slot->saved.present;
        slot->dirty = slot->saved.dirty;
        slot->changes = slot->saved.changes;
        slot->by = slot->saved.by;
        slot->state = slot->saved.state;
        slot->keyword_count = slot->saved.keyword_count;
    }
    batch_unit_begin(batch);
}

void mailbox_slot_change(struct batch *batch, struct mailbox_slot *slot)
{
    if (slot->unit != batch->unit) {
        slot->unit = batch->unit;
        slot->saved.present = slot->present;
        slot->saved.dirty = slot->dirty;
        slot->saved.state = slot->state;
        slot->next_touched = batch->touched_mailboxes;
        batch->touched_mailboxes = slot;
    }
    slot->dirty = true;
}

void folder_slot_change(struct batch *batch, struct folder_slot *slot, unsigned changes)
{
    if (slot->unit != batch->unit) {
        slot->unit = batch->unit;
        slot->saved.present = slot->present;
        slot->saved.dirty = slot->dirty;
        slot->saved.changes = slot->changes;
        slot->saved.by = slot->by;
        slot->saved.state = slot->state;
        slot->saved.keyword_count = slot->keyword_count;
        slot->next_touched = batch->touched_folders;
        batch->touched_folders = slot;
    }
    slot->dirty = true;
    if (changes == 0)
        return;
    slot->by = slot->changes == 0 || slot->by == batch->by ? batch->by : NULL;
    slot->changes |= changes;
}

void batch_note_property(struct batch *batch, const struct mailbox_slot *mailbox, uint32_t folder,
                         const char *name, uint64_t modseq)
{
    struct changed_property *changed;

    if (mailbox->mailbox == NULL) /* nobody has it open */
        return;
    changed = arena_alloc(&batch->arena, sizeof(*changed));
    changed->mailbox = mailbox->mailbox;
    changed->change = (struct store_change){
        .folder = folder,
        .modseq = modseq,
        .kinds = CHANGE_PROPERTY,
        .property = arena_string(&batch->arena, name),
        .by = batch->by,
    };
    changed->next = batch->properties;
    batch->properties = changed;
}

/* ---- finding slots ---- */

static struct mailbox_slot *find_mailbox(struct batch *batch, uint32_t number)
{
    struct mailbox_slot *slot = batch->mailboxes[number % SLOT_BUCKETS];

    while (slot != NULL && slot->number != number)
        slot = slot->next;
    return slot;
}

/* A row from before the database's format was raised does not count them. */
static enum err_code count_recoverable(const struct batch *batch, struct mailbox_slot *slot,
                                       struct err *err)
{
    struct store_usage sum;
    enum err_code code;

    if (!slot->present || slot->state.counts_recoverable ||
        !format_has(batch->record.format, FORMAT_RECOVERABLE_COUNTS))
        return ERR_NONE;
    code = recoverable_sum(&slot->tx, &sum, err);
    slot->state.counts_recoverable = code == ERR_NONE;
    slot->state.recoverable_messages = sum.messages;
    slot->state.recoverable_bytes = sum.bytes;
    return code;
}

static enum err_code load_mailbox(struct batch *batch, uint32_t number, struct mailbox_slot **out,
                                  struct err *err)
{
    struct mailbox_slot *slot = arena_alloc(&batch->arena, sizeof(*slot));
    struct key key = key_item(0, KEY_STATE);
    struct bytes row;
    enum err_code code;

    slot->number = number;
    slot->tx = (struct tx){batch->txn, number};
    code = tx_get(&slot->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !mailbox_state_unpack(row, &slot->state))
        code = tx_bad_row(&slot->tx, TABLE_ITEM, err);
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        return code;
    slot->present = code == ERR_NONE;
    code = count_recoverable(batch, slot, err);
    if (code != ERR_NONE)
        return code;
    slot->next = batch->mailboxes[number % SLOT_BUCKETS];
    batch->mailboxes[number % SLOT_BUCKETS] = slot;
    *out = slot;
    return ERR_NONE;
}

enum err_code batch_mailbox_number(struct batch *batch, uint32_t number, struct mailbox_slot **out,
                                   struct err *err)
{
    *out = find_mailbox(batch, number);
    if (*out == NULL) {
        enum err_code code = load_mailbox(batch, number, out, err);

        if (code != ERR_NONE)
            return code;
    }
    if (!(*out)->present)
        return err_set(err, ERR_NOT_FOUND, "the mailbox was removed");
    return ERR_NONE;
}

enum err_code batch_mailbox(struct batch *batch, struct store_mailbox *mailbox,
                            struct mailbox_slot **out, struct err *err)
{
    enum err_code code = batch_mailbox_number(batch, mailbox->number, out, err);

    if (code == ERR_NONE && (*out)->mailbox == NULL)
        (*out)->mailbox = mailbox;
    return code;
}

static unsigned folder_bucket(uint32_t mailbox, uint32_t folder)
{
    return (mailbox * 31 + folder) % SLOT_BUCKETS;
}

static struct folder_slot *find_folder(struct batch *batch, uint32_t mailbox, uint32_t folder)
{
    struct folder_slot *slot = batch->folders[folder_bucket(mailbox, folder)];

    while (slot != NULL && (slot->folder != folder || slot->mailbox->number != mailbox))
        slot = slot->next;
    return slot;
}

enum err_code batch_folder_any(struct batch *batch, struct mailbox_slot *mailbox, uint32_t folder,
                               struct folder_slot **out, struct err *err)
{
    struct folder_slot **bucket = &batch->folders[folder_bucket(mailbox->number, folder)];
    struct folder_slot *slot = find_folder(batch, mailbox->number, folder);
    struct key key = key_item(folder, KEY_STATE);
    struct bytes row;
    enum err_code code;

    *out = slot;
    if (slot != NULL)
        return ERR_NONE;
    slot = arena_alloc(&batch->arena, sizeof(*slot));
    slot->mailbox = mailbox;
    slot->folder = folder;
    code = tx_get(&mailbox->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !folder_state_unpack(row, &slot->state))
        code = tx_bad_row(&mailbox->tx, TABLE_ITEM, err);
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        return code;
    slot->present = code == ERR_NONE;
    slot->next = *bucket;
    *bucket = slot;
    *out = slot;
    return ERR_NONE;
}

enum err_code batch_folder(struct batch *batch, struct mailbox_slot *mailbox, uint32_t folder,
                           struct folder_slot **out, struct err *err)
{
    enum err_code code;

    if (folder == 0) /* holds the mailbox's own counters */
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    code = batch_folder_any(batch, mailbox, folder, out, err);
    if (code == ERR_NONE && !(*out)->present)
        code = err_set(err, ERR_NOT_FOUND, "there is no such folder");
    return code;
}

uint64_t batch_modseq(struct batch *batch, struct folder_slot *slot, unsigned changes)
{
    mailbox_slot_change(batch, slot->mailbox);
    folder_slot_change(batch, slot, changes);
    slot->state.highest_modseq = ++slot->mailbox->state.modseq;
    return slot->state.highest_modseq;
}
