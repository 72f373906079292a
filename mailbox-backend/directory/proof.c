#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/directory/mechanism.h"

static const struct mechanism *const mechanisms[] = {
    &mechanism_plain,        &mechanism_scram_sha256_plus, &mechanism_scram_sha1_plus,
    &mechanism_scram_sha256, &mechanism_scram_sha1,        &mechanism_external,
    &mechanism_oauthbearer,  &mechanism_xoauth2,
};
#define COUNT (sizeof(mechanisms) / sizeof(mechanisms[0]))

static bool is_offered(const struct directory *directory, const struct mechanism *mechanism)
{
    if (mechanism == &mechanism_external)
        return directory->external != EXTERNAL_NO;
    if (mechanism == &mechanism_oauthbearer || mechanism == &mechanism_xoauth2)
        return directory->jwt != NULL;
    return directory->scram || mechanism == &mechanism_plain;
}

size_t directory_mechanisms(const struct directory *directory,
                            const char *names[DIRECTORY_MECHANISMS_MOST])
{
    size_t count = 0;

    _Static_assert(COUNT <= DIRECTORY_MECHANISMS_MOST, "the caller's room");
    for (size_t i = 0; i < COUNT; i++) {
        if (mechanisms[i] != &mechanism_plain && is_offered(directory, mechanisms[i]))
            names[count++] = mechanisms[i]->name;
    }
    return count;
}

enum external directory_external(const struct directory *directory)
{
    return directory->external;
}

struct proof *proof_create(struct directory *directory, const char *name,
                           enum account_service service, const Link__Client *client)
{
    struct proof *proof = mem_alloc(sizeof(*proof));

    proof->directory = directory;
    proof->service = service;
    proof->client = client;
    for (size_t i = 0; i < COUNT; i++) {
        if (str_is_nocase(str_of(name), mechanisms[i]->name) &&
            is_offered(directory, mechanisms[i]))
            proof->mechanism = mechanisms[i];
    }
    return proof;
}

enum proof_result proof_step(struct proof *proof, const struct str *message, struct buf *challenge,
                             struct arena *arena, struct account *account)
{
    if (proof->mechanism == NULL)
        return PROOF_UNSUPPORTED;
    return proof->mechanism->step(proof, message, challenge, arena, account);
}

bool proof_step_at_once(struct proof *proof, const struct str *message, struct buf *challenge,
                        struct arena *arena, struct account *account, enum proof_result *result)
{
    const struct mechanism *mechanism = proof->mechanism;

    if (mechanism != NULL && mechanism->at_once != NULL)
        return mechanism->at_once(proof, message, arena, account, result);
    if (mechanism != NULL && !mechanism->is_quick(proof, message))
        return false;
    *result = proof_step(proof, message, challenge, arena, account);
    return true;
}

void proof_destroy(struct proof **proof)
{
    if (*proof == NULL)
        return;
    if ((*proof)->mechanism != NULL && (*proof)->mechanism->end != NULL)
        (*proof)->mechanism->end(*proof);
    mem_wipe(*proof, sizeof(**proof));
    free(*proof);
    *proof = NULL;
}

bool proof_find(struct proof *proof, struct str name, struct arena *arena,
                Directory__Record **record)
{
    struct err err;
    enum err_code code;

    *record = NULL;
    code = find_record(proof->directory, name, arena, record, &err);
    if (code != ERR_UNAVAILABLE && code != ERR_CORRUPT)
        return true;
    log_error(NULL, "%s", err.text);
    return false;
}

static bool is_same(const Directory__Record *a, const Directory__Record *b)
{
    return memcmp(a->guid.data, b->guid.data, sizeof(struct store_guid)) == 0;
}

enum proof_result proof_authorize(struct proof *proof, const Directory__Record *authenticated,
                                  struct str identity, struct arena *arena, struct account *account)
{
    struct directory *directory = proof->directory;
    const Directory__Record *target = authenticated;

    if (authenticated->disabled)
        return PROOF_DISABLED;
    if (identity.length > 0) {
        Directory__Record *named = NULL;

        if (!proof_find(proof, identity, arena, &named))
            return PROOF_UNAVAILABLE;
        if (named == NULL || (!is_same(named, authenticated) && !authenticated->may_impersonate))
            return PROOF_DENIED;
        target = named;
    }
    if (target->is_shared || target->disabled || (target->services & proof->service) == 0)
        return PROOF_DISABLED;
    record_to_account(target, directory, arena, account);
    memcpy(account->proven_by.bytes, authenticated->guid.data, sizeof(account->proven_by.bytes));
    return PROOF_OK;
}
