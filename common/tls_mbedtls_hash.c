#include "common/tls_mbedtls.h"

#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

static const mbedtls_md_info_t *info_of(enum hash_kind kind)
{
    return mbedtls_md_info_from_type(kind == HASH_SHA1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256);
}

/* Hashing bytes in memory fails only when the library was built without the digest, or when there is
   no memory: as with malloc(), the process ends. */
static void must(int result)
{
    if (result != 0) {
        fputs("hashing failed\n", stderr);
        abort();
    }
}

static const unsigned char *bytes(struct str text)
{
    return (const unsigned char *)text.data;
}

void tls_mbedtls_digest(enum hash_kind kind, struct str data, uint8_t *out)
{
    must(mbedtls_md(info_of(kind), bytes(data), data.length, out));
}

void tls_mbedtls_mac(enum hash_kind kind, struct str key, struct str data, uint8_t *out)
{
    must(mbedtls_md_hmac(info_of(kind), bytes(key), key.length, bytes(data), data.length, out));
}

/* The next of the chain of U values; the key was given to context before. */
static void chain(mbedtls_md_context_t *context, const uint8_t *in, size_t length, uint8_t *out)
{
    must(mbedtls_md_hmac_reset(context));
    must(mbedtls_md_hmac_update(context, in, length));
    must(mbedtls_md_hmac_finish(context, out));
}

void tls_mbedtls_password(enum hash_kind kind, struct str password, struct str salt,
                          unsigned iterations, uint8_t *out)
{
    static const uint8_t block_number[4] = {0, 0, 0, 1};
    uint8_t u[HASH_SIZE_MAX];
    size_t size = hash_size(kind);
    mbedtls_md_context_t context;

    mbedtls_md_init(&context);
    must(mbedtls_md_setup(&context, info_of(kind), 1));
    must(mbedtls_md_hmac_starts(&context, bytes(password), password.length));
    must(mbedtls_md_hmac_update(&context, bytes(salt), salt.length));
    must(mbedtls_md_hmac_update(&context, block_number, sizeof(block_number)));
    must(mbedtls_md_hmac_finish(&context, u));
    for (size_t i = 0; i < size; i++)
        out[i] = u[i];
    for (unsigned n = 1; n < iterations; n++) {
        chain(&context, u, size, u);
        for (size_t i = 0; i < size; i++)
            out[i] ^= u[i];
    }
    mbedtls_md_free(&context);
    mem_wipe(u, sizeof(u));
}
