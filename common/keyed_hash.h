/* Hashes that outsiders cannot predict: SipHash-2-4 under a key of this process. For tables that clients
   fill, and to pick a back end by name. */
#ifndef COMMON_KEYED_HASH_H
#define COMMON_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Any thread. The key is drawn at the first use. */
uint64_t keyed_hash(const void *data, size_t length);

/* SipHash-2-4-128, the first half first: long enough to stand for the data itself, as nobody can make two
   that are alike. Any thread. */
void keyed_hash_128(const void *data, size_t length, uint64_t hash[2]);

/* As above under a key that the caller gives. */
uint64_t keyed_hash_with(const uint8_t key[16], const void *data, size_t length);
void keyed_hash_128_with(const uint8_t key[16], const void *data, size_t length, uint64_t hash[2]);

#endif
