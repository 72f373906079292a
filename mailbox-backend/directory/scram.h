/* The keys that a server keeps for SCRAM (RFC 5802 section 3, RFC 7677). */
#ifndef DIRECTORY_SCRAM_H
#define DIRECTORY_SCRAM_H

#include "common/arena.h"
#include "common/tls_hash.h"
#include "mailbox-backend/directory/account.pb-c.h"

#define SCRAM_ITERATIONS 20000 /* RFC 7677 section 4 asks for 4096 at least */
#define SCRAM_SALT_SIZE 16

/* Makes the keys of a password under a new salt; all memory from arena. */
Directory__ScramKey *scram_key(enum hash_kind kind, const char *password, struct arena *arena);

#endif
