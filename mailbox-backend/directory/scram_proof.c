/* SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677), the server's side, and their -PLUS. The password is not seen, and
   nobody learns whether a user exists: who does not, or has no keys, gets a salt that stays the same and
   is told at the end that the password was wrong. */
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/directory/mechanism.h"
#include "mailbox-backend/directory/scram.h"
#include "proto/scram_message.h"

#define NONCE_SIZE 18 /* bytes; its base64 needs no padding */

enum stage { WANTS_FIRST, WANTS_FINAL, WANTS_NOTHING /* but the client's empty answer */ };

struct scram {
    enum stage stage;
    enum hash_kind kind;
    bool is_plus;
    struct buf binding; /* gs2-header, and the channel binding data: what c= must say */
    struct buf user, identity;
    struct buf nonce; /* the client's and ours behind it */
    struct buf auth;  /* AuthMessage */
    bool is_known;    /* the keys are a user's */
    struct store_guid guid;
    uint64_t generation; /* of the account when the keys were read */
    uint8_t salt[SCRAM_SALT_SIZE];
    uint32_t iterations;
    uint8_t stored_key[HASH_SIZE_MAX], server_key[HASH_SIZE_MAX];
};

static struct str bytes_of(const struct buf *buf)
{
    return str_n(buf_bytes(buf), buf_length(buf));
}

static void append(struct buf *out, struct str text)
{
    buf_append(out, text.data, text.length);
}

static void take_fake(struct scram *scram, const struct directory *directory)
{
    scram_fake_salt(directory, scram->kind, bytes_of(&scram->user), scram->salt);
    scram->iterations = SCRAM_ITERATIONS;
    random_bytes(scram->stored_key, sizeof(scram->stored_key));
    random_bytes(scram->server_key, sizeof(scram->server_key));
}

static void take_key(struct scram *scram, const Directory__Record *record,
                     const Directory__ScramKey *key)
{
    size_t size = hash_size(scram->kind);

    if (key == NULL || key->salt.len != sizeof(scram->salt) || key->stored_key.len != size ||
        key->server_key.len != size)
        return;
    scram->is_known = true;
    memcpy(scram->guid.bytes, record->guid.data, sizeof(scram->guid.bytes));
    scram->generation = record->generation;
    memcpy(scram->salt, key->salt.data, sizeof(scram->salt));
    scram->iterations = key->iterations;
    memcpy(scram->stored_key, key->stored_key.data, size);
    memcpy(scram->server_key, key->server_key.data, size);
}

/* r=nonce,s=salt,i=iterations; and what of the AuthMessage is known by now. */
static void make_server_first(struct scram *scram, const struct scram_first *first,
                              struct buf *challenge)
{
    uint8_t random[NONCE_SIZE];

    random_bytes(random, sizeof(random));
    append(&scram->nonce, first->nonce);
    base64_encode(&scram->nonce, random, sizeof(random));
    buf_text(challenge, "r=");
    append(challenge, bytes_of(&scram->nonce));
    buf_text(challenge, ",s=");
    base64_encode(challenge, scram->salt, sizeof(scram->salt));
    buf_printf(challenge, ",i=%u", scram->iterations);
    append(&scram->auth, first->bare);
    buf_byte(&scram->auth, ',');
    append(&scram->auth, bytes_of(challenge));
    buf_byte(&scram->auth, ',');
}

static const Link__Binding *find_binding(const Link__Client *client, struct str name)
{
    for (size_t i = 0; i < client->n_bindings; i++) {
        if (str_is(name, client->bindings[i]->name))
            return client->bindings[i];
    }
    return NULL;
}

/* RFC 5802 section 6. A client that thinks -PLUS was not offered, where it was, has been lied to. */
static enum proof_result take_binding(struct proof *proof, struct scram *scram,
                                      const struct scram_first *first)
{
    const Link__Binding *binding;

    if ((first->binding == SCRAM_BINDING_USED) != scram->is_plus)
        return PROOF_INVALID;
    append(&scram->binding, first->header);
    if (first->binding == SCRAM_BINDING_UNNEEDED && proof->client->n_bindings > 0)
        return PROOF_UNBOUND;
    if (!scram->is_plus)
        return PROOF_OK;
    binding = find_binding(proof->client, first->binding_name);
    if (binding == NULL)
        return PROOF_UNBOUND;
    buf_append(&scram->binding, binding->data.data, binding->data.len);
    return PROOF_OK;
}

static enum proof_result take_first(struct proof *proof, struct scram *scram, struct str message,
                                    struct buf *challenge, struct arena *arena)
{
    Directory__Record *record;
    struct scram_first first;
    enum proof_result bound;

    if (!scram_read_first(message, &first))
        return PROOF_INVALID;
    bound = take_binding(proof, scram, &first);
    if (bound != PROOF_OK)
        return bound;
    scram_name(first.user, &scram->user);
    scram_name(first.identity, &scram->identity);
    if (!proof_find(proof, bytes_of(&scram->user), arena, &record))
        return PROOF_UNAVAILABLE;
    take_fake(scram, proof->directory);
    if (record != NULL)
        take_key(scram, record,
                 scram->kind == HASH_SHA1 ? record->scram_sha1 : record->scram_sha256);
    make_server_first(scram, &first, challenge);
    scram->stage = WANTS_FINAL;
    return PROOF_CHALLENGE;
}

/* c= repeats the gs2-header, so that nobody on the way can have changed it, and says what the client
   knows its end of the channel by. */
static bool is_same_binding(const struct scram *scram, struct str binding)
{
    struct buf decoded = {0};
    bool same = base64_decode(&decoded, binding) &&
                str_equal(bytes_of(&decoded), bytes_of(&scram->binding));

    buf_release(&decoded);
    return same;
}

static bool is_right_proof(const struct scram *scram, struct str proof)
{
    struct buf given = {0};
    bool fits =
        base64_decode(&given, proof) &&
        scram_is_right(scram->kind, scram->stored_key, bytes_of(&scram->auth), bytes_of(&given));

    buf_release(&given);
    return fits && scram->is_known;
}

static enum proof_result take_final(struct scram *scram, struct str message, struct buf *challenge)
{
    size_t size = hash_size(scram->kind);
    uint8_t signature[HASH_SIZE_MAX];
    struct scram_final final;

    if (!scram_read_final(message, &final))
        return PROOF_INVALID;
    append(&scram->auth, final.without_proof);
    if (!is_right_proof(scram, final.proof) || !str_equal(final.nonce, bytes_of(&scram->nonce)))
        return PROOF_WRONG;
    if (!is_same_binding(scram, final.binding))
        return PROOF_UNBOUND;
    hash_mac(scram->kind, str_n(scram->server_key, size), bytes_of(&scram->auth), signature);
    buf_text(challenge, "v=");
    base64_encode(challenge, signature, size); /* ServerSignature */
    scram->stage = WANTS_NOTHING;
    return PROOF_CHALLENGE;
}

/* The client has seen that we know the keys, too. The account may have changed meanwhile. */
static enum proof_result conclude(struct proof *proof, const struct scram *scram,
                                  struct str message, struct arena *arena, struct account *account)
{
    Directory__Record *record;

    if (message.length != 0)
        return PROOF_INVALID;
    if (!proof_find(proof, bytes_of(&scram->user), arena, &record))
        return PROOF_UNAVAILABLE;
    if (record == NULL || record->generation != scram->generation ||
        memcmp(record->guid.data, scram->guid.bytes, sizeof(scram->guid.bytes)) != 0)
        return PROOF_WRONG;
    return proof_authorize(proof, record, bytes_of(&scram->identity), arena, account);
}

static enum proof_result step(struct proof *proof, const struct str *message, struct buf *challenge,
                              struct arena *arena, struct account *account)
{
    struct scram *scram = proof->state;

    if (message == NULL)
        return PROOF_CHALLENGE; /* an empty one asks the client to begin */
    if (scram == NULL) {
        scram = proof->state = mem_alloc(sizeof(*scram));
        scram->is_plus = proof->mechanism == &mechanism_scram_sha1_plus ||
                         proof->mechanism == &mechanism_scram_sha256_plus;
        scram->kind = proof->mechanism == &mechanism_scram_sha1 ||
                              proof->mechanism == &mechanism_scram_sha1_plus
                          ? HASH_SHA1
                          : HASH_SHA256;
    }
    if (scram->stage == WANTS_FIRST)
        return take_first(proof, scram, *message, challenge, arena);
    if (scram->stage == WANTS_FINAL)
        return take_final(scram, *message, challenge);
    return conclude(proof, scram, *message, arena, account);
}

/* A few keyed hashes, and no password is hashed: the client does that. */
static bool is_quick(struct proof *proof, const struct str *message)
{
    (void)proof;
    (void)message;
    return true;
}

static void scram_end(struct proof *proof)
{
    struct scram *scram = proof->state;

    if (scram == NULL)
        return;
    buf_release(&scram->binding);
    buf_release(&scram->user);
    buf_release(&scram->identity);
    buf_release(&scram->nonce);
    buf_release(&scram->auth);
    mem_wipe(scram, sizeof(*scram));
    free(scram);
    proof->state = NULL;
}

const struct mechanism mechanism_scram_sha1 = {"SCRAM-SHA-1", step, is_quick, scram_end, NULL};
const struct mechanism mechanism_scram_sha1_plus = {"SCRAM-SHA-1-PLUS", step, is_quick, scram_end,
                                                    NULL};
const struct mechanism mechanism_scram_sha256 = {"SCRAM-SHA-256", step, is_quick, scram_end, NULL};
const struct mechanism mechanism_scram_sha256_plus = {"SCRAM-SHA-256-PLUS", step, is_quick,
                                                      scram_end, NULL};
