/* What the engine sees of NOTIFY. */
#include "mailbox-backend/imap4/notify.h"

#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/notify_private.h"

/* ---- its life ---- */

struct notify *notify_create(void)
{
    struct notify *notify = mem_alloc(sizeof(*notify));

    notify_feed_init(&notify->feed);
    notify_feed_init(&notify->elsewhere);
    return notify;
}

void notify_spec_destroy(struct notify_spec **spec)
{
    if (*spec != NULL)
        arena_reset(&(*spec)->arena);
    free(*spec);
    *spec = NULL;
}

void notify_stop(struct imap *imap)
{
    struct notify *notify = imap->notify;

    notify_feed_listen(&notify->feed, imap->session, imap->mailbox, 0, 0);
    notify_feed_listen(&notify->elsewhere, imap->session, NULL, 0, 0);
    notify_spec_destroy(&notify->spec);
    notify_names_release(&notify->names);
    notify_subscriptions_release(&notify->subscriptions);
    uidset_release(&notify->arrived);
    uidset_release(&notify->own);
    notify->selected = notify->failed = false;
    notify->names_due = notify->names_again = notify->subscriptions_due = false;
}

void notify_destroy(struct notify **out)
{
    struct notify *notify = *out;

    if (notify == NULL)
        return;
    notify_feed_release(&notify->feed);
    notify_feed_release(&notify->elsewhere);
    notify_spec_destroy(&notify->spec);
    notify_names_release(&notify->names);
    notify_subscriptions_release(&notify->subscriptions);
    uidset_release(&notify->arrived);
    uidset_release(&notify->own);
    free(notify);
    *out = NULL;
}

/* ---- when ---- */

bool notify_has_more(const struct imap *imap)
{
    const struct notify *notify = imap->notify;

    return !notify->paused &&
           (notify_feed_has(&imap->notify->feed) || notify->names_due || notify->subscriptions_due);
}

bool notify_is_due(struct imap *imap)
{
    struct notify *notify = imap->notify;

    if (notify == NULL || notify->spec == NULL)
        return false;
    notify_gather(imap);
    return notify->failed || (notify->selected && imap->view != NULL) ||
           !uidset_is_empty(&notify->arrived) || notify_has_more(imap);
}

void notify_begin(struct imap *imap)
{
    /* by uid: FETCH responses have the UID, and a message that has gone is no error */
    static const struct imap_command entry = {"NOTIFY events", STATE_ANY, CMD_UID, notify_tell};

    command_begin_inner(imap, &entry);
}

bool notify_interrupt(struct command *command, bool now)
{
    struct imap *imap = command->imap;

    if (now && imap->notify != NULL)
        imap->notify->paused = false;
    if (!notify_is_due(imap))
        return false;
    notify_begin(imap);
    return true;
}

void notify_pause_over(struct imap *imap)
{
    if (imap->notify != NULL)
        imap->notify->paused = false;
}

/* ---- the selected folder ---- */

bool notify_is_selected(const struct imap *imap, uint32_t folder)
{
    return imap->view != NULL && imap->view->mailbox == imap->mailbox &&
           imap->view->folder == folder;
}

/* RFC 5465 section 3.1: what was not asked for is not told at all, but for what the command itself is about. */
static bool wants(const struct command *command, unsigned event)
{
    const struct notify *notify = command->imap->notify;

    if (notify == NULL || command->tells_all)
        return true;
    return notify->spec != NULL && (notify->spec->selected & event) != 0;
}

bool notify_wants_messages(const struct command *command)
{
    return wants(command, NOTIFY_NEW);
}

bool notify_wants_flags(const struct command *command)
{
    return wants(command, NOTIFY_FLAGS);
}

void notify_arrived(struct imap *imap, const struct uidset *uids)
{
    struct notify *notify = imap->notify;

    if (notify == NULL || notify->spec == NULL || notify->spec->fetch.length == 0)
        return;
    for (size_t i = 0; i < uids->count; i++)
        uidset_add_range(&notify->arrived, uids->ranges[i].first, uids->ranges[i].last);
    uidset_subtract(&notify->arrived, &notify->own);
    uidset_release(&notify->own);
}

void notify_own_arrivals(struct imap *imap, const struct store_mailbox *mailbox, uint32_t folder,
                         uint32_t first, uint32_t last)
{
    struct notify *notify = imap->notify;

    if (notify == NULL || notify->spec == NULL || notify->spec->fetch.length == 0 ||
        imap->view == NULL || imap->view->mailbox != mailbox || imap->view->folder != folder)
        return;
    uidset_add_range(&notify->own, first, last);
}

void notify_selected(struct imap *imap)
{
    struct notify *notify = imap->notify;

    if (notify != NULL && notify->spec != NULL && imap->view != NULL &&
        imap->view->mailbox != imap->mailbox)
        notify_feed_listen(&notify->elsewhere, imap->session, imap->view->mailbox, 0,
                           notify->spec->selected);
}

/* What it was not told of the folder is news again once that is one of the others. */
void notify_unselected(struct imap *imap)
{
    struct notify *notify = imap->notify;

    if (notify == NULL)
        return;
    notify_feed_listen(&notify->elsewhere, imap->session, NULL, 0, 0);
    if (notify->spec != NULL && imap->view->mailbox == imap->mailbox &&
        (notify->selected || !uidset_is_empty(&imap->view->gone)))
        notify_feed_add(&notify->feed, imap->view->folder);
    notify->selected = false;
    uidset_release(&notify->arrived);
    uidset_release(&notify->own);
}

/* ---- changes of its own ---- */

void notify_own_operation(struct imap *imap, const struct store_op *op)
{
    struct notify *notify = imap->notify;

    if (notify == NULL || notify->spec == NULL || op->mailbox != imap->mailbox ||
        op->err.code != ERR_NONE || op->modseq == 0 ||
        (notify_all_events(notify->spec) & NOTIFY_NAME) == 0)
        return;
    notify_names_learn(&notify->names, op);
}

void notify_own_subscription(struct imap *imap, struct str path, bool subscribed)
{
    struct notify *notify = imap->notify;

    if (notify == NULL || notify->spec == NULL ||
        (notify_all_events(notify->spec) & NOTIFY_SUBSCRIPTION) == 0)
        return;
    notify_subscriptions_learn(&notify->subscriptions, path, subscribed);
}
