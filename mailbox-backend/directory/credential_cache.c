#include "mailbox-backend/directory/credential_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/random.h"
#include "common/tls_hash.h"

#define SETS 4096
#define WAYS 4 /* places where an entry may be */

struct entry {
    uint8_t mac[32];
    uint64_t until; /* seconds of the monotonic clock; 0: free */
};

struct credential_cache {
    pthread_mutex_t mutex;
    uint64_t seconds;
    uint8_t key[32];
    struct entry entries[SETS][WAYS];
};

struct credential_cache *credential_cache_create(uint64_t seconds)
{
    struct credential_cache *cache = mem_alloc(sizeof(*cache));

    cache->seconds = seconds;
    random_bytes(cache->key, sizeof(cache->key));
    pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

void credential_cache_destroy(struct credential_cache **cache)
{
    if (*cache == NULL)
        return;
    pthread_mutex_destroy(&(*cache)->mutex);
    mem_wipe(*cache, sizeof(**cache));
    free(*cache);
    *cache = NULL;
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec;
}

static void make_mac(const struct credential_cache *cache, const struct store_guid *guid,
                     uint64_t generation, struct str password, uint8_t mac[32])
{
    struct buf text = {0};

    buf_append(&text, guid->bytes, sizeof(guid->bytes));
    buf_append(&text, &generation, sizeof(generation));
    buf_append(&text, password.data, password.length);
    hash_mac(HASH_SHA256, str_n(cache->key, sizeof(cache->key)),
             str_n(buf_bytes(&text), buf_length(&text)), mac);
    mem_wipe(text.memory, text.size);
    buf_release(&text);
}

static struct entry *set_of(struct credential_cache *cache, const uint8_t mac[32])
{
    return cache->entries[((unsigned)mac[0] << 8 | mac[1]) % SETS];
}

bool credential_cache_has(struct credential_cache *cache, const struct store_guid *guid,
                          uint64_t generation, struct str password)
{
    uint64_t time = now();
    uint8_t mac[32];
    struct entry *set;
    bool found = false;

    if (cache->seconds == 0)
        return false;
    make_mac(cache, guid, generation, password, mac);
    set = set_of(cache, mac);
    pthread_mutex_lock(&cache->mutex);
    for (unsigned i = 0; i < WAYS; i++)
        found = found || (set[i].until > time && memcmp(set[i].mac, mac, sizeof(mac)) == 0);
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

void credential_cache_add(struct credential_cache *cache, const struct store_guid *guid,
                          uint64_t generation, struct str password)
{
    struct entry new = {.until = now() + cache->seconds};
    struct entry *set, *oldest;

    if (cache->seconds == 0)
        return;
    make_mac(cache, guid, generation, password, new.mac);
    set = set_of(cache, new.mac);
    oldest = set;
    pthread_mutex_lock(&cache->mutex);
    for (unsigned i = 0; i < WAYS; i++) {
        if (memcmp(set[i].mac, new.mac, sizeof(new.mac)) == 0) {
            oldest = &set[i];
            break;
        }
        if (set[i].until < oldest->until)
            oldest = &set[i];
    }
    *oldest = new;
    pthread_mutex_unlock(&cache->mutex);
}
