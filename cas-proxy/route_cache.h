/* Who claimed a name, remembered for a short time: a fixed number of places, the newer entry wins. */
#ifndef FRONT_ROUTE_CACHE_H
#define FRONT_ROUTE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define ROUTE_CACHE_PLACES 8192
#define ROUTE_CACHE_MS 30000

struct route_cache;

struct route_cache *route_cache_create(void);
void route_cache_destroy(struct route_cache **cache);

/* Remembers the place of a back end for a key, from now (milliseconds) on. */
void route_cache_put(struct route_cache *cache, const char *key, size_t back, uint64_t now);

/* The place, or -1 when nothing fresh is known. */
long route_cache_get(struct route_cache *cache, const char *key, uint64_t now);

void route_cache_drop(struct route_cache *cache, const char *key);

#endif
