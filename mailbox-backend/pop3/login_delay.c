#include "mailbox-backend/pop3/login_delay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define BUCKETS 1024u

struct login_time {
    struct store_guid guid;
    uint64_t time;
    struct login_time *next;
};

static struct login_time *buckets[BUCKETS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* A GUID is random, so its first bytes are a hash. */
static struct login_time **bucket_of(const struct store_guid *guid)
{
    return &buckets[(guid->bytes[0] * 256u + guid->bytes[1]) % BUCKETS];
}

static bool is_of(const struct login_time *entry, const struct store_guid *guid)
{
    return memcmp(&entry->guid, guid, sizeof(*guid)) == 0;
}

uint64_t login_delay_left(const struct store_guid *guid, uint64_t now, uint64_t delay)
{
    const struct login_time *entry;
    uint64_t left = 0;

    pthread_mutex_lock(&guard);
    for (entry = *bucket_of(guid); entry != NULL && !is_of(entry, guid); entry = entry->next)
        ;
    if (entry != NULL && entry->time + delay > now)
        left = entry->time + delay - now;
    pthread_mutex_unlock(&guard);
    return left;
}

/* Takes out this one and those whose delay is over. */
static void clean(struct login_time **link, const struct store_guid *guid, uint64_t now,
                  uint64_t delay)
{
    while (*link != NULL) {
        struct login_time *entry = *link;

        if (!is_of(entry, guid) && entry->time + delay > now) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        free(entry);
    }
}

void login_delay_note(const struct store_guid *guid, uint64_t now, uint64_t delay)
{
    struct login_time **bucket = bucket_of(guid);
    struct login_time *entry;

    pthread_mutex_lock(&guard);
    clean(bucket, guid, now, delay);
    if (delay > 0) {
        entry = mem_alloc(sizeof(*entry));
        *entry = (struct login_time){.guid = *guid, .time = now, .next = *bucket};
        *bucket = entry;
    }
    pthread_mutex_unlock(&guard);
}
