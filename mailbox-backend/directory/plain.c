/* PLAIN (RFC 4616). LOGIN and USER/PASS arrive in this form, too. */
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/directory/app_password.h"
#include "mailbox-backend/directory/mechanism.h"
#include "mailbox-backend/directory/precis.h"
#include "mailbox-backend/directory/write.h"

struct plain {
    struct str identity, user, password;
};

static bool take_field(struct str *rest, struct str *field)
{
    const char *end = memchr(rest->data, '\0', rest->length);

    if (end == NULL)
        return false;
    *field = str_n(rest->data, (size_t)(end - rest->data));
    *rest = str_n(end + 1, rest->length - field->length - 1);
    return true;
}

/* [authzid] NUL authcid NUL passwd */
static bool parse(struct str message, struct plain *plain)
{
    if (message.length == 0 || !take_field(&message, &plain->identity) ||
        !take_field(&message, &plain->user))
        return false;
    plain->password = message;
    return plain->user.length > 0 && plain->password.length > 0 &&
           memchr(message.data, '\0', message.length) == NULL;
}

/* The two forms of a password that are tried. */
struct phrase {
    char normal[PASSWORD_MAX + 1]; /* OpaqueString; "" when it cannot be one */
    char raw[PASSWORD_MAX + 1];    /* as it came */
};

static void prepare(struct str password, struct phrase *phrase)
{
    if (precis_opaque(password, phrase->normal, sizeof(phrase->normal), NULL) != ERR_NONE)
        phrase->normal[0] = '\0';
    phrase->raw[0] = '\0';
    if (password.length <= PASSWORD_MAX) {
        memcpy(phrase->raw, password.data, password.length);
        phrase->raw[password.length] = '\0';
    }
}

/* A hash from elsewhere may have been made of bytes that were not normalised. An unknown user costs
   one hash as well. */
static bool verify(struct directory *directory, const Directory__Record *record,
                   const struct phrase *phrase)
{
    bool known = record != NULL && record->password_hash[0] != '\0';
    const char *hash = known ? record->password_hash : directory->decoy;
    bool fits = password_fits(hash, phrase->normal) && phrase->normal[0] != '\0';

    if (!fits && known && record->password_is_imported && strcmp(phrase->normal, phrase->raw) != 0)
        fits = password_fits(hash, phrase->raw) && phrase->raw[0] != '\0';
    return fits && known;
}

static bool is_remembered(struct directory *directory, const Directory__Record *record,
                          struct str password)
{
    struct store_guid guid;

    memcpy(guid.bytes, record->guid.data, sizeof(guid.bytes));
    return credential_cache_has(directory->cache, &guid, record->generation, password);
}

/* After a proof that cost a hash: remember it, and make the SCRAM keys that an imported hash lacks. */
static void learn(struct directory *directory, const Directory__Record *record, struct str password,
                  const struct phrase *phrase)
{
    struct store_guid guid;

    memcpy(guid.bytes, record->guid.data, sizeof(guid.bytes));
    credential_cache_add(directory->cache, &guid, record->generation, password);
    if (record->scram_sha256 == NULL && phrase->normal[0] != '\0')
        account_gain_scram(directory, &guid, record->generation, phrase->normal);
}

/* It speaks for its own user only, whatever that user may. */
static enum proof_result check_app(struct proof *proof, const struct plain *plain,
                                   const Directory__Record *record,
                                   const Directory__AppPassword *password, struct arena *arena,
                                   struct account *account)
{
    const char *address = proof->client->address;
    enum proof_result result;

    if (!app_password_allows(password, proof->service, address)) {
        log_notice(NULL, "application password \"%s\" of %s is not for this service or network, %s",
                   password->name, record->name, address);
        return PROOF_WRONG;
    }
    result = proof_authorize(proof, record, plain->identity, arena, account);
    if (result != PROOF_OK)
        return result;
    if (memcmp(&account->guid, &account->proven_by, sizeof(account->guid)) != 0)
        return PROOF_DENIED;
    account->app_password = password->name;
    app_password_note(proof->directory, record, password, address);
    return PROOF_OK;
}

static enum proof_result check(struct proof *proof, const struct plain *plain, struct arena *arena,
                               struct account *account)
{
    struct directory *directory = proof->directory;
    Directory__Record *record;
    const Directory__AppPassword *app;
    struct phrase phrase;
    bool good;

    if (!proof_find(proof, plain->user, arena, &record))
        return PROOF_UNAVAILABLE;
    if (record != NULL && is_remembered(directory, record, plain->password))
        return proof_authorize(proof, record, plain->identity, arena, account);
    app = record == NULL ? NULL : app_password_find(record, plain->password);
    if (app != NULL)
        return check_app(proof, plain, record, app, arena, account);
    prepare(plain->password, &phrase);
    good = verify(directory, record, &phrase);
    if (good)
        learn(directory, record, plain->password, &phrase);
    mem_wipe(&phrase, sizeof(phrase));
    return good ? proof_authorize(proof, record, plain->identity, arena, account) : PROOF_WRONG;
}

static enum proof_result plain_step(struct proof *proof, const struct str *message,
                                    struct buf *challenge, struct arena *arena,
                                    struct account *account)
{
    struct plain plain;

    (void)challenge; /* the client speaks first and only once; an empty challenge asks it to */
    if (message == NULL)
        return PROOF_CHALLENGE;
    return parse(*message, &plain) ? check(proof, &plain, arena, account) : PROOF_INVALID;
}

static bool plain_at_once(struct proof *proof, const struct str *message, struct arena *arena,
                          struct account *account, enum proof_result *result)
{
    Directory__Record *record;
    struct plain plain;

    if (message == NULL || !parse(*message, &plain)) {
        *result = message == NULL ? PROOF_CHALLENGE : PROOF_INVALID;
        return true;
    }
    if (find_record(proof->directory, plain.user, arena, &record, NULL) != ERR_NONE ||
        !is_remembered(proof->directory, record, plain.password))
        return false;
    *result = proof_authorize(proof, record, plain.identity, arena, account);
    return true;
}

const struct mechanism mechanism_plain = {"PLAIN", plain_step, NULL, NULL, plain_at_once};
