#include "common/tls_engine.h"

size_t hash_size(enum hash_kind kind)
{
    return kind == HASH_SHA1 ? 20 : 32;
}

void hash_digest(enum hash_kind kind, struct str data, uint8_t out[HASH_SIZE_MAX])
{
    tls_engine_hash()->hash_digest(kind, data, out);
}

void hash_mac(enum hash_kind kind, struct str key, struct str data, uint8_t out[HASH_SIZE_MAX])
{
    tls_engine_hash()->hash_mac(kind, key, data, out);
}

void hash_password(enum hash_kind kind, struct str password, struct str salt, unsigned iterations,
                   uint8_t out[HASH_SIZE_MAX])
{
    tls_engine_hash()->hash_password(kind, password, salt, iterations, out);
}
