#include "mailbox-backend/session_registry.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_BUCKETS 64u
#define SERVICE_BITS 32u

struct counted {
    struct store_guid account;
    enum account_service service;
    uint64_t sessions;
    struct counted *next;
};

struct session_registry {
    pthread_mutex_t lock;
    struct counted **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    atomic_uint_least64_t open[SERVICE_BITS]; /* by the number of the service's bit */
};

struct session_registry *session_registry_create(void)
{
    struct session_registry *registry = mem_alloc(sizeof(*registry));

    pthread_mutex_init(&registry->lock, NULL);
    registry->bucket_count = FIRST_BUCKETS;
    registry->buckets = mem_array(FIRST_BUCKETS, sizeof(struct counted *));
    return registry;
}

void session_registry_destroy(struct session_registry **where)
{
    struct session_registry *registry = *where;

    if (registry == NULL)
        return;
    assert(registry->count == 0);
    pthread_mutex_destroy(&registry->lock);
    free(registry->buckets);
    free(registry);
    *where = NULL;
}

/* GUIDs are random, so any of their bytes are a hash. */
static struct counted **bucket_of(struct session_registry *registry,
                                  const struct store_guid *account)
{
    uint32_t hash;

    memcpy(&hash, account->bytes, sizeof(hash));
    return &registry->buckets[hash & (registry->bucket_count - 1)];
}

/* Where the counted one hangs, or where it would be added. */
static struct counted **find(struct session_registry *registry, const struct store_guid *account,
                             enum account_service service)
{
    struct counted **at = bucket_of(registry, account);

    while (*at != NULL &&
           ((*at)->service != service || memcmp(&(*at)->account, account, sizeof(*account)) != 0))
        at = &(*at)->next;
    return at;
}

static void grow(struct session_registry *registry)
{
    struct counted **old = registry->buckets;
    size_t old_count = registry->bucket_count;

    registry->bucket_count *= 2;
    registry->buckets = mem_array(registry->bucket_count, sizeof(struct counted *));
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct counted *counted = old[i];
            struct counted **bucket = bucket_of(registry, &counted->account);

            old[i] = counted->next;
            counted->next = *bucket;
            *bucket = counted;
        }
    }
    free(old);
}

static struct counted *add(struct session_registry *registry, const struct store_guid *account,
                           enum account_service service)
{
    struct counted *counted = mem_alloc(sizeof(*counted));

    if (registry->count >= registry->bucket_count)
        grow(registry);
    counted->account = *account;
    counted->service = service;
    *find(registry, account, service) = counted;
    registry->count++;
    return counted;
}

bool session_registry_add(struct session_registry *registry, const struct store_guid *account,
                          enum account_service service, uint64_t most)
{
    struct counted *counted;
    bool allowed;

    pthread_mutex_lock(&registry->lock);
    counted = *find(registry, account, service);
    if (counted == NULL)
        counted = add(registry, account, service);
    allowed = counted->sessions < most;
    if (allowed)
        counted->sessions++;
    pthread_mutex_unlock(&registry->lock);
    return allowed;
}

void session_registry_remove(struct session_registry *registry, const struct store_guid *account,
                             enum account_service service)
{
    struct counted **at;
    struct counted *counted;

    pthread_mutex_lock(&registry->lock);
    at = find(registry, account, service);
    counted = *at;
    assert(counted != NULL && counted->sessions > 0);
    if (--counted->sessions == 0) {
        *at = counted->next;
        registry->count--;
        free(counted);
    }
    pthread_mutex_unlock(&registry->lock);
}

uint64_t session_registry_count(struct session_registry *registry, unsigned service)
{
    uint64_t count = 0;

    for (unsigned bit = 0; bit < SERVICE_BITS; bit++) {
        if (service == 0 || (service >> bit & 1) != 0)
            count += atomic_load(&registry->open[bit]);
    }
    return count;
}

void session_registry_note(struct session_registry *registry, enum account_service service,
                           bool more)
{
    atomic_uint_least64_t *open = &registry->open[__builtin_ctz((unsigned)service)];

    if (more)
        atomic_fetch_add(open, 1);
    else
        atomic_fetch_sub(open, 1);
}
