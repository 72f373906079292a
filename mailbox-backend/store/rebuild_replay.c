/* Doing operations of mailboxes and folders again; those of items are in rebuild_items.c. The rows of
   blocks and vanished uids are not kept: the leap at the end drops them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/property.h"
#include "mailbox-backend/store/purge.h"
#include "mailbox-backend/store/rebuild_replay.h"

#define SLICE 1000u

void replay_modseq(const struct replay *replay, struct folder_slot *folder)
{
    struct mailbox_slot *mailbox = replay->mailbox;
    uint64_t modseq = replay->op->modseq;

    mailbox_slot_change(replay->batch, mailbox);
    if (mailbox->state.modseq < modseq)
        mailbox->state.modseq = modseq;
    if (folder == NULL)
        return;
    folder_slot_change(replay->batch, folder, 0);
    if (folder->state.highest_modseq < modseq)
        folder->state.highest_modseq = modseq;
}

/* ---- mailboxes ---- */

static enum err_code find_mailbox(const struct replay *replay, uint32_t *number, struct err *err)
{
    struct tx tx = {replay->batch->txn, 0};
    struct bytes row;
    struct key key;
    enum err_code code;

    *number = replay->op->number;
    if (replay->op->mailbox.len != sizeof(struct store_guid))
        return ERR_NONE;
    key = key_guid(replay->op->mailbox.data);
    code = tx_get(&tx, TABLE_GUID, &key, &row, err);
    if (code == ERR_NONE && row.length == 4)
        *number = get_u32(row.data);
    return code;
}

/* number 0: it is not known. */
static enum err_code make_mailbox(struct replay *replay, uint32_t number, bool with_folders,
                                  struct err *err)
{
    struct batch *batch = replay->batch;
    struct store_guid guid;
    struct mailbox_slot *slot = NULL;
    struct err none;
    enum err_code code;

    if (number == 0 || batch_mailbox_number(batch, number, &slot, &none) != ERR_NOT_FOUND)
        number = batch->record.next_mailbox;
    if (number >= batch->record.next_mailbox)
        batch->record.next_mailbox = number + 1;
    if (batch_mailbox_number(batch, number, &slot, &none) != ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "mailbox %" PRIu32 " is there already", number);
    memcpy(guid.bytes, replay->op->mailbox.data, sizeof(guid.bytes));
    mailbox_slot_change(batch, slot);
    slot->present = true;
    slot->state = (struct mailbox_state){.next_item = 1, .next_folder = STORE_INBOX_FOLDER + 1};
    slot->state.counts_recoverable = format_has(batch->record.format, FORMAT_RECOVERABLE_COUNTS);
    replay->mailbox = slot;
    code = mailbox_rows_put(batch, &guid, number, err);
    return code == ERR_NONE && with_folders ? mailbox_folders_make(batch, slot, err) : code;
}

/* A mailbox that is not there, and was not removed either, was made by a batch that is missing. */
static enum err_code take_mailbox(struct replay *replay, struct err *err)
{
    bool has_guid = replay->op->mailbox.len == sizeof(struct store_guid);
    uint32_t number;
    enum err_code code = find_mailbox(replay, &number, err);

    if (replay->op->what_case == JOURNAL__OPERATION__WHAT_MAILBOX_CREATE && has_guid)
        return code == ERR_NOT_FOUND ? make_mailbox(replay, number, false, err) : code;
    if (code == ERR_NOT_FOUND && has_guid &&
        replay->op->what_case != JOURNAL__OPERATION__WHAT_MAILBOX_REMOVE)
        return make_mailbox(replay, 0, true, err);
    return code == ERR_NONE ? batch_mailbox_number(replay->batch, number, &replay->mailbox, err)
                            : code;
}

static enum err_code remove_mailbox(const struct replay *replay, struct err *err)
{
    struct store_guid guid;

    enum err_code code = batch_write_slots(replay->batch, err); /* perhaps it was made just now */

    memcpy(guid.bytes, replay->op->mailbox.data, sizeof(guid.bytes));
    return code != ERR_NONE ? code
                            : mailbox_rows_remove(replay->batch, replay->mailbox, &guid, err);
}

/* ---- folders ---- */

/* A name that is free below the parent. */
static enum err_code free_name(const struct tx *tx, uint32_t parent, uint32_t folder,
                               char name[STORE_NAME_MAX + 1], struct err *err)
{
    uint32_t other;
    enum err_code code = folder_name_get(tx, parent, str_of(name), &other, err);

    if (code == ERR_NONE && other != folder) {
        name[STORE_NAME_MAX - 12] = '\0'; /* a cut UTF-8 character is better than no folder */
        snprintf(name + strlen(name), 13, "~%" PRIu32, folder);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code make_folder(const struct replay *replay, struct folder_slot *slot,
                                 const struct folder_record *record, uint32_t uid_validity,
                                 struct err *err)
{
    struct mailbox_state *mailbox = &replay->mailbox->state;

    mailbox_slot_change(replay->batch, replay->mailbox);
    folder_slot_change(replay->batch, slot, 0);
    mailbox->folders++;
    if (mailbox->next_folder <= slot->folder)
        mailbox->next_folder = slot->folder + 1;
    slot->present = true;
    slot->state = (struct folder_state){.uid_validity = uid_validity, .uid_next = 1};
    return folder_record_put(&replay->mailbox->tx, slot->folder, record, err);
}

enum err_code replay_folder(const struct replay *replay, uint32_t folder, struct folder_slot **slot,
                            struct err *err)
{
    struct mailbox_slot *mailbox = replay->mailbox;
    struct folder_record record = {
        STORE_ROOT_FOLDER, USE_NONE, CLASS_MAIL, replay->batch->now, {0}};
    char name[STORE_NAME_MAX + 1];
    enum err_code code;

    if (folder == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    code = batch_folder_any(replay->batch, mailbox, folder, slot, err);
    if (code != ERR_NONE || (*slot)->present)
        return code;
    snprintf(name, sizeof(name), "Folder %" PRIu32, folder);
    code = free_name(&mailbox->tx, STORE_ROOT_FOLDER, folder, name, err);
    record.name = str_of(name);
    mailbox_slot_change(replay->batch, mailbox);
    if (mailbox->state.last_uid_validity < (uint32_t)replay->batch->now)
        mailbox->state.last_uid_validity = (uint32_t)replay->batch->now;
    if (code == ERR_NONE)
        code = make_folder(replay, *slot, &record, ++mailbox->state.last_uid_validity, err);
    return code == ERR_NONE
               ? folder_name_put(&mailbox->tx, STORE_ROOT_FOLDER, record.name, folder, err)
               : code;
}

/* The folder that is to be above: the root where that one is not there, or is below this one (the
   batch that moved it away is missing). */
static uint32_t parent_of(const struct replay *replay, const Journal__Folder *set)
{
    uint32_t above = set->parent;

    if (replay->op->folder == STORE_ROOT_FOLDER)
        return above;
    for (unsigned depth = 0; above != STORE_ROOT_FOLDER; depth++) {
        struct folder_record record;

        if (depth > STORE_DEPTH_MAX || above == replay->op->folder ||
            folder_record_get(&replay->mailbox->tx, above, &record, NULL) != ERR_NONE)
            return STORE_ROOT_FOLDER;
        above = record.parent;
    }
    return set->parent;
}

static enum err_code rename_folder(const struct replay *replay, struct folder_record *record,
                                   struct err *err)
{
    const struct tx *tx = &replay->mailbox->tx;
    struct folder_record old;
    enum err_code code = folder_record_get(tx, replay->op->folder, &old, err);

    if (code != ERR_NONE)
        return code;
    record->created = old.created;
    return folder_name_remove(tx, &old, err);
}

static void take_numbers(const struct replay *replay, struct folder_slot *slot)
{
    const Journal__Folder *set = replay->op->folder_set;

    folder_slot_change(replay->batch, slot, 0);
    slot->state.uid_validity = set->uid_validity;
    if (slot->state.uid_next < set->uid_next)
        slot->state.uid_next = set->uid_next;
    if (replay->mailbox->state.last_uid_validity < set->uid_validity)
        replay->mailbox->state.last_uid_validity = set->uid_validity;
}

static enum err_code set_folder(const struct replay *replay, struct err *err)
{
    const Journal__Folder *set = replay->op->folder_set;
    const struct tx *tx = &replay->mailbox->tx;
    struct folder_record record = {
        parent_of(replay, set), (uint8_t)set->use, (uint8_t)set->class_, replay->batch->now, {0}};
    char name[STORE_NAME_MAX + 1];
    struct folder_slot *slot;
    enum err_code code =
        batch_folder_any(replay->batch, replay->mailbox, replay->op->folder, &slot, err);

    if (code != ERR_NONE || replay->op->folder == 0 || strlen(set->name) > STORE_NAME_MAX)
        return code == ERR_NONE ? err_set(err, ERR_NOT_FOUND, "no folder") : code;
    strcpy(name, set->name);
    if (slot->present && replay->op->folder != STORE_ROOT_FOLDER)
        code = rename_folder(replay, &record, err);
    if (code == ERR_NONE && replay->op->folder != STORE_ROOT_FOLDER)
        code = free_name(tx, record.parent, replay->op->folder, name, err);
    record.name = str_of(name);
    if (code == ERR_NONE && slot->present)
        code = folder_record_put(tx, replay->op->folder, &record, err);
    else if (code == ERR_NONE)
        code = make_folder(replay, slot, &record, set->uid_validity, err);
    if (code == ERR_NONE && replay->op->folder != STORE_ROOT_FOLDER)
        code = folder_name_put(tx, record.parent, record.name, replay->op->folder, err);
    take_numbers(replay, slot);
    replay_modseq(replay, slot);
    return code;
}

/* One that has folders below it is kept: the batches that removed those are missing. */
static enum err_code delete_folder(const struct replay *replay, struct err *err)
{
    struct batch *batch = replay->batch;
    struct mailbox_slot *mailbox = replay->mailbox;
    struct folder_slot *slot;
    struct folder_record record;
    enum err_code code = batch_folder(batch, mailbox, replay->op->folder, &slot, err);

    if (code == ERR_NONE && folder_has_children(&mailbox->tx, replay->op->folder))
        code = err_set(err, ERR_NOT_FOUND, "the folder has folders below it");
    if (code == ERR_NONE)
        code = folder_record_get(&mailbox->tx, replay->op->folder, &record, err);
    if (code != ERR_NONE)
        return code;
    record.name =
        str_n(arena_copy(&batch->arena, record.name.data, record.name.length), record.name.length);
    code = batch_write_slots(batch, err); /* perhaps it was made just now */
    if (code != ERR_NONE)
        return code;
    replay_modseq(replay, NULL);
    mailbox->state.bytes -= slot->state.bytes;
    mailbox->state.messages -= slot->state.messages;
    mailbox->state.folders--;
    slot->present = false;
    code = folder_rows_remove(&mailbox->tx, replay->op->folder, &record, err);
    if (code == ERR_NONE)
        code = pending_put(batch, mailbox->number, replay->op->folder, PENDING_FOLDER, record.name,
                           err);
    return code;
}

/* ---- properties ---- */

static enum err_code set_property(const struct replay *replay, struct err *err)
{
    const Journal__Property *set = replay->op->property;
    const struct store_property property = {set->name, set->value.data, set->value.len};
    struct folder_slot *slot = NULL;
    enum err_code code = property_check(&property, err);

    if (code == ERR_NONE && replay->op->folder != 0)
        code = replay_folder(replay, replay->op->folder, &slot, err);
    if (code != ERR_NONE)
        return code;
    replay_modseq(replay, slot);
    return property_put(&replay->mailbox->tx, replay->op->folder, set->item_id, &property, err);
}

/* ---- what is pending ---- */

/* flush: nobody has slots of the batch in use. */
static enum err_code finish_one(struct rebuild *rebuild, const struct pending *pending, bool flush,
                                struct err *err)
{
    bool finished = false;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !finished) {
        unsigned budget = SLICE;

        code = purge_slice(&rebuild->batch, pending, &budget, &finished, err);
        if (code == ERR_NONE && flush && !finished)
            code = rebuild_flush(rebuild, err);
    }
    return code;
}

static enum err_code finish(struct rebuild *rebuild, bool claims, struct err *err)
{
    struct pending pending = {0};
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        code = pending_next(rebuild->batch.txn, pending.mailbox, pending.folder + 1, &pending, err);
        if (code == ERR_NONE && (claims || pending.kind != PENDING_CLAIM))
            code = finish_one(rebuild, &pending, true, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code rebuild_finish(struct rebuild *rebuild, struct err *err)
{
    return finish(rebuild, false, err);
}

enum err_code rebuild_finish_all(struct rebuild *rebuild, struct err *err)
{
    return finish(rebuild, true, err);
}

enum err_code replay_end_claim(const struct replay *replay, struct folder_slot *folder,
                               struct err *err)
{
    struct pending pending = {replay->mailbox->number, folder->folder, PENDING_CLAIM, ""};

    return folder->state.claim_count == 0 ? ERR_NONE
                                          : finish_one(replay->rebuild, &pending, false, err);
}

/* ---- all ---- */

static enum err_code perform(const struct replay *replay, struct err *err)
{
    switch (replay->op->what_case) {
    case JOURNAL__OPERATION__WHAT_APPEND:
        return replay_append(replay, err);
    case JOURNAL__OPERATION__WHAT_FLAGS:
        return replay_flags(replay, err);
    case JOURNAL__OPERATION__WHAT_EXPUNGE:
        return replay_expunge(replay, err);
    case JOURNAL__OPERATION__WHAT_COPY:
    case JOURNAL__OPERATION__WHAT_MOVE:
        return replay_copy(replay, err);
    case JOURNAL__OPERATION__WHAT_CLAIM_BEGIN:
    case JOURNAL__OPERATION__WHAT_CLAIM_END:
        return replay_claim(replay, err);
    case JOURNAL__OPERATION__WHAT_FOLDER_SET:
        return set_folder(replay, err);
    case JOURNAL__OPERATION__WHAT_FOLDER_DELETE:
        return delete_folder(replay, err);
    case JOURNAL__OPERATION__WHAT_PROPERTY:
        return set_property(replay, err);
    case JOURNAL__OPERATION__WHAT_MAILBOX_REMOVE:
        return remove_mailbox(replay, err);
    case JOURNAL__OPERATION__WHAT_PURGE:
        return replay_purge(replay, err);
    case JOURNAL__OPERATION__WHAT_MAILBOX_CREATE:
        return ERR_NONE; /* take_mailbox() has made it */
    default:
        return err_set(err, ERR_NOT_FOUND, "an operation that this program does not know");
    }
}

/* How long what it removed was to be kept. Older records do not say. */
static void set_recovery(const struct replay *replay)
{
    int64_t expiry = replay->op->expiry;
    uint64_t *seconds = &replay->rebuild->store.settings.recovery_seconds;

    *seconds = replay->rebuild->settings->recovery_seconds;
    if (expiry != 0)
        *seconds = expiry > replay->record->time ? (uint64_t)(expiry - replay->record->time) : 0;
}

enum err_code rebuild_operation(struct rebuild *rebuild, const Journal__Batch *record,
                                const Journal__Operation *operation, struct err *err)
{
    struct replay replay = {
        .rebuild = rebuild, .batch = &rebuild->batch, .record = record, .op = operation};
    enum err_code code;

    rebuild->batch.now = record->time;
    set_recovery(&replay);
    if (operation->what_case == JOURNAL__OPERATION__WHAT_CONTENT_SET)
        return replay_content(&replay, err);
    code = take_mailbox(&replay, err);
    if (code == ERR_NOT_FOUND && operation->what_case == JOURNAL__OPERATION__WHAT_PURGE)
        return ERR_NONE; /* the mailbox was removed, and then what it had */
    /* it could not be taken; or it was to be made, and is there */
    if (replay.mailbox == NULL)
        return code;
    replay.mailbox->recovery_asked = replay.mailbox->recovery_known = true; /* as it was then */
    replay.mailbox->recovery.seconds = rebuild->store.settings.recovery_seconds;
    return perform(&replay, err);
}
