/* What a server keeps for SCRAM (RFC 5802 section 3, RFC 7677). */
#ifndef DIRECTORY_SCRAM_H
#define DIRECTORY_SCRAM_H

#include "common/arena.h"
#include "common/tls_hash.h"
#include "mailbox-backend/directory/account.pb-c.h"
#include "mailbox-backend/directory/internal.h"

#define SCRAM_ITERATIONS 20000 /* RFC 7677 section 4 asks for 4096 at least */
#define SCRAM_SALT_SIZE 16

/* Makes the keys of a password under a new salt; all memory from arena. */
Directory__ScramKey *scram_key(enum hash_kind kind, const char *password, struct arena *arena);

/* The same under this salt, which is copied. */
Directory__ScramKey *scram_key_of(enum hash_kind kind, const char *password, struct str salt,
                                  unsigned iterations, struct arena *arena);

/* Whether proof, decoded, is a ClientProof by somebody who has the ClientKey to stored_key. */
bool scram_is_right(enum hash_kind kind, const uint8_t stored_key[HASH_SIZE_MAX],
                    struct str auth_message, struct str proof);

/* Reads the secret for scram_fake_salt() into directory, or makes it in a directory that has none. */
enum err_code scram_secret_load(struct directory *directory, struct err *err);

/* The salt to name for a user who has no keys: the same for every way to write the name, every time. */
void scram_fake_salt(const struct directory *directory, enum hash_kind kind, struct str given,
                     uint8_t salt[SCRAM_SALT_SIZE]);

#endif
