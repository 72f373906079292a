#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/tls_openssl.h"

static const EVP_MD *digest_of(enum hash_kind kind)
{
    return kind == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

/* Hashing bytes in memory fails only when the library was built without the digest, or when there is
   no memory: as with malloc(), the process ends. */
static void must(bool good)
{
    if (!good) {
        fputs("hashing failed\n", stderr);
        abort();
    }
}

void tls_openssl_digest(enum hash_kind kind, struct str data, uint8_t *out)
{
    must(EVP_Digest(data.data, data.length, out, NULL, digest_of(kind), NULL) == 1);
}

void tls_openssl_mac(enum hash_kind kind, struct str key, struct str data, uint8_t *out)
{
    const char *bytes = key.length == 0 ? "" : key.data; /* NULL would mean the key of before */

    must(HMAC(digest_of(kind), bytes, (int)key.length, (const uint8_t *)data.data, data.length, out,
              NULL) != NULL);
}

void tls_openssl_password(enum hash_kind kind, struct str password, struct str salt,
                          unsigned iterations, uint8_t *out)
{
    must(PKCS5_PBKDF2_HMAC(password.data, (int)password.length, (const uint8_t *)salt.data,
                           (int)salt.length, (int)iterations, digest_of(kind), (int)hash_size(kind),
                           out) == 1);
}
