#include "mailbox-backend/hash_set.h"

#include <stdlib.h>

#include "common/mem.h"

#define ROOM_FIRST ((size_t)256) /* a power of two */

static uint64_t hash_of(struct str name)
{
    uint64_t hash = str_hash(name);

    return hash == 0 ? 1 : hash;
}

/* The slot that holds hash, or the free one where it belongs. */
static size_t place_of(const struct hash_set *set, uint64_t hash)
{
    size_t place = (size_t)(hash ^ hash >> 32) & (set->room - 1);

    while (set->slots[place] != 0 && set->slots[place] != hash)
        place = (place + 1) & (set->room - 1);
    return place;
}

static void grow(struct hash_set *set)
{
    struct hash_set greater = {.room = set->room == 0 ? ROOM_FIRST : 2 * set->room};

    greater.slots = mem_array(greater.room, sizeof(*greater.slots));
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i] != 0)
            greater.slots[place_of(&greater, set->slots[i])] = set->slots[i];
    }
    free(set->slots);
    set->slots = greater.slots;
    set->room = greater.room;
}

bool hash_set_add(struct hash_set *set, struct str name)
{
    uint64_t hash = hash_of(name);
    size_t place;

    if (4 * (set->count + 1) > 3 * set->room)
        grow(set);
    place = place_of(set, hash);
    if (set->slots[place] != 0)
        return false;
    set->slots[place] = hash;
    set->count++;
    return true;
}

bool hash_set_has(const struct hash_set *set, struct str name)
{
    return set->room > 0 && set->slots[place_of(set, hash_of(name))] != 0;
}

void hash_set_release(struct hash_set *set)
{
    free(set->slots);
    *set = (struct hash_set){0};
}
