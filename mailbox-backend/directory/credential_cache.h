/* Remembers for a short time which credentials were verified, so that clients which log in every
   minute do not cost a password hash each. Keeps no password: only a keyed hash of account, generation
   and password, under a key that this process made at its start and tells nobody. An account whose
   password or switches change gets a new generation, and nothing kept fits any more. */
#ifndef DIRECTORY_CREDENTIAL_CACHE_H
#define DIRECTORY_CREDENTIAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"
#include "mailbox-backend/store/store.h"

struct credential_cache;

/* seconds 0: nothing is remembered. Of fixed size (640 KB): the oldest make room. */
struct credential_cache *credential_cache_create(uint64_t seconds);
void credential_cache_destroy(struct credential_cache **cache);

/* Any thread. */
bool credential_cache_has(struct credential_cache *cache, const struct store_guid *guid,
                          uint64_t generation, struct str password);
void credential_cache_add(struct credential_cache *cache, const struct store_guid *guid,
                          uint64_t generation, struct str password);

#endif
