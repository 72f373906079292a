/* OAUTHBEARER (RFC 7628) and XOAUTH2: who brings a token that the configured issuer has signed is the user
   whom it names. A token may be used again until it expires: it is under TLS only, and never logged. */
#include "mailbox-backend/directory/oauth.h"
#include "common/log.h"
#include "mailbox-backend/directory/mechanism.h"
#include "proto/oauth_message.h"

static char is_told; /* the state of a proof whose client has the error: its empty answer ends it */

static struct str bytes_of(const struct buf *buf)
{
    return str_n(buf_bytes(buf), buf_length(buf));
}

static void put_member(struct buf *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        buf_printf(out, ",\"%s\":\"%s\"", name, value);
}

/* RFC 7628 section 3.2.2; XOAUTH2 has an HTTP status instead. That the settings' texts need no escaping is checked
   with them. */
static enum proof_result tell(struct proof *proof, struct buf *challenge)
{
    const struct oauth_settings *settings = proof->directory->oauth;

    if (proof->mechanism == &mechanism_oauthbearer)
        buf_text(challenge, "{\"status\":\"invalid_token\"");
    else
        buf_text(challenge, "{\"status\":\"401\",\"schemes\":\"bearer\"");
    put_member(challenge, "scope", settings->rules.scope);
    if (proof->mechanism == &mechanism_oauthbearer)
        put_member(challenge, "openid-configuration", settings->discovery);
    buf_byte(challenge, '}');
    proof->state = &is_told;
    return PROOF_CHALLENGE;
}

static enum proof_result refuse(struct proof *proof, struct str user, const char *why,
                                struct buf *challenge)
{
    log_notice(NULL, "%s for %.*s, client %s: the token is refused: %s", proof->mechanism->name,
               (int)user.length, user.data == NULL ? "" : user.data, proof->client->address, why);
    return tell(proof, challenge);
}

/* identity is whose mailbox the client asks for; the token says who it is. */
static enum proof_result check(struct proof *proof, struct str identity, struct str token,
                               struct buf *challenge, struct arena *arena, struct account *account)
{
    struct buf user = {0};
    struct err err;
    enum err_code code = jwt_verify(proof->directory->jwt, token, &user, &err);
    Directory__Record *record = NULL;
    enum proof_result result;

    if (code == ERR_UNAVAILABLE) {
        log_error(NULL, "%s: %s", proof->mechanism->name, err.text);
        result = PROOF_UNAVAILABLE;
    } else if (code != ERR_NONE) {
        result = refuse(proof, identity, err.text, challenge);
    } else if (!proof_find(proof, bytes_of(&user), arena, &record)) {
        result = PROOF_UNAVAILABLE;
    } else if (record == NULL) {
        result = refuse(proof, identity, "there is no such user", challenge);
    } else {
        result = proof_authorize(proof, record, identity, arena, account);
    }
    buf_release(&user);
    return result;
}

static enum proof_result oauth_step(struct proof *proof, const struct str *message,
                                    struct buf *challenge, struct arena *arena,
                                    struct account *account)
{
    struct buf identity = {0};
    struct str token;
    enum proof_result result = PROOF_INVALID;

    if (!proof->client->secured)
        return PROOF_UNSUPPORTED;
    if (proof->state != NULL)
        return PROOF_WRONG;
    if (message == NULL)
        return PROOF_CHALLENGE;
    if (proof->mechanism == &mechanism_oauthbearer
            ? oauth_read_bearer(*message, &identity, &token)
            : oauth_read_xoauth2(*message, &identity, &token))
        result = check(proof, bytes_of(&identity), token, challenge, arena, account);
    buf_release(&identity);
    return result;
}

/* A signature is checked on the pool, as a password is. */
static bool oauth_is_quick(struct proof *proof, const struct str *message)
{
    return message == NULL || proof->state != NULL;
}

const struct mechanism mechanism_oauthbearer = {"OAUTHBEARER", oauth_step, oauth_is_quick, NULL,
                                                NULL};
const struct mechanism mechanism_xoauth2 = {"XOAUTH2", oauth_step, oauth_is_quick, NULL, NULL};

static bool is_plain_text(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (*text < 0x21 || *text > 0x7E || *text == '"' || *text == '\\')
            return false;
    }
    return true;
}

enum err_code oauth_check(const struct oauth_settings *settings, struct err *err)
{
    const struct jwt_rules *rules = &settings->rules;

    if (rules->issuer == NULL || rules->issuer[0] == '\0')
        return ERR_NONE;
    if (rules->keys == NULL || rules->keys[0] == '\0' || rules->audience_count == 0)
        return err_set(err, ERR_INVALID, "an issuer needs keys and audience");
    if (rules->algorithm_count == 0 || rules->claim == NULL || rules->claim[0] == '\0')
        return err_set(err, ERR_INVALID, "an issuer needs algorithms and a claim");
    for (size_t i = 0; i < rules->algorithm_count; i++) {
        if (jwt_algorithm_check(rules->algorithms[i], err) != ERR_NONE)
            return err->code;
    }
    if (!is_plain_text(rules->scope) || !is_plain_text(settings->discovery))
        return err_set(err, ERR_INVALID,
                       "scope and discovery have no spaces, quotes or backslashes");
    return ERR_NONE;
}
