/* Tells the client what others changed in the selected folder (RFC 3501 sections 5.2, 7.3, 7.4). */
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/place.h"

#define SLICE 64 /* items and EXPUNGE responses between two looks at the room left */

void update_release(struct update *update)
{
    uidset_release(&update->news.arrived);
    *update = (struct update){0};
}

/* A folder that was deleted cannot be told of message by message: its sessions end, as RFC 2180
   section 3.3 allows. */
static void folder_is_gone(struct command *command)
{
    untagged(command, "BYE The selected mailbox was deleted");
    command->imap->ended = true;
}

static enum update_phase fail(struct command *command, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        folder_is_gone(command);
    else
        log_warning(session_who(command->imap->session), "cannot look for changes: %s", err->text);
    return UPDATE_DONE;
}

/* ---- phases ---- */

static enum err_code look_at(struct imap *imap, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(imap->view->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = view_look(imap->view, read, &imap->update.news, err);
    store_read_end(&read);
    return code;
}

static enum update_phase look(struct command *command, bool with_expunge)
{
    struct update *update = &command->imap->update;
    struct view *view = command->imap->view;
    struct err err;

    update->last_known = view->uid_next - 1;
    update->next_uid = 1;
    if (look_at(command->imap, &err) != ERR_NONE)
        return fail(command, &err);
    if (!notify_wants_messages(command))
        return UPDATE_DONE; /* nor flags, which go with them */
    if (!with_expunge || uidset_is_empty(&view->gone))
        return UPDATE_EXISTS;
    update->ranges_left = view->gone.count;
    update->uids_left = 0;
    return UPDATE_EXPUNGE;
}

/* All of it in one answer, which leaves the numbers of the others to the client. */
static enum update_phase tell_vanished(struct command *command)
{
    struct update *update = &command->imap->update;
    struct view *view = command->imap->view;
    size_t at = view->gone.count - update->ranges_left;

    vanished_tell(command, &view->gone, &at, false);
    update->ranges_left = view->gone.count - at;
    if (update->ranges_left > 0)
        return UPDATE_EXPUNGE;
    view_drop_gone(view);
    return UPDATE_EXISTS;
}

/* From the highest down: so no EXPUNGE changes the number of one that follows. */
static enum update_phase tell_expunged(struct command *command)
{
    struct update *update = &command->imap->update;
    struct view *view = command->imap->view;

    if ((command->imap->enabled & (ENABLED_QRESYNC | ENABLED_UIDONLY)) != 0)
        return tell_vanished(command);
    for (unsigned i = 0; i < SLICE; i++) {
        const struct uid_range *range;

        if (update->ranges_left == 0) {
            view_drop_gone(view);
            return UPDATE_EXISTS;
        }
        range = &view->gone.ranges[update->ranges_left - 1];
        if (update->uids_left == 0)
            update->uids_left = range->last - range->first + 1;
        update->uids_left--;
        untagged(command, "%u EXPUNGE", view_sequence(view, range->first + update->uids_left));
        if (update->uids_left == 0)
            update->ranges_left--;
    }
    return UPDATE_EXPUNGE;
}

static enum update_phase tell_arrived(struct command *command)
{
    struct update *update = &command->imap->update;
    struct view *view = command->imap->view;

    if (!uidset_is_empty(&update->news.arrived)) {
        view_add_arrived(view, &update->news);
        size_tell(command);
        notify_arrived(command->imap, &update->news.arrived);
    }
    return update->news.flags && notify_wants_flags(command) ? UPDATE_FLAGS : UPDATE_DONE;
}

/* What changed after news.modseq is left to the next look. */
static bool is_to_be_told(const struct imap *imap, const struct store_item *item)
{
    return item->modseq <= imap->update.news.modseq && !view_is_own(imap->view, item->modseq) &&
           uidset_has(&imap->view->uids, item->uid) && !uidset_has(&imap->view->gone, item->uid);
}

static enum err_code tell_flags_slice(struct command *command, struct store_read *read,
                                      size_t *count, struct err *err)
{
    struct update *update = &command->imap->update;
    struct view *view = command->imap->view;
    struct store_item items[SLICE];
    enum err_code code = store_item_scan(read, view->folder, update->next_uid, update->last_known,
                                         view->modseq, items, SLICE, count, err);

    if (code == ERR_NONE)
        code = flags_learn(command, read, items, *count, err);
    if (code != ERR_NONE || *count == 0)
        return code;
    for (size_t i = 0; i < *count; i++) {
        if (is_to_be_told(command->imap, &items[i]))
            flags_tell_item(command, &items[i]);
    }
    update->next_uid = items[*count - 1].uid + 1;
    return ERR_NONE;
}

static enum update_phase tell_flags(struct command *command)
{
    struct imap *imap = command->imap;
    struct update *update = &imap->update;
    struct store_read *read;
    size_t count = 0;
    struct err err;
    enum err_code code = ERR_NONE;

    if (update->next_uid <= update->last_known) {
        code = store_read_begin(imap->view->mailbox, &read, &err);
        if (code == ERR_NONE) {
            code = tell_flags_slice(command, read, &count, &err);
            store_read_end(&read);
        }
    }
    if (code != ERR_NONE)
        return fail(command, &err);
    if (count == SLICE)
        return UPDATE_FLAGS;
    view_told(imap->view, &update->news);
    return UPDATE_DONE;
}

static enum update_phase next_phase(struct command *command, bool with_expunge)
{
    switch (command->imap->update.phase) {
    case UPDATE_LOOK:
        return look(command, with_expunge);
    case UPDATE_EXPUNGE:
        return tell_expunged(command);
    case UPDATE_EXISTS:
        return tell_arrived(command);
    case UPDATE_FLAGS:
        return tell_flags(command);
    case UPDATE_DONE:
        break;
    }
    return UPDATE_DONE;
}

/* ---- the whole ---- */

bool update_run(struct command *command, bool with_expunge)
{
    struct imap *imap = command->imap;
    struct update *update = &imap->update;

    if (imap->view == NULL || imap->ended || (imap->selected.rights & RIGHT_READ) == 0)
        return true;
    while (update->phase != UPDATE_DONE) {
        enum update_phase before = update->phase;

        update->phase = next_phase(command, with_expunge);
        if (before == update->phase) /* a slice was told, and there is more */
            return false;
    }
    update_release(update);
    return true;
}

enum step update_step(const struct command *command)
{
    return command_has_room(command) ? STEP_NEXT : STEP_MORE;
}
