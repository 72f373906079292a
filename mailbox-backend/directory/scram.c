#include "mailbox-backend/directory/scram.h"

#include "common/mem.h"
#include "common/random.h"

static ProtobufCBinaryData keep(struct arena *arena, const uint8_t *bytes, size_t length)
{
    return (ProtobufCBinaryData){length, (uint8_t *)arena_copy(arena, bytes, length)};
}

Directory__ScramKey *scram_key(enum hash_kind kind, const char *password, struct arena *arena)
{
    Directory__ScramKey *key = arena_alloc(arena, sizeof(*key));
    uint8_t salt[SCRAM_SALT_SIZE], salted[HASH_SIZE_MAX], made[HASH_SIZE_MAX];
    uint8_t stored[HASH_SIZE_MAX];
    size_t size = hash_size(kind);

    directory__scram_key__init(key);
    random_bytes(salt, sizeof(salt));
    hash_password(kind, str_of(password), str_n(salt, sizeof(salt)), SCRAM_ITERATIONS, salted);
    key->salt = keep(arena, salt, sizeof(salt));
    key->iterations = SCRAM_ITERATIONS;
    hash_mac(kind, str_n(salted, size), STR("Client Key"), made);
    hash_digest(kind, str_n(made, size), stored);
    key->stored_key = keep(arena, stored, size);
    hash_mac(kind, str_n(salted, size), STR("Server Key"), made);
    key->server_key = keep(arena, made, size);
    mem_wipe(salted, sizeof(salted));
    mem_wipe(made, sizeof(made));
    return key;
}
