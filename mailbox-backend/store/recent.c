/* \Recent: a watermark for each folder, in memory only. A folder that got nothing since the process
   started, and was not selected, has none: nothing in it is recent. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/database.h"

static struct recent *find(struct store_mailbox *mailbox, uint32_t folder)
{
    for (size_t i = 0; i < mailbox->recent_count; i++)
        if (mailbox->recents[i].folder == folder)
            return &mailbox->recents[i];
    return NULL;
}

static void set(struct store_mailbox *mailbox, uint32_t folder, uint32_t from)
{
    mailbox->recents =
        mem_grow(mailbox->recents, mailbox->recent_count + 1, sizeof(*mailbox->recents));
    mailbox->recents[mailbox->recent_count++] = (struct recent){folder, from};
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
