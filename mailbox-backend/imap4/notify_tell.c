/* Tells what NOTIFY asked for while the client waits: the selected folder first, then others, each once
   for all that happened to it, then names and subscriptions. */
#include <stdlib.h>

#include "common/log.h"
#include "mailbox-backend/imap4/fetch.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/imap4/status.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/mime/imap_string.h"

#define SLICE 32u /* folders of one snapshot */

/* Names and subscriptions are compared on a worker where there are more. */
#define LONG_LIST 500u

/* ---- STATUS ---- */

/* RFC 5465 sections 3.1, 5.1 and 5.2: one answer that has enough for each of the events. Without CONDSTORE a change
   of flags shows in UNSEEN only. */
static unsigned items_for(const struct imap *imap, unsigned events, bool initial)
{
    bool flags = (events & NOTIFY_FLAGS) != 0;

    return status_basic_items(flags, condstore_is_enabled(imap) || (initial && flags));
}

static bool is_about(unsigned kinds, unsigned events)
{
    if ((kinds & CHANGE_FLAGS) != 0 && (events & NOTIFY_FLAGS) != 0)
        return true;
    return (kinds & (CHANGE_NEW | CHANGE_GONE | CHANGE_FOLDERS)) != 0 &&
           (events & NOTIFY_OF_MESSAGES) != 0;
}

enum err_code notify_tell_status(struct command *command, const struct notify_spec *spec,
                                 struct store_read *read, uint32_t id, unsigned kinds, bool initial,
                                 struct err *err)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str path;
    enum err_code code = store_folder_get(read, id, &folder, err);

    if (code == ERR_NONE && !placeholder_is(read, &folder))
        code = path_of(read, &folder, &arena, &path, err);
    else
        code = code == ERR_NONE ? ERR_NOT_FOUND : code;
    if (code == ERR_NONE) {
        bool subscribed = subscription_has(read, path);
        unsigned events = notify_events_of(spec, path, subscribed);

        if (is_about(kinds, events) ||
            (initial && events == 0 && notify_is_named(spec, path, subscribed)))
            code = status_tell(command, read, &folder, path,
                               items_for(command->imap, events, initial), err);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- one kind of news after the other ---- */

/* What cannot be read now would never be told: the client has to know. */
static void fail(struct command *command, const struct err *err)
{
    log_warning(session_who(command->imap->session), "cannot tell what changed: %s", err->text);
    command->imap->notify->failed = true;
}

static enum err_code tell_changes(struct command *command, struct store_read *read, bool *more,
                                  struct err *err)
{
    struct imap *imap = command->imap;
    struct notify *notify = imap->notify;
    struct notify_change changes[SLICE];
    size_t count = notify_feed_take(&notify->feed, changes, SLICE);

    *more = count == SLICE;
    for (size_t i = 0; i < count; i++) {
        if (notify_is_selected(imap, changes[i].folder))
            notify->selected = true;
        else if (notify_tell_status(command, notify->spec, read, changes[i].folder,
                                    changes[i].kinds, false, err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

static enum err_code tell_names(struct command *command, struct store_read *read, struct err *err)
{
    struct notify *notify = command->imap->notify;
    bool done;

    if (notify_names_pass(command, &notify->names, notify->spec, read, &done, err) != ERR_NONE)
        return err->code;
    if (done) {
        notify->names_due = notify->names_again;
        notify->names_again = false;
    }
    return ERR_NONE;
}

static enum err_code tell_subscriptions(struct command *command, struct store_read *read,
                                        struct err *err)
{
    struct notify *notify = command->imap->notify;
    bool done;

    if (notify_subscriptions_pass(command, &notify->subscriptions, notify->spec, read, &done,
                                  err) != ERR_NONE)
        return err->code;
    notify->subscriptions_due = !done;
    return ERR_NONE;
}

/* RFC 5465 sections 5.6 and 5.7: the names of what changed, without values (RFC 5464 section 4.4.2). */
static void write_entry(struct command *command, struct str path, const char *name)
{
    struct buf *out = command_output(command);

    buf_text(out, "* METADATA ");
    if (path.length == 0)
        buf_text(out, "\"\"");
    else
        mailbox_name_write(command, path);
    buf_byte(out, ' ');
    imap_string_write(out, str_of(name));
    buf_text(out, "\r\n");
}

static enum err_code tell_entry(struct command *command, struct store_read *read,
                                const struct notify_entry *entry, struct err *err)
{
    const struct notify_spec *spec = command->imap->notify->spec;
    struct arena arena = {0};
    struct store_folder folder;
    struct str path = {0};
    enum err_code code;

    if (entry->folder == 0) {
        write_entry(command, path, entry->name);
        return ERR_NONE;
    }
    code = store_folder_get(read, entry->folder, &folder, err);
    if (code == ERR_NONE)
        code = path_of(read, &folder, &arena, &path, err);
    if (code == ERR_NONE &&
        (notify_events_of(spec, path, subscription_has(read, path)) & NOTIFY_METADATA) != 0)
        write_entry(command, path, entry->name);
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code tell_entries(struct command *command, struct store_read *read, struct err *err)
{
    struct notify_entry entry;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && command_has_room(command) &&
           notify_feed_take_entry(&command->imap->notify->feed, &entry)) {
        code = tell_entry(command, read, &entry, err);
        free(entry.name);
    }
    return code;
}

static enum err_code tell_some(struct command *command, bool *more, struct err *err)
{
    struct notify *notify = command->imap->notify;
    struct store_read *read;
    enum err_code code = store_read_begin(command->imap->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = tell_changes(command, read, more, err);
    if (code == ERR_NONE && !*more && notify->names_due)
        code = tell_names(command, read, err);
    if (code == ERR_NONE && !*more && !notify->names_due && notify->subscriptions_due)
        code = tell_subscriptions(command, read, err);
    if (code == ERR_NONE)
        code = tell_entries(command, read, err);
    store_read_end(&read);
    *more |= notify->names_due || notify->subscriptions_due || notify_feed_has(&notify->feed);
    return code;
}

static bool is_long(const struct notify *notify)
{
    return (notify->names_due && notify->names.count > LONG_LIST) ||
           (notify->subscriptions_due && notify->subscriptions.count > LONG_LIST);
}

/* Of folders that are not selected. More changes of them wait a little. */
static enum step tell_others(struct command *command)
{
    struct notify *notify = command->imap->notify;
    bool more = false;
    struct err err;

    if (is_long(notify) && (command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (tell_some(command, &more, &err) != ERR_NONE)
        fail(command, &err);
    else if (!more) {
        notify->paused = true;
        session_set_pause(command->imap->session, NOTIFY_PAUSE);
    }
    return STEP_NEXT;
}

/* ---- the selected folder ---- */

static bool tell_selected(struct command *command)
{
    struct notify *notify = command->imap->notify;

    if (!update_run(command, !notify->spec->delayed))
        return false;
    notify->selected = false;
    return true;
}

/* RFC 5465 section 5.2. Its UID is told whatever was asked for. */
static enum step fetch_arrived(struct command *command)
{
    struct imap *imap = command->imap;
    struct notify *notify = imap->notify;
    struct fetch_request request;

    parse_init(&command->args, &command->arena, notify->spec->fetch);
    command->args.utf8 = (imap->enabled & ENABLED_UTF8) != 0;
    view_known_uids(imap->view, &notify->arrived, &command->uids);
    uidset_release(&notify->arrived);
    if ((imap->selected.rights & RIGHT_READ) == 0 || !fetch_parse_list(&command->args, &request))
        return command_ok(command, NULL);
    if ((request.kinds & FETCH_MODSEQ) != 0)
        condstore_enable(command);
    return fetch_unasked(command, &request);
}

static enum step overflow(struct command *command)
{
    untagged(command,
             "OK [NOTIFICATIONOVERFLOW] Too much has changed, NOTIFY NONE holds from here");
    notify_stop(command->imap);
    return command_ok(command, NULL);
}

enum step notify_tell(struct command *command)
{
    struct imap *imap = command->imap;
    struct notify *notify = imap->notify;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (imap->update.phase == UPDATE_LOOK) { /* else it goes on with what it began */
        notify_gather(imap);
        selected_refresh(command, &err); /* when it fails there are no rights */
    }
    if (notify->failed)
        return overflow(command);
    if (notify->selected && !tell_selected(command))
        return update_step(command);
    if (imap->ended)
        return command_ok(command, NULL);
    if (!uidset_is_empty(&notify->arrived))
        return fetch_arrived(command);
    if (notify_has_more(imap))
        return tell_others(command);
    return command_ok(command, NULL);
}
