/* NOTIFY (RFC 5465 section 3.1). */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/imap4/place.h"

#define SLICE 64u /* folders of one snapshot */

struct asked {
    struct notify_spec *spec;              /* until it is in force */
    bool reads_names, reads_subscriptions; /* else the session's are good already, or not needed: */
    struct notify_names names;
    struct notify_subscriptions subscriptions;
    uint32_t at; /* STATUS was told up to this folder */
};

static unsigned events_now(const struct notify *notify)
{
    return notify->spec != NULL ? notify_all_events(notify->spec) : 0;
}

static unsigned selected_now(const struct notify *notify)
{
    return notify->spec != NULL ? notify->spec->selected : 0;
}

/* A command that failed leaves all as it was. */
static void cleanup(struct command *command)
{
    struct asked *asked = command->data;
    struct notify *notify = command->imap->notify;

    if (asked->spec != NULL && notify != NULL)
        notify_feed_listen(&notify->feed, command->imap->session, command->imap->mailbox,
                           events_now(notify), selected_now(notify));
    notify_spec_destroy(&asked->spec);
    notify_names_release(&asked->names);
    notify_subscriptions_release(&asked->subscriptions);
}

static enum step fail(struct command *command, const struct err *err)
{
    if (err->code == ERR_LIMIT)
        return command_no(command, "NOTIFICATIONOVERFLOW", "There is too much to be watched");
    return command_fail(command, err);
}

/* ---- STATUS of all that is asked for ---- */

static enum err_code tell_slice(struct command *command, struct store_read *read, bool *done,
                                struct err *err)
{
    struct asked *asked = command->data;
    struct imap *imap = command->imap;
    enum err_code code = ERR_NONE;

    for (unsigned i = 0; i < SLICE && code == ERR_NONE && !*done; i++) {
        struct store_folder folder;

        code = store_folder_after(read, asked->at, &folder, err);
        *done = code == ERR_NOT_FOUND;
        if (code != ERR_NONE)
            continue;
        asked->at = folder.id;
        if (folder.id != STORE_ROOT_FOLDER && !notify_is_selected(imap, folder.id))
            code = notify_tell_status(command, imap->notify->spec, read, folder.id,
                                      CHANGE_NEW | CHANGE_FLAGS, true, err);
    }
    return *done ? ERR_NONE : code;
}

static enum step tell_status(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    bool done = false;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!command_read(command, &read))
        return command_ended(command);
    code = tell_slice(command, read, &done, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    return done ? command_ok(command, NULL) : STEP_NEXT;
}

/* ---- others' folders ---- */

/* Only those of one's own mailbox are watched, so far as they are not selected: of others' that the user may see the
   client is told that it will hear nothing (RFC 5465 section 3.1). */
static void tell_if_foreign(struct command *command, struct str path)
{
    struct store_folder folder;
    struct store_read *read;
    struct place place;
    struct err err;
    enum err_code code;

    if (place_of(command, path, &place, &err) != ERR_NONE || place.kind == PLACE_OWN ||
        place.mailbox == NULL || store_read_begin(place.mailbox, &read, &err) != ERR_NONE)
        return;
    code = place_find(command, &place, ON_NAMED, read, &folder, &err);
    store_read_end(&read);
    if (code != ERR_NONE && code != ERR_DENIED)
        return;
    buf_text(command_output(command), "* LIST (\\NoAccess) \"/\" ");
    mailbox_name_write(command, place.name);
    buf_text(command_output(command), "\r\n");
}

static void tell_no_access(struct command *command)
{
    const struct notify_spec *spec = command->imap->notify->spec;

    for (const struct notify_group *group = spec->groups; group != NULL; group = group->next) {
        for (size_t i = 0; i < group->count && group->events != 0; i++)
            tell_if_foreign(command, group->names[i]);
    }
}

/* ---- what the client knows from now on ---- */

/* The update at the command's end is the NOOP that this implies. */
static enum step put_in_force(struct command *command)
{
    struct asked *asked = command->data;
    struct notify *notify = command->imap->notify;
    unsigned events = notify_all_events(asked->spec);

    notify_spec_destroy(&notify->spec);
    notify->spec = asked->spec;
    asked->spec = NULL;
    if (asked->reads_names || (events & NOTIFY_NAME) == 0) {
        notify_names_release(&notify->names);
        notify->names = asked->names;
        asked->names = (struct notify_names){0};
    }
    if (asked->reads_subscriptions || (events & NOTIFY_SUBSCRIPTION) == 0) {
        notify_subscriptions_release(&notify->subscriptions);
        notify->subscriptions = asked->subscriptions;
        asked->subscriptions = (struct notify_subscriptions){0};
    }
    notify_feed_listen(&notify->feed, command->imap->session, command->imap->mailbox, events,
                       notify->spec->selected);
    notify_selected(command->imap);
    tell_no_access(command);
    if (!notify->spec->status)
        return command_ok(command, NULL);
    command->run = tell_status;
    return tell_status(command);
}

static enum err_code read_some(struct asked *asked, struct command *command,
                               struct store_read *read, bool *done, struct err *err)
{
    *done = true;
    if (asked->reads_names &&
        notify_names_pass(command, &asked->names, NULL, read, done, err) != ERR_NONE)
        return err->code;
    if (*done && asked->reads_subscriptions)
        return notify_subscriptions_pass(command, &asked->subscriptions, NULL, read, done, err);
    return ERR_NONE;
}

static enum step read_known(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    bool done;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!command_read(command, &read))
        return command_ended(command);
    code = read_some(command->data, command, read, &done, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return fail(command, &err);
    return done ? put_in_force(command) : STEP_NEXT;
}

/* From here on changes are noted, so that none slips through between what is read now and what comes. */
static enum step begin(struct command *command)
{
    struct asked *asked = command->data;
    struct imap *imap = command->imap;
    unsigned events = notify_all_events(asked->spec);
    unsigned before;

    if (imap->notify == NULL)
        imap->notify = notify_create();
    before = events_now(imap->notify);
    asked->reads_names = (events & ~before & NOTIFY_NAME) != 0;
    asked->reads_subscriptions = (events & ~before & NOTIFY_SUBSCRIPTION) != 0;
    notify_feed_listen(&imap->notify->feed, imap->session, imap->mailbox, before | events,
                       selected_now(imap->notify) | asked->spec->selected);
    command->run = read_known;
    return read_known(command);
}

/* ---- the command ---- */

static enum step set(struct command *command)
{
    struct asked *asked = arena_alloc(&command->arena, sizeof(*asked));

    asked->spec = mem_alloc(sizeof(*asked->spec));
    command->data = asked;
    command->cleanup = cleanup;
    switch (notify_parse(command, asked->spec)) {
    case NOTIFY_PARSED:
        return begin(command);
    case NOTIFY_INVALID:
        return command_bad_syntax(command);
    case NOTIFY_BAD_EVENT:
        return command_no(command, notify_bad_event, "An event is not supported");
    case NOTIFY_TOO_MUCH:
        break;
    }
    return command_no(command, "NOTIFICATIONOVERFLOW", "There is too much to be watched");
}

enum step cmd_notify(struct command *command)
{
    struct parse *args = &command->args;
    struct imap *imap = command->imap;

    command->tells_all = true;
    if (parse_word(args, "SET"))
        return parse_space(args) ? set(command) : command_bad_syntax(command);
    if (!parse_word(args, "NONE")) {
        parse_fail(args, args->at, "Expected SET or NONE");
        return command_bad_syntax(command);
    }
    if (!parse_end(args))
        return command_bad_syntax(command);
    if (imap->notify == NULL)
        imap->notify = notify_create();
    notify_stop(imap);
    return command_ok(command, NULL);
}
