#include "cas-proxy/route_cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/keyed_hash.h"
#include "common/mem.h"

struct place {
    char *key; /* NULL: empty */
    size_t back;
    uint64_t until;
};

struct route_cache {
    struct place places[ROUTE_CACHE_PLACES];
};

struct route_cache *route_cache_create(void)
{
    return mem_alloc(sizeof(struct route_cache));
}

void route_cache_destroy(struct route_cache **cache)
{
    for (size_t i = 0; i < ROUTE_CACHE_PLACES; i++)
        free((*cache)->places[i].key);
    free(*cache);
    *cache = NULL;
}

static struct place *place_of(struct route_cache *cache, const char *key)
{
    return &cache->places[keyed_hash(key, strlen(key)) % ROUTE_CACHE_PLACES];
}

static void clear(struct place *place)
{
    free(place->key);
    *place = (struct place){0};
}

void route_cache_put(struct route_cache *cache, const char *key, size_t back, uint64_t now)
{
    struct place *place = place_of(cache, key);

    clear(place);
    *place = (struct place){mem_string(key), back, now + ROUTE_CACHE_MS};
}

long route_cache_get(struct route_cache *cache, const char *key, uint64_t now)
{
    struct place *place = place_of(cache, key);

    if (place->key == NULL || strcmp(place->key, key) != 0)
        return -1;
    if (now < place->until)
        return (long)place->back;
    clear(place);
    return -1;
}

void route_cache_drop(struct route_cache *cache, const char *key)
{
    struct place *place = place_of(cache, key);

    if (place->key != NULL && strcmp(place->key, key) == 0)
        clear(place);
}
