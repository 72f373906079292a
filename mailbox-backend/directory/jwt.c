#include "mailbox-backend/directory/jwt.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/directory/jwt_keys.h"

struct jwt {
    const struct jwt_rules *rules;
    struct jwt_keys *keys;
};

/* The library keeps parts of tokens, which are as good as passwords until they expire. */
static void wipe_and_free(void *memory)
{
    if (memory != NULL)
        mem_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

static void have_memory_wiped(void)
{
    cjose_set_alloc_funcs(malloc, realloc, wipe_and_free);
}

struct jwt *jwt_create(const struct jwt_rules *rules)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct jwt *jwt = mem_alloc(sizeof(*jwt));

    pthread_once(&once, have_memory_wiped);
    jwt->rules = rules;
    jwt->keys = jwt_keys_create(rules->keys);
    return jwt;
}

void jwt_read_keys(struct jwt *jwt)
{
    jwt_keys_refresh(jwt->keys);
}

void jwt_destroy(struct jwt **jwt)
{
    if (*jwt == NULL)
        return;
    jwt_keys_destroy(&(*jwt)->keys);
    free(*jwt);
    *jwt = NULL;
}

static bool is_in(const char *const *list, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], word) == 0)
            return true;
    }
    return false;
}

enum err_code jwt_algorithm_check(const char *name, struct err *err)
{
    static const char *const known[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                        "PS512", "ES256", "ES384", "ES512"};

    if (is_in(known, sizeof(known) / sizeof(known[0]), name))
        return ERR_NONE;
    return err_set(err, ERR_INVALID,
                   "%s is no signature algorithm that is known here: RS, PS or ES with 256, 384 or "
                   "512",
                   name);
}

/* ---- claims ---- */

/* A member that is the word, or an array that has it. */
static bool has_word(const json_t *member, const char *word)
{
    const char *text = json_string_value(member);

    if (text != NULL)
        return strcmp(text, word) == 0;
    for (size_t i = 0; i < json_array_size(member); i++) {
        text = json_string_value(json_array_get(member, i));
        if (text != NULL && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

/* The same of words with spaces between (RFC 6749 section 3.3). */
static bool has_scope(const json_t *member, const char *scope)
{
    const char *text = json_string_value(member);
    size_t length = strlen(scope);

    if (text == NULL)
        return has_word(member, scope);
    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (word == length && memcmp(text, scope, length) == 0)
            return true;
        text += word + (text[word] == ' ');
    }
    return false;
}

static bool has_audience(const struct jwt_rules *rules, const json_t *member)
{
    for (size_t i = 0; i < rules->audience_count; i++) {
        if (has_word(member, rules->audience[i]))
            return true;
    }
    return false;
}

/* A time that is there must be a number. */
static bool is_time(const json_t *member)
{
    return member == NULL || json_is_number(member);
}

static enum err_code check_times(const struct jwt_rules *rules, const json_t *claims,
                                 struct err *err)
{
    const json_t *expires = json_object_get(claims, "exp"), *from = json_object_get(claims, "nbf"),
                 *issued = json_object_get(claims, "iat");
    double now = (double)time(NULL), skew = (double)rules->skew;

    if (expires == NULL || !is_time(expires) || !is_time(from) || !is_time(issued))
        return err_set(err, ERR_DENIED, "it has no time of expiry, or a time that is no number");
    if (!(now < json_number_value(expires) + skew))
        return err_set(err, ERR_DENIED, "it has expired");
    if ((from != NULL && !(now >= json_number_value(from) - skew)) ||
        (issued != NULL && !(now >= json_number_value(issued) - skew)))
        return err_set(err, ERR_DENIED, "it is not good yet");
    return ERR_NONE;
}

/* An address that its owner has not proved to the issuer is anybody's to claim. */
static bool is_unverified(const struct jwt_rules *rules, const json_t *claims)
{
    return strcmp(rules->claim, "email") == 0 &&
           json_is_false(json_object_get(claims, "email_verified"));
}

static enum err_code check_claims(const struct jwt_rules *rules, const json_t *claims,
                                  struct err *err)
{
    const char *issuer = json_string_value(json_object_get(claims, "iss"));

    if (!json_is_object(claims))
        return err_set(err, ERR_DENIED, "what it says is no JSON object");
    if (issuer == NULL || strcmp(issuer, rules->issuer) != 0)
        return err_set(err, ERR_DENIED, "it is of another issuer");
    if (!has_audience(rules, json_object_get(claims, "aud")))
        return err_set(err, ERR_DENIED, "it is for another audience");
    if (check_times(rules, claims, err) != ERR_NONE)
        return err->code;
    if (rules->scope != NULL && rules->scope[0] != '\0' &&
        !has_scope(json_object_get(claims, "scope"), rules->scope) &&
        !has_scope(json_object_get(claims, "scp"), rules->scope))
        return err_set(err, ERR_DENIED, "it has not the scope %s", rules->scope);
    return ERR_NONE;
}

static enum err_code take_user(const struct jwt_rules *rules, const json_t *claims,
                               struct buf *user, struct err *err)
{
    const char *name = json_string_value(json_object_get(claims, rules->claim));

    if (name == NULL || name[0] == '\0' || is_unverified(rules, claims))
        return err_set(err, ERR_DENIED, "it names no user by the claim %s", rules->claim);
    buf_text(user, name);
    return ERR_NONE;
}

/* ---- tokens ---- */

static enum err_code read_claims(const struct jwt_rules *rules, cjose_jws_t *token,
                                 struct buf *user, struct err *err)
{
    enum err_code code;
    cjose_err error;
    json_error_t where;
    uint8_t *text;
    size_t length;
    json_t *claims;

    if (!cjose_jws_get_plaintext(token, &text, &length, &error))
        return err_set(err, ERR_DENIED, "it says nothing");
    claims = json_loadb((const char *)text, length, JSON_REJECT_DUPLICATES, &where);
    code = check_claims(rules, claims, err);
    if (code == ERR_NONE)
        code = take_user(rules, claims, user, err);
    json_decref(claims);
    return code;
}

static enum err_code check_token(struct jwt *jwt, cjose_jws_t *token, struct buf *user,
                                 struct err *err)
{
    const struct jwt_rules *rules = jwt->rules;
    cjose_header_t *header = cjose_jws_get_protected(token);
    cjose_err error;
    const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, &error);
    enum err_code code;

    if (algorithm == NULL || !is_in(rules->algorithms, rules->algorithm_count, algorithm))
        return err_set(err, ERR_DENIED, "it is signed by an algorithm that is not taken");
    if (json_object_get(header, "crit") != NULL) /* RFC 7515 section 4.1.11 */
        return err_set(err, ERR_DENIED, "it wants an extension that is not known here");
    code = jwt_keys_verify(jwt->keys, token, algorithm,
                           cjose_header_get(header, CJOSE_HDR_KID, &error), err);
    return code == ERR_NONE ? read_claims(rules, token, user, err) : code;
}

enum err_code jwt_verify(struct jwt *jwt, struct str text, struct buf *user, struct err *err)
{
    enum err_code code;
    cjose_err error;
    cjose_jws_t *token;

    if (text.length > JWT_MOST)
        return err_set(err, ERR_DENIED, "it is too long");
    token = cjose_jws_import(text.data, text.length, &error);
    if (token == NULL)
        return err_set(err, ERR_DENIED, "it is no signed JSON Web Token");
    code = check_token(jwt, token, user, err);
    cjose_jws_release(token);
    return code;
}
