/* \Recent: a watermark for each folder, in memory only. A folder that got nothing since the process
   started, and was not selected, has none: nothing in it is recent. So it is again with a folder that
   nobody has come to for longest, where a mailbox has very many. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/database.h"

#define RECENTS_MOST 1024u

/* Where the folder is, or would be: they are in order. */
static size_t place_of(const struct store_mailbox *mailbox, uint32_t folder)
{
    size_t low = 0, high = mailbox->recent_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (mailbox->recents[middle].folder < folder)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct recent *find(struct store_mailbox *mailbox, uint32_t folder)
{
    size_t at = place_of(mailbox, folder);

    if (at == mailbox->recent_count || mailbox->recents[at].folder != folder)
        return NULL;
    mailbox->recents[at].used = ++mailbox->recent_uses;
    return &mailbox->recents[at];
}

static void drop_oldest(struct store_mailbox *mailbox)
{
    size_t oldest = 0;

    for (size_t i = 1; i < mailbox->recent_count; i++)
        if (mailbox->recents[i].used < mailbox->recents[oldest].used)
            oldest = i;
    mailbox->recent_count--;
    memmove(&mailbox->recents[oldest], &mailbox->recents[oldest + 1],
            (mailbox->recent_count - oldest) * sizeof(*mailbox->recents));
}

static void set(struct store_mailbox *mailbox, uint32_t folder, uint32_t from)
{
    size_t at;

    if (mailbox->recent_count == RECENTS_MOST)
        drop_oldest(mailbox);
    mailbox->recents =
        mem_grow(mailbox->recents, mailbox->recent_count + 1, sizeof(*mailbox->recents));
    at = place_of(mailbox, folder);
    memmove(&mailbox->recents[at + 1], &mailbox->recents[at],
            (mailbox->recent_count - at) * sizeof(*mailbox->recents));
    mailbox->recent_count++;
    mailbox->recents[at] =
        (struct recent){.folder = folder, .from = from, .used = ++mailbox->recent_uses};
}

void recent_arrived(struct store_mailbox *mailbox, uint32_t folder, uint32_t uid)
{
    pthread_mutex_lock(&mailbox->lock);
    if (find(mailbox, folder) == NULL)
        set(mailbox, folder, uid);
    pthread_mutex_unlock(&mailbox->lock);
}

uint32_t store_recent_claim(struct store_mailbox *mailbox, uint32_t folder, uint32_t uid_next)
{
    uint32_t from = uid_next;
    struct recent *recent;

    pthread_mutex_lock(&mailbox->lock);
    recent = find(mailbox, folder);
    if (recent == NULL) {
        set(mailbox, folder, uid_next);
    } else {
        from = recent->from;
        if (uid_next > recent->from)
            recent->from = uid_next;
    }
    pthread_mutex_unlock(&mailbox->lock);
    return from;
}

uint32_t store_recent_peek(struct store_mailbox *mailbox, uint32_t folder)
{
    const struct recent *recent;
    uint32_t from;

    pthread_mutex_lock(&mailbox->lock);
    recent = find(mailbox, folder);
    from = recent == NULL ? UINT32_MAX : recent->from;
    pthread_mutex_unlock(&mailbox->lock);
    return from;
}
