/* What others changed in the mailbox, as the store's writer tells it, until the session looks: one entry for
   each folder, however often it changed. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* ---- with the lock held ---- */

/* Where a folder's change is, or would be. */
static size_t position_of(const struct notify_feed *feed, uint32_t folder)
{
    size_t low = 0;
    size_t high = feed->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (feed->changes[middle].folder < folder)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add(struct notify_feed *feed, uint32_t folder, unsigned kinds)
{
    size_t at = position_of(feed, folder);

    if (at < feed->count && feed->changes[at].folder == folder) {
        feed->changes[at].kinds |= kinds;
        return;
    }
    if (feed->count == NOTIFY_CHANGES_MAX) {
        feed->overflow = true;
        return;
    }
    if (feed->count == feed->room) {
        feed->room = feed->room == 0 ? 8 : feed->room * 2;
        feed->changes = mem_grow(feed->changes, feed->room, sizeof(*feed->changes));
    }
    memmove(feed->changes + at + 1, feed->changes + at,
            (feed->count - at) * sizeof(*feed->changes));
    feed->changes[at] = (struct notify_change){folder, kinds};
    feed->count++;
}

static void add_entry(struct notify_feed *feed, uint32_t folder, const char *name)
{
    unsigned count = atomic_load(&feed->entry_count);

    for (unsigned i = 0; i < count; i++) {
        if (feed->entries[i].folder == folder && strcmp(feed->entries[i].name, name) == 0)
            return;
    }
    if (count == NOTIFY_ENTRIES_MAX) {
        feed->overflow = true;
        return;
    }
    if (feed->entries == NULL)
        feed->entries = mem_array(NOTIFY_ENTRIES_MAX, sizeof(*feed->entries));
    feed->entries[count] = (struct notify_entry){folder, mem_string(name)};
    atomic_store(&feed->entry_count, count + 1);
}

static void drop_entries(struct notify_feed *feed)
{
    for (unsigned i = atomic_load(&feed->entry_count); i > 0; i--)
        free(feed->entries[i - 1].name);
    atomic_store(&feed->entry_count, 0);
}

/* An entry of the owner's is a property of its name (metadata.h); other users' private ones begin otherwise. */
static bool note_entry(struct notify_feed *feed, const struct store_change *change)
{
    bool wanted = change->folder == 0 ? feed->wants_server_metadata : feed->wants_metadata;

    if (!wanted || (strncmp(change->property, "/private/", 9) != 0 &&
                    strncmp(change->property, "/shared/", 8) != 0))
        return false;
    add_entry(feed, change->folder, change->property);
    return true;
}

/* False: the client wants to know nothing of it. */
static bool note_property(struct notify_feed *feed, const struct store_change *change)
{
    if (change->folder != 0 && feed->wants_names && placeholder_is_property(change->property))
        return feed->names = true;
    if (change->folder == 0 && feed->wants_subscriptions &&
        subscription_is_property(change->property))
        return feed->subscriptions = true;
    return note_entry(feed, change);
}

static bool note(struct notify_feed *feed, const struct store_change *change)
{
    unsigned kinds = change->kinds & feed->kinds;
    bool names = feed->wants_names && (change->kinds & CHANGE_FOLDERS) != 0;

    if ((change->kinds & CHANGE_PROPERTY) != 0)
        return note_property(feed, change);
    feed->names |= names;
    if (kinds != 0)
        add(feed, change->folder, kinds);
    return names || kinds != 0;
}

/* ---- the writer's thread ---- */

/* RFC 5465 section 5: what this client did by itself it knows. */
static bool on_change(struct session_watcher *watcher, const struct store_change *change)
{
    struct notify_feed *feed =
        (struct notify_feed *)(void *)((char *)watcher - offsetof(struct notify_feed, watcher));
    bool noted;

    if (session_is_own_change(watcher->session, change))
        return false;
    pthread_mutex_lock(&feed->lock);
    noted = note(feed, change);
    if (noted)
        atomic_store(&feed->any, true);
    pthread_mutex_unlock(&feed->lock);
    return noted;
}

/* ---- its life ---- */

void notify_feed_init(struct notify_feed *feed)
{
    pthread_mutex_init(&feed->lock, NULL);
}

void notify_feed_release(struct notify_feed *feed)
{
    session_watcher_remove(&feed->watcher);
    drop_entries(feed);
    free(feed->entries);
    free(feed->changes);
    pthread_mutex_destroy(&feed->lock);
}

/* ---- the session ---- */

static unsigned kinds_for(unsigned events)
{
    unsigned kinds = 0;

    if ((events & NOTIFY_OF_MESSAGES) != 0)
        kinds |= CHANGE_NEW | CHANGE_GONE | CHANGE_FOLDERS;
    if ((events & NOTIFY_FLAGS) != 0)
        kinds |= CHANGE_FLAGS;
    return kinds;
}

void notify_feed_listen(struct notify_feed *feed, struct session *session,
                        struct store_mailbox *mailbox, unsigned events, unsigned selected)
{
    unsigned kinds = kinds_for(events | selected);

    pthread_mutex_lock(&feed->lock);
    feed->kinds = kinds;
    feed->wants_names = (events & NOTIFY_NAME) != 0;
    feed->wants_subscriptions = (events & NOTIFY_SUBSCRIPTION) != 0;
    feed->wants_metadata = (events & NOTIFY_METADATA) != 0;
    feed->wants_server_metadata = (events & NOTIFY_SERVER_METADATA) != 0;
    if ((events | selected) == 0) {
        feed->count = 0;
        drop_entries(feed);
    }
    pthread_mutex_unlock(&feed->lock);
    if ((events | selected) == 0) {
        session_watcher_remove(&feed->watcher);
    } else if (feed->watcher.session == NULL) {
        feed->watcher.changed = on_change;
        session_watcher_add(session, mailbox, &feed->watcher);
    }
}

void notify_feed_add(struct notify_feed *feed, uint32_t folder)
{
    pthread_mutex_lock(&feed->lock);
    if (feed->kinds != 0)
        add(feed, folder, feed->kinds);
    atomic_store(&feed->any, true);
    pthread_mutex_unlock(&feed->lock);
}

bool notify_feed_has(const struct notify_feed *feed)
{
    return atomic_load(&feed->count) > 0 || atomic_load(&feed->entry_count) > 0;
}

bool notify_feed_take_entry(struct notify_feed *feed, struct notify_entry *entry)
{
    unsigned count;

    pthread_mutex_lock(&feed->lock);
    count = atomic_load(&feed->entry_count);
    if (count > 0) {
        *entry = feed->entries[count - 1];
        atomic_store(&feed->entry_count, count - 1);
    }
    pthread_mutex_unlock(&feed->lock);
    return count > 0;
}

size_t notify_feed_take(struct notify_feed *feed, struct notify_change *changes, size_t room)
{
    size_t count;

    pthread_mutex_lock(&feed->lock);
    count = feed->count < room ? feed->count : room;
    for (size_t i = 0; i < count; i++)
        changes[i] = feed->changes[--feed->count];
    pthread_mutex_unlock(&feed->lock);
    return count;
}

/* Takes the change of one folder off. */
static bool take_one(struct notify_feed *feed, uint32_t folder)
{
    size_t at = position_of(feed, folder);

    if (at == feed->count || feed->changes[at].folder != folder)
        return false;
    feed->count--;
    memmove(feed->changes + at, feed->changes + at + 1,
            (feed->count - at) * sizeof(*feed->changes));
    return true;
}

static void gather_own(struct imap *imap)
{
    struct notify *notify = imap->notify;
    struct notify_feed *feed = &notify->feed;

    if (!atomic_exchange(&feed->any, false))
        return;
    pthread_mutex_lock(&feed->lock);
    if (imap->view != NULL && imap->view->mailbox == imap->mailbox)
        notify->selected |= take_one(feed, imap->view->folder);
    notify->names_again |= feed->names && notify->names.at != 0;
    notify->names_due |= feed->names;
    notify->subscriptions_due |= feed->subscriptions;
    notify->failed |= feed->overflow;
    feed->names = feed->subscriptions = feed->overflow = false;
    pthread_mutex_unlock(&feed->lock);
}

/* Of the other folders of that mailbox nothing is told. */
static void gather_elsewhere(struct imap *imap)
{
    struct notify_feed *feed = &imap->notify->elsewhere;

    if (!atomic_exchange(&feed->any, false))
        return;
    pthread_mutex_lock(&feed->lock);
    if (imap->view != NULL)
        imap->notify->selected |= take_one(feed, imap->view->folder);
    feed->count = 0;
    feed->overflow = false;
    pthread_mutex_unlock(&feed->lock);
}

void notify_gather(struct imap *imap)
{
    gather_own(imap);
    gather_elsewhere(imap);
}
