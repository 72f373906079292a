/* A mailbox's own rows: its number and GUID, its counters, root and INBOX. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/repair.h"

/* ---- counters that are lost ---- */

static void see_item(struct mailbox_state *state, const struct store_item *item)
{
    if (item->item_id >= state->next_item)
        state->next_item = item->item_id + 1;
    if (item->modseq > state->modseq)
        state->modseq = item->modseq;
}

static void see_row(struct mailbox_state *state, const struct tx_scan *scan)
{
    uint32_t folder = get_u32(scan->key.data + 4);
    struct folder_state other;
    struct store_item item;

    if (folder >= state->next_folder)
        state->next_folder = folder + 1;
    if (get_u32(scan->key.data + 8) != KEY_STATE) {
        if (item_unpack(scan->value, 1, &item))
            see_item(state, &item);
    } else if (folder != 0 && folder_state_unpack(scan->value, &other)) {
        if (other.highest_modseq > state->modseq)
            state->modseq = other.highest_modseq;
        if (other.uid_validity > state->last_uid_validity)
            state->last_uid_validity = other.uid_validity;
    }
}

static enum err_code see_all(const struct tx *tx, enum table table, struct mailbox_state *state,
                             struct err *err)
{
    struct key key = key_first();
    struct store_recoverable entry;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, table, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        if (code == ERR_NONE && table == TABLE_ITEM)
            see_row(state, &scan);
        else if (code == ERR_NONE && recoverable_unpack(scan.value, &entry))
            see_item(state, &entry.item);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* Nothing that was given before may be given again. Sums follow by themselves. */
static enum err_code make_up(struct mend_run *run, struct mailbox_state *state, struct err *err)
{
    enum err_code code;

    *state = (struct mailbox_state){
        .next_item = 1,
        .next_folder = STORE_INBOX_FOLDER + 1,
        .counts_recoverable = format_has(run->batch->record.format, FORMAT_RECOVERABLE_COUNTS),
    };
    code = see_all(&run->tx, TABLE_ITEM, state, err);
    if (code == ERR_NONE)
        code = see_all(&run->tx, TABLE_RECOVERABLE, state, err);
    state->modseq += REPAIR_ROOM_MODSEQS;
    state->next_item += REPAIR_ROOM_ITEMS;
    state->next_folder += REPAIR_ROOM_FOLDERS;
    if (state->last_uid_validity < (uint32_t)run->batch->now)
        state->last_uid_validity = (uint32_t)run->batch->now;
    mend_say(run, "the mailbox's counters are made anew");
    return code;
}

/* So that who watches it is told; NULL when nobody has it open. */
static struct store_mailbox *object_of(struct mend_run *run)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_number(run->tx.mailbox);
    struct mailbox_record record;
    struct bytes row;

    if (tx_get(&tx, TABLE_MAILBOX, &key, &row, NULL) != ERR_NONE || !mailbox_unpack(row, &record))
        return NULL;
    return mailbox_known(run->batch->database->store, &record.guid);
}

enum err_code mend_mailbox_slot(struct mend_run *run, struct mailbox_slot **out, struct err *err)
{
    struct key key = key_item(0, KEY_STATE);
    uint8_t row[MAILBOX_STATE_MOST];
    struct mailbox_state state;
    enum err_code code = batch_mailbox_number(run->batch, run->tx.mailbox, out, err);

    if (code == ERR_NONE || (code != ERR_CORRUPT && code != ERR_NOT_FOUND)) {
        if (code == ERR_NONE && (*out)->mailbox == NULL)
            (*out)->mailbox = object_of(run);
        return code;
    }
    if (make_up(run, &state, err) != ERR_NONE)
        return err->code;
    if (code == ERR_NOT_FOUND) { /* there is a slot, of a mailbox that is not there */
        mailbox_slot_change(run->batch, *out);
        (*out)->present = true;
        (*out)->state = state;
        return ERR_NONE;
    }
    code = tx_put(&run->tx, TABLE_ITEM, &key, row, mailbox_state_pack(row, &state), err);
    return code == ERR_NONE ? batch_mailbox_number(run->batch, run->tx.mailbox, out, err) : code;
}

/* ---- number and GUID ---- */

/* The GUID that leads to this mailbox. */
static enum err_code find_guid(struct mend_run *run, struct store_guid *guid, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_guid((const uint8_t[16]){0});
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_GUID, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_CORRUPT ||
           (code == ERR_NONE &&
            (scan.value.length != 4 || get_u32(scan.value.data) != run->tx.mailbox)))
        code = scan_next(&scan, err);
    if (code == ERR_NONE && scan.key.length == sizeof(guid->bytes))
        memcpy(guid->bytes, scan.key.data, sizeof(guid->bytes));
    scan_end(&scan);
    return code;
}

static enum err_code put_record(struct mend_run *run, const struct store_guid *guid,
                                struct err *err)
{
    struct mailbox_record record = {*guid, run->batch->now};
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_number(run->tx.mailbox);
    struct folder_record root;
    uint8_t row[MAILBOX_ROW];

    if (folder_record_get(&run->tx, STORE_ROOT_FOLDER, &root, NULL) == ERR_NONE)
        record.created = root.created;
    mailbox_pack(row, &record);
    mend_say(run, "the mailbox's row is made anew from its GUID");
    return tx_put(&tx, TABLE_MAILBOX, &key, row, sizeof(row), err);
}

/* Makes the GUID lead to the mailbox, unless it leads to another one that calls it its own. */
static enum err_code put_guid(struct mend_run *run, const struct store_guid *guid, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_guid(guid->bytes);
    struct mailbox_record other;
    struct bytes row;
    uint8_t number[4];
    enum err_code code = tx_get(&tx, TABLE_GUID, &key, &row, err);

    if (code == ERR_NONE && row.length == 4) {
        struct key theirs = key_number(get_u32(row.data));

        if (get_u32(row.data) == run->tx.mailbox)
            return ERR_NONE;
        if (tx_get(&tx, TABLE_MAILBOX, &theirs, &row, NULL) == ERR_NONE &&
            mailbox_unpack(row, &other) && memcmp(&other.guid, guid, sizeof(*guid)) == 0)
            return ERR_NONE;
    }
    put_u32(number, run->tx.mailbox);
    mend_say(run, "the GUID leads to the mailbox again");
    return tx_put(&tx, TABLE_GUID, &key, number, sizeof(number), err);
}

/* *known is false where neither row is left: whose the mailbox was is not known then. */
static enum err_code mend_identity(struct mend_run *run, bool *known, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_number(run->tx.mailbox);
    struct mailbox_record record;
    struct store_guid guid = {0};
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_MAILBOX, &key, &row, err);

    *known = true;
    if (code == ERR_NONE && mailbox_unpack(row, &record))
        return put_guid(run, &record.guid, err);
    code = find_guid(run, &guid, err);
    *known = code == ERR_NONE;
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    return code == ERR_NONE ? put_record(run, &guid, err) : code;
}

/* ---- what the folders add up to ---- */

struct sums {
    struct mailbox_state state;
    bool unknown; /* a folder's own row is damaged */
};

static void add_folder(struct mend_run *run, struct mailbox_slot *mailbox, uint32_t folder,
                       struct sums *sums)
{
    struct mailbox_state *state = &sums->state;
    struct folder_slot *slot;

    state->folders++;
    if (folder >= state->next_folder)
        state->next_folder = folder + 1;
    if (batch_folder(run->batch, mailbox, folder, &slot, NULL) != ERR_NONE) {
        sums->unknown = true;
        return;
    }
    state->bytes += slot->state.bytes;
    state->messages += slot->state.messages;
    if (slot->state.highest_modseq > state->modseq)
        state->modseq = slot->state.highest_modseq;
    if (slot->state.uid_validity > state->last_uid_validity)
        state->last_uid_validity = slot->state.uid_validity;
}

static enum err_code add_up(struct mend_run *run, struct mailbox_slot *mailbox, struct sums *sums,
                            struct err *err)
{
    struct key key = key_folder(0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &run->tx, TABLE_FOLDER, PREFIX_MAILBOX, err);

    sums->state = mailbox->state;
    sums->state.folders = 0;
    sums->state.bytes = sums->state.messages = 0;
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err))
        add_folder(run, mailbox, get_u32(scan.key.data + 4), sums);
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static bool are_equal(const struct mailbox_state *a, const struct mailbox_state *b)
{
    return a->modseq == b->modseq && a->bytes == b->bytes && a->messages == b->messages &&
           a->next_item == b->next_item && a->next_folder == b->next_folder &&
           a->last_uid_validity == b->last_uid_validity && a->folders == b->folders &&
           a->recoverable_messages == b->recoverable_messages &&
           a->recoverable_bytes == b->recoverable_bytes;
}

static enum err_code add_recoverable(struct mend_run *run, struct mailbox_state *state,
                                     struct err *err)
{
    struct store_usage sum;
    enum err_code code = recoverable_sum(&run->tx, &sum, err);

    if (code != ERR_NONE)
        return code;
    state->recoverable_messages = sum.messages;
    state->recoverable_bytes = sum.bytes;
    return ERR_NONE;
}

static enum err_code mend_counters(struct mend_run *run, struct mailbox_slot *mailbox,
                                   struct err *err)
{
    struct mailbox_state *state = &mailbox->state;
    struct sums sums = {0};
    enum err_code code = add_up(run, mailbox, &sums, err);

    if (code == ERR_NONE && state->counts_recoverable)
        code = add_recoverable(run, &sums.state, err);
    if (code != ERR_NONE)
        return code;
    if (sums.unknown) { /* its folder is mended first; this comes again */
        sums.state.bytes = state->bytes;
        sums.state.messages = state->messages;
    }
    if (are_equal(&sums.state, state))
        return ERR_NONE;
    mend_say(run,
             "the mailbox counts %" PRIu64 " messages, %" PRIu64 " bytes and %" PRIu32
             " folders now",
             sums.state.messages, sums.state.bytes, sums.state.folders);
    mailbox_slot_change(run->batch, mailbox);
    *state = sums.state;
    return ERR_NONE;
}

/* ---- root and INBOX ---- */

static enum err_code mend_first_folders(struct mend_run *run, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (uint32_t folder = STORE_ROOT_FOLDER; folder <= STORE_INBOX_FOLDER && code == ERR_NONE;
         folder++) {
        struct mailbox_slot *mailbox;
        struct folder_record record;
        struct folder_slot *slot;

        if (folder_record_get(&run->tx, folder, &record, NULL) != ERR_NOT_FOUND)
            continue;
        code = mend_folder_slot(run, folder, &mailbox, &slot, err);
        if (code == ERR_NONE)
            code = mend_place(run, slot, err);
    }
    return code;
}

enum err_code mend_mailbox(struct mend_run *run, struct err *err)
{
    struct mailbox_slot *mailbox;
    bool known;
    enum err_code code = mend_identity(run, &known, err);

    if (code != ERR_NONE || !known)
        return code;
    code = mend_mailbox_slot(run, &mailbox, err);
    if (code == ERR_NONE)
        code = mend_first_folders(run, err);
    return code == ERR_NONE ? mend_counters(run, mailbox, err) : code;
}
