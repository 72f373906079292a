#include "mailbox-backend/pop3/lock.h"

#include <pthread.h>
#include <string.h>

#define BUCKETS 1024u

/* All locks that are held in this process. A GUID is random, so its first bytes are a hash. */
static struct maildrop_lock *buckets[BUCKETS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static struct maildrop_lock **bucket_of(const struct store_guid *guid)
{
    return &buckets[(guid->bytes[0] * 256u + guid->bytes[1]) % BUCKETS];
}

bool maildrop_lock_take(struct maildrop_lock *lock, const struct store_guid *guid)
{
    struct maildrop_lock **bucket = bucket_of(guid);
    const struct maildrop_lock *other;

    pthread_mutex_lock(&guard);
    for (other = *bucket; other != NULL; other = other->next)
        if (memcmp(&other->guid, guid, sizeof(*guid)) == 0)
            break;
    if (other == NULL) {
        lock->guid = *guid;
        lock->held = true;
        lock->next = *bucket;
        *bucket = lock;
    }
    pthread_mutex_unlock(&guard);
    return other == NULL;
}

void maildrop_lock_release(struct maildrop_lock *lock)
{
    struct maildrop_lock **link;

    if (!lock->held)
        return;
    pthread_mutex_lock(&guard);
    for (link = bucket_of(&lock->guid); *link != lock; link = &(*link)->next)
        ;
    *link = lock->next;
    lock->held = false;
    pthread_mutex_unlock(&guard);
}
