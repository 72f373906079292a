/* A folder's own row: what it counts, and what it has given. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/repair.h"

/* What the folder's rows say. */
struct seen {
    uint32_t messages, unseen, deleted;
    uint64_t bytes, modseq;
    uint32_t uid_last; /* of all items but those of a claim */
    uint32_t vanished_rows;
    uint64_t keywords[2];
};

static bool is_claimed(const struct folder_state *state, uint32_t uid)
{
    return state->claim_count != 0 && uid >= state->claim_first &&
           uid - state->claim_first < state->claim_count;
}

static void see_item(struct seen *seen, const struct store_item *item, uint64_t read_modseq)
{
    seen->messages++;
    seen->bytes += item->size;
    seen->unseen += (item->flags.system & FLAG_SEEN) == 0;
    seen->deleted += (item->flags.system & FLAG_DELETED) != 0;
    seen->keywords[0] |= item->flags.keywords[0];
    seen->keywords[1] |= item->flags.keywords[1];
    if (item->modseq > seen->modseq)
        seen->modseq = item->modseq;
    if (read_modseq > seen->modseq)
        seen->modseq = read_modseq;
}

static enum err_code see_items(const struct tx *tx, uint32_t folder,
                               const struct folder_state *state, struct seen *seen, struct err *err)
{
    struct key key = key_item(folder, 0);
    struct store_item item;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        uint32_t uid = get_u32(scan.key.data + 8);

        if (uid == KEY_STATE || is_claimed(state, uid))
            continue;
        seen->uid_last = uid;
        if (code == ERR_NONE && item_unpack(scan.value, uid, &item))
            see_item(seen, &item, item_read_modseq(scan.value));
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* Also of uids that are gone, where they are not known any more. */
static enum err_code see_vanished(const struct tx *tx, uint32_t folder, struct seen *seen,
                                  struct err *err)
{
    struct key key = key_vanished(folder, 0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_VANISHED, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        uint64_t modseq = get_u64(scan.key.data + 8);
        struct uidset gone = {0};

        seen->vanished_rows++;
        if (modseq > seen->modseq)
            seen->modseq = modseq;
        if (code == ERR_NONE && ranges_unpack(scan.value, &gone) &&
            uidset_last(&gone) > seen->uid_last)
            seen->uid_last = uidset_last(&gone);
        uidset_release(&gone);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code see(const struct tx *tx, uint32_t folder, const struct folder_state *state,
                         struct seen *seen, struct err *err)
{
    enum err_code code;

    *seen = (struct seen){0};
    code = see_items(tx, folder, state, seen, err);
    return code == ERR_NONE ? see_vanished(tx, folder, seen, err) : code;
}

/* ---- a state that is lost ---- */

/* Which uids a client remembers is not known: a new UIDVALIDITY makes it ask for all. */
static enum err_code make_up(struct mend_run *run, struct mailbox_slot *mailbox, uint32_t folder,
                             struct folder_state *state, struct err *err)
{
    struct mailbox_state *counters = &mailbox->state;
    uint32_t now = (uint32_t)run->batch->now;
    struct seen seen;

    *state = (struct folder_state){0};
    if (see(&run->tx, folder, state, &seen, err) != ERR_NONE)
        return err->code;
    mailbox_slot_change(run->batch, mailbox);
    counters->last_uid_validity =
        counters->last_uid_validity >= now ? counters->last_uid_validity + 1 : now;
    state->uid_validity = counters->last_uid_validity;
    state->uid_next = seen.uid_last + 1;
    if (seen.uid_last > UID_MAX / 2)
        state->uid_next = seen.uid_last < UID_MAX ? seen.uid_last + 1 : UID_MAX;
    else if (seen.uid_last > 0)
        state->uid_next = seen.uid_last + REPAIR_ROOM_UIDS;
    state->vanished_floor = counters->modseq;
    mend_say(run, "the folder's own row is made anew, with a new UIDVALIDITY");
    return ERR_NONE;
}

enum err_code mend_folder_slot(struct mend_run *run, uint32_t folder, struct mailbox_slot **mailbox,
                               struct folder_slot **slot, struct err *err)
{
    struct key key = key_item(folder, KEY_STATE);
    uint8_t row[FOLDER_STATE_ROW];
    struct folder_state state;
    enum err_code code = mend_mailbox_slot(run, mailbox, err);

    if (code == ERR_NONE)
        code = batch_folder_any(run->batch, *mailbox, folder, slot, err);
    if ((code == ERR_NONE && (*slot)->present) || (code != ERR_NONE && code != ERR_CORRUPT))
        return code;
    if (make_up(run, *mailbox, folder, &state, err) != ERR_NONE)
        return err->code;
    if (code == ERR_CORRUPT) {
        folder_state_pack(row, &state);
        code = tx_put(&run->tx, TABLE_ITEM, &key, row, sizeof(row), err);
        if (code == ERR_NONE)
            code = batch_folder_any(run->batch, *mailbox, folder, slot, err);
    }
    if (code != ERR_NONE)
        return code;
    folder_slot_change(run->batch, *slot, CHANGE_FOLDERS);
    (*slot)->present = true;
    (*slot)->state = state;
    batch_modseq(run->batch, *slot, CHANGE_FOLDERS);
    return ERR_NONE;
}

/* ---- counts ---- */

static void set_counts(struct mend_run *run, struct folder_slot *slot, const struct seen *seen)
{
    struct folder_state *state = &slot->state;

    if (state->messages == seen->messages && state->bytes == seen->bytes &&
        state->unseen == seen->unseen && state->deleted == seen->deleted)
        return;
    folder_slot_change(run->batch, slot, 0);
    state->messages = seen->messages;
    state->bytes = seen->bytes;
    state->unseen = seen->unseen;
    state->deleted = seen->deleted;
    mend_say(run, "the folder counts %" PRIu32 " messages and %" PRIu64 " bytes now",
             seen->messages, seen->bytes);
}

/* What was given, as far as the rows show. */
static void raise_marks(struct mend_run *run, struct folder_slot *slot, const struct seen *seen)
{
    struct folder_state *state = &slot->state;

    if (seen->uid_last >= state->uid_next && seen->uid_last < UID_MAX) {
        folder_slot_change(run->batch, slot, CHANGE_NEW);
        state->uid_next = seen->uid_last + 1;
        mend_say(run, "UIDNEXT is raised to %" PRIu32, state->uid_next);
    }
    if (seen->modseq > state->highest_modseq) {
        folder_slot_change(run->batch, slot, CHANGE_FLAGS);
        state->highest_modseq = seen->modseq;
        mend_say(run, "HIGHESTMODSEQ is raised to %" PRIu64, seen->modseq);
    }
    if (state->highest_modseq > slot->mailbox->state.modseq) {
        mailbox_slot_change(run->batch, slot->mailbox);
        slot->mailbox->state.modseq = state->highest_modseq;
    }
    if (state->vanished_rows != seen->vanished_rows) {
        folder_slot_change(run->batch, slot, 0);
        state->vanished_rows = seen->vanished_rows;
        mend_say(run, "the rows of vanished uids are counted anew");
    }
}

enum err_code mend_folder(struct mend_run *run, struct err *err)
{
    uint32_t folder = run->mend->place.folder;
    struct mailbox_slot *mailbox;
    struct folder_slot *slot;
    struct seen seen;
    enum err_code code = mend_folder_slot(run, folder, &mailbox, &slot, err);

    if (code == ERR_NONE)
        code = see(&run->tx, folder, &slot->state, &seen, err);
    if (code != ERR_NONE)
        return code;
    raise_marks(run, slot, &seen);
    set_counts(run, slot, &seen);
    code = mend_keywords(run, slot, seen.keywords, err);
    return code == ERR_NONE ? mend_place(run, slot, err) : code;
}
