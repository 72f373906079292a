/* Digests and keyed hashes, from the same library as TLS (RFC 6234, RFC 2104, RFC 8018). */
#ifndef COMMON_TLS_HASH_H
#define COMMON_TLS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

enum hash_kind { HASH_SHA1, HASH_SHA256 };

#define HASH_SIZE_MAX 32

size_t hash_size(enum hash_kind kind); /* bytes of a result */

void hash_digest(enum hash_kind kind, struct str data, uint8_t out[HASH_SIZE_MAX]);
void hash_mac(enum hash_kind kind, struct str key, struct str data, uint8_t out[HASH_SIZE_MAX]);

/* PBKDF2 with HMAC, of one block: Hi() of RFC 5802 section 2.2. */
void hash_password(enum hash_kind kind, struct str password, struct str salt, unsigned iterations,
                   uint8_t out[HASH_SIZE_MAX]);

#endif
