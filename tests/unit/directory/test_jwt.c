/* Tokens signed here with libcjose, good and hostile ones. */
#include "mailbox-backend/directory/jwt.h"
#include "tests/unit/directory/fixture.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <time.h>

#include "common/base64.h"

static char path[64];
static cjose_jwk_t *rsa, *ec, *stranger;
static struct jwt *jwt;

static const char *const audience[] = {"mail", "imap"};
static const char *const algorithms[] = {"RS256", "ES256"};
static struct jwt_rules rules = {
    .issuer = "https://issuer.example",
    .keys = path,
    .audience = audience,
    .audience_count = 2,
    .algorithms = algorithms,
    .algorithm_count = 2,
    .claim = "email",
    .skew = 60,
};

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* The set has the public halves only. */
static void write_set(const cjose_jwk_t *const *keys, size_t count)
{
    struct buf text = {0};

    buf_text(&text, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"},{\"kty\":\"OKP\"}");
    for (size_t i = 0; i < count; i++) {
        char *json = cjose_jwk_to_json(keys[i], false, NULL);

        buf_printf(&text, ",%s", json);
        free(json);
    }
    buf_text(&text, "]}");
    buf_byte(&text, '\0');
    write_text((const char *)buf_bytes(&text));
    buf_release(&text);
}

static int begin(void **state)
{
    const cjose_jwk_t *keys[2];

    (void)state;
    strcpy(path, "/tmp/jwt-test-XXXXXX");
    close(mkstemp(path));
    rsa = cjose_jwk_create_RSA_random(2048, NULL, 0, NULL);
    ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    stranger = cjose_jwk_create_RSA_random(2048, NULL, 0, NULL);
    assert_true(cjose_jwk_set_kid(rsa, "one", 3, NULL));
    assert_true(cjose_jwk_set_kid(ec, "two", 3, NULL));
    assert_true(cjose_jwk_set_kid(stranger, "one", 3, NULL));
    keys[0] = rsa;
    keys[1] = ec;
    write_set(keys, 2);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cjose_jwk_release(rsa);
    cjose_jwk_release(ec);
    cjose_jwk_release(stranger);
    return unlink(path);
}

static int create(void **state)
{
    (void)state;
    jwt = jwt_create(&rules);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    jwt_destroy(&jwt);
    return 0;
}

/* Claims that are good, changed by what format says: json_pack's "{s:…}". */
static json_t *claims_with(json_t *changes)
{
    json_t *claims = json_pack("{s:s, s:s, s:s, s:I}", "iss", rules.issuer, "aud", "mail", "email",
                               "alice@example.org", "exp", (json_int_t)time(NULL) + 3600);

    if (changes != NULL)
        json_object_update_new(claims, changes);
    return claims;
}

static char *sign_text(const char *text, const char *algorithm, const char *key_id,
                       const cjose_jwk_t *key)
{
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jws_t *jws;
    const char *compact;
    char *copy;

    assert_true(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, NULL));
    if (key_id != NULL)
        assert_true(cjose_header_set(header, CJOSE_HDR_KID, key_id, NULL));
    jws = cjose_jws_sign(key, header, (const uint8_t *)text, strlen(text), NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    copy = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return copy;
}

static enum err_code check(const char *token, const char *user)
{
    struct buf named = {0};
    struct err err = {0};
    enum err_code code = jwt_verify(jwt, str_of(token), &named, &err);

    if (user != NULL && code != ERR_NONE)
        fail_msg("%s", err.text);
    if (user != NULL)
        assert_true(str_is(str_n(buf_bytes(&named), buf_length(&named)), user));
    else
        assert_int_equal(buf_length(&named), 0);
    buf_release(&named);
    return code;
}

/* Signs the claims, which are used up, and has them checked. */
static enum err_code try_by(json_t *changes, const char *algorithm, const char *key_id,
                            const cjose_jwk_t *key, const char *user)
{
    json_t *claims = claims_with(changes);
    char *text = json_dumps(claims, 0);
    char *token = sign_text(text, algorithm, key_id, key);
    enum err_code code = check(token, user);

    free(token);
    free(text);
    json_decref(claims);
    return code;
}

static enum err_code try(json_t *changes)
{
    return try_by(changes, "RS256", "one", rsa, NULL);
}

static void good(json_t *changes)
{
    assert_int_equal(try_by(changes, "RS256", "one", rsa, "alice@example.org"), ERR_NONE);
}

static void a_good_token_names_its_user(void **state)
{
    (void)state;
    good(NULL);
    assert_int_equal(try_by(NULL, "ES256", "two", ec, "alice@example.org"), ERR_NONE);
    assert_int_equal(try_by(NULL, "RS256", NULL, rsa, "alice@example.org"), ERR_NONE);
    good(json_pack("{s:[s,s]}", "aud", "other", "imap"));
    good(json_pack("{s:b}", "email_verified", 1));
    good(json_pack("{s:f}", "exp", (double)time(NULL) + 100.5));
}

static void the_wrong_key_and_a_changed_token_are_refused(void **state)
{
    char *token = sign_text("{}", "RS256", "one", rsa);

    (void)state;
    free(token);
    assert_int_equal(try_by(NULL, "RS256", "one", stranger, NULL), ERR_DENIED);
    assert_int_equal(try_by(NULL, "RS256", "two", rsa, NULL), ERR_DENIED);
    assert_int_equal(try_by(NULL, "RS256", "three", rsa, NULL), ERR_DENIED);
    assert_int_equal(try_by(NULL, "ES256", "one", ec, NULL), ERR_DENIED);
}

static void the_claims_are_held_against_the_rules(void **state)
{
    json_int_t now = (json_int_t)time(NULL);

    (void)state;
    assert_int_equal(try(json_pack("{s:s}", "iss", "https://issuer.example/")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:n}", "iss")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:s}", "aud", "mail2")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:[]}", "aud")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:{s:s}}", "aud", "mail", "mail")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:I}", "exp", now - 600)), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:s}", "exp", "9999999999")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:n}", "exp")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:I}", "nbf", now + 600)), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:I}", "iat", now + 600)), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:s}", "email", "")), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:i}", "email", 7)), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:b}", "email_verified", 0)), ERR_DENIED);
    good(json_pack("{s:I}", "exp", now - 20)); /* within the skew, with room for a slow machine */
    good(json_pack("{s:I, s:I}", "nbf", now + 20, "iat", now + 20));
}

static void a_scope_must_be_there_where_one_is_wanted(void **state)
{
    (void)state;
    rules.scope = "imap";
    assert_int_equal(try(NULL), ERR_DENIED);
    assert_int_equal(try(json_pack("{s:s}", "scope", "openid imapx ximap")), ERR_DENIED);
    good(json_pack("{s:s}", "scope", "openid imap"));
    good(json_pack("{s:[s,s]}", "scp", "openid", "imap"));
    rules.scope = NULL;
}

/* header and payload in base64url, as they are. */
static char *compact(const char *header, const char *payload, const char *signature)
{
    char *parts[2] = {NULL, NULL};
    const char *texts[] = {header, payload};
    char *token;
    size_t length;

    for (size_t i = 0; i < 2; i++)
        assert_true(cjose_base64url_encode((const uint8_t *)texts[i], strlen(texts[i]), &parts[i],
                                           &length, NULL));
    assert_true(asprintf(&token, "%s.%s.%s", parts[0], parts[1], signature) > 0);
    free(parts[0]);
    free(parts[1]);
    return token;
}

static void hostile_tokens_are_refused(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"RS384\"}",
        "{\"alg\":[\"RS256\"]}",
        "{}",
        "[]",
        "{\"alg\":\"RS256\",\"crit\":[\"x\"]}",
        "x",
    };
    json_t *claims = claims_with(NULL);
    char *text = json_dumps(claims, 0);
    char *huge;

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char *unsigned_one = compact(headers[i], text, ""),
             *any = compact(headers[i], text, "AAAA");

        assert_int_equal(check(unsigned_one, NULL), ERR_DENIED);
        assert_int_equal(check(any, NULL), ERR_DENIED);
        free(unsigned_one);
        free(any);
    }
    for (const char *const *bad = (const char *const[]){"", ".", "..", "...", "a.b", "a.b.c",
                                                        "e30.e30.", "e30.e30.AAAA.AAAA", NULL};
         *bad != NULL; bad++)
        assert_int_equal(check(*bad, NULL), ERR_DENIED);
    huge = malloc(JWT_MOST + 2);
    memset(huge, 'e', JWT_MOST + 1);
    huge[JWT_MOST + 1] = '\0';
    assert_int_equal(check(huge, NULL), ERR_DENIED);
    free(huge);
    free(text);
    json_decref(claims);
}

static void signed_text_that_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "\"alice\"",
        "null",
        "{\"iss\":\"https://issuer.example\"",
        "{\"iss\":\"https://issuer.example\",\"iss\":\"x\"}",
        "{} {}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *token = sign_text(texts[i], "RS256", "one", rsa);

        assert_int_equal(check(token, NULL), ERR_DENIED);
        free(token);
    }
}

static void new_keys_are_read_and_a_bad_file_changes_nothing(void **state)
{
    const cjose_jwk_t *only_ec[] = {ec}, *both[] = {rsa, ec};

    (void)state;
    good(NULL);
    write_set(only_ec, 1);
    assert_int_equal(try(NULL), ERR_DENIED);
    write_text("no JSON");
    assert_int_equal(try_by(NULL, "ES256", "two", ec, "alice@example.org"), ERR_NONE);
    unlink(path);
    assert_int_equal(try_by(NULL, "ES256", "two", ec, "alice@example.org"), ERR_NONE);
    write_set(both, 2);
    good(NULL);
}

static void without_keys_nothing_can_be_said(void **state)
{
    const cjose_jwk_t *both[] = {rsa, ec};

    (void)state;
    unlink(path);
    assert_int_equal(try(NULL), ERR_UNAVAILABLE);
    write_text("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}");
    assert_int_equal(try(NULL), ERR_UNAVAILABLE);
    write_set(both, 2);
    good(NULL);
}

static void algorithms_by_a_shared_secret_cannot_be_set(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(jwt_algorithm_check("PS512", &err), ERR_NONE);
    assert_int_equal(jwt_algorithm_check("none", &err), ERR_INVALID);
    assert_int_equal(jwt_algorithm_check("HS256", &err), ERR_INVALID);
    assert_int_equal(jwt_algorithm_check("rs256", &err), ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_token_names_its_user),
        TEST(the_wrong_key_and_a_changed_token_are_refused),
        TEST(the_claims_are_held_against_the_rules),
        TEST(a_scope_must_be_there_where_one_is_wanted),
        TEST(hostile_tokens_are_refused),
        TEST(signed_text_that_is_no_object_is_refused),
        TEST(new_keys_are_read_and_a_bad_file_changes_nothing),
        TEST(without_keys_nothing_can_be_said),
        TEST(algorithms_by_a_shared_secret_cannot_be_set),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
