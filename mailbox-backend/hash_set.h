/* A set of texts by their hashes, eight bytes each: what a great many names were seen. Two names are taken
   for one with a chance of n/2^64. */
#ifndef BACKEND_HASH_SET_H
#define BACKEND_HASH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

struct hash_set {    /* all zero: empty */
    uint64_t *slots; /* 0: free */
    size_t room, count;
};

/* False when it was in the set already. */
bool hash_set_add(struct hash_set *set, struct str name);
bool hash_set_has(const struct hash_set *set, struct str name);
void hash_set_release(struct hash_set *set);

#endif
