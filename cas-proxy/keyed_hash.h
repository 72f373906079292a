/* A short hash that outsiders cannot predict: SipHash-2-4 under a key of this process. For tables
   that clients fill, and to pick a back end by name. */
#ifndef FRONT_KEYED_HASH_H
#define FRONT_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Any thread. The key is drawn at the first use. */
uint64_t keyed_hash(const void *data, size_t length);

/* As keyed_hash() under a key that the caller gives. */
uint64_t keyed_hash_with(const uint8_t key[16], const void *data, size_t length);

#endif
