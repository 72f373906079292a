#include "mailbox-backend/directory/scram.h"

#include "common/mem.h"
#include "common/random.h"

static ProtobufCBinaryData keep(struct arena *arena, const uint8_t *bytes, size_t length)
{
    return (ProtobufCBinaryData){length, (uint8_t *)arena_copy(arena, bytes, length)};
}

Directory__ScramKey *scram_key(enum hash_kind kind, const char *password, struct arena *arena)
{
    uint8_t salt[SCRAM_SALT_SIZE];

    random_bytes(salt, sizeof(salt));
    return scram_key_of(kind, password, str_n(salt, sizeof(salt)), SCRAM_ITERATIONS, arena);
}

Directory__ScramKey *scram_key_of(enum hash_kind kind, const char *password, struct str salt,
                                  unsigned iterations, struct arena *arena)
{
    Directory__ScramKey *key = arena_alloc(arena, sizeof(*key));
    uint8_t salted[HASH_SIZE_MAX], made[HASH_SIZE_MAX], stored[HASH_SIZE_MAX];
    size_t size = hash_size(kind);

    directory__scram_key__init(key);
    hash_password(kind, str_of(password), salt, iterations, salted);
    key->salt = keep(arena, (const uint8_t *)salt.data, salt.length);
    key->iterations = iterations;
    hash_mac(kind, str_n(salted, size), STR("Client Key"), made);
    hash_digest(kind, str_n(made, size), stored);
    key->stored_key = keep(arena, stored, size);
    hash_mac(kind, str_n(salted, size), STR("Server Key"), made);
    key->server_key = keep(arena, made, size);
    mem_wipe(salted, sizeof(salted));
    mem_wipe(made, sizeof(made));
    return key;
}

static bool is_same_in_constant_time(const uint8_t *a, const uint8_t *b, size_t size)
{
    unsigned difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

/* ClientKey is ClientProof without ClientSignature; its hash is what is kept. */
bool scram_is_right(enum hash_kind kind, const uint8_t stored_key[HASH_SIZE_MAX],
                    struct str auth_message, struct str proof)
{
    size_t size = hash_size(kind);
    uint8_t signature[HASH_SIZE_MAX], client_key[HASH_SIZE_MAX], made[HASH_SIZE_MAX];
    bool fits;

    if (proof.length != size)
        return false;
    hash_mac(kind, str_n(stored_key, size), auth_message, signature);
    for (size_t i = 0; i < size; i++)
        client_key[i] = (uint8_t)((uint8_t)proof.data[i] ^ signature[i]);
    hash_digest(kind, str_n(client_key, size), made);
    fits = is_same_in_constant_time(made, stored_key, size);
    mem_wipe(client_key, sizeof(client_key));
    return fits;
}
