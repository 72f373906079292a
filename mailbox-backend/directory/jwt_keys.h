/* The issuer's key set, as its file says it. */
#ifndef DIRECTORY_JWT_KEYS_H
#define DIRECTORY_JWT_KEYS_H

#include <cjose/cjose.h>

#include "common/err.h"

struct jwt_keys;

struct jwt_keys *jwt_keys_create(const char *path);
void jwt_keys_destroy(struct jwt_keys **keys);

/* Reads the file when it was not read yet, is another one, or has changed. One that cannot be read is logged, and
   leaves the keys as they are. */
void jwt_keys_refresh(struct jwt_keys *keys);

/* Whether a key of the set, which is refreshed first, has made the signature. algorithm and key_id (NULL:
   any) are of the token's header. ERR_DENIED, ERR_UNAVAILABLE (there are no keys). */
enum err_code jwt_keys_verify(struct jwt_keys *keys, cjose_jws_t *token, const char *algorithm,
                              const char *key_id, struct err *err);

#endif
