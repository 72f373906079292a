/* The exchange around a token; the tokens themselves are test_jwt.c's. */
#include "mailbox-backend/directory/internal.h"
#include "tests/unit/directory/fixture.h"

#include <cjose/cjose.h>
#include <time.h>

static char keys[128], discovery[] = "https://issuer.example/.well-known/openid-configuration";
static const char *const audience[] = {"mail"}, *const algorithms[] = {"ES256"};
static struct oauth_settings settings = {
    .rules = {.issuer = "https://issuer.example",
              .keys = keys,
              .audience = audience,
              .audience_count = 1,
              .algorithms = algorithms,
              .algorithm_count = 1,
              .claim = "email",
              .skew = 60},
    .discovery = discovery,
};
static cjose_jwk_t *key;

static int begin(void **state)
{
    struct fixture *fixture;
    char *json;
    FILE *file;

    fixture_create(state);
    fixture = *state;
    key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    json = cjose_jwk_to_json(key, false, NULL);
    snprintf(keys, sizeof(keys), "%s/keys", fixture->folder);
    file = fopen(keys, "w");
    fprintf(file, "{\"keys\":[%s]}", json);
    assert_int_equal(fclose(file), 0);
    free(json);
    settings.rules.scope = "imap";
    fixture->directory->oauth = &settings;
    fixture->directory->jwt = jwt_create(&settings.rules);
    fixture_add(fixture, "alice", "x");
    fixture_add(fixture, "bob", "x");
    return 0;
}

static int end(void **state)
{
    cjose_jwk_release(key);
    unlink(keys);
    return fixture_destroy(state);
}

static char *token_of(const char *email, int lifetime)
{
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jws_t *jws;
    const char *compact;
    char text[256], *copy;

    snprintf(text, sizeof(text),
             "{\"iss\":\"%s\",\"aud\":\"mail\",\"scope\":\"imap\",\"email\":\"%s\",\"exp\":%lld}",
             settings.rules.issuer, email, (long long)time(NULL) + lifetime);
    assert_true(cjose_header_set(header, CJOSE_HDR_ALG, "ES256", NULL));
    jws = cjose_jws_sign(key, header, (const uint8_t *)text, strlen(text), NULL);
    assert_true(cjose_jws_export(jws, &compact, NULL));
    copy = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return copy;
}

struct outcome {
    enum proof_result first, second; /* second: after the client's empty answer to an error */
    char error[256];
    struct account account;
};

static struct outcome send(struct fixture *fixture, const char *mechanism, const char *before,
                           const char *token, Link__Client *client)
{
    struct proof *proof = proof_create(fixture->directory, mechanism, SERVICE_IMAP4, client);
    struct buf message = {0}, challenge = {0};
    struct outcome outcome = {.second = PROOF_OK};
    struct str text;

    buf_printf(&message, "%s\001auth=Bearer %s\001\001", before, token);
    text = str_n(buf_bytes(&message), buf_length(&message));
    outcome.first = proof_step(proof, &text, &challenge, &fixture->arena, &outcome.account);
    snprintf(outcome.error, sizeof(outcome.error), "%.*s", (int)buf_length(&challenge),
             buf_length(&challenge) == 0 ? "" : (const char *)buf_bytes(&challenge));
    if (outcome.first == PROOF_CHALLENGE) {
        struct str dummy = STR("\001");

        assert_true(proof_step_at_once(proof, &dummy, &challenge, &fixture->arena, &outcome.account,
                                       &outcome.second));
    }
    proof_destroy(&proof);
    buf_release(&message);
    buf_release(&challenge);
    return outcome;
}

static struct outcome try(struct fixture *fixture, const char *mechanism, const char *before,
                          const char *email, int lifetime)
{
    char *token = token_of(email, lifetime);
    struct outcome outcome = send(fixture, mechanism, before, token, &fixture_client);

    free(token);
    return outcome;
}

static void a_good_token_opens_its_users_mailbox(void **state)
{
    struct outcome outcome =
        try(*state, "OAUTHBEARER", "n,a=alice@example.org,", "Alice@example.org", 600);

    assert_int_equal(outcome.first, PROOF_OK);
    assert_string_equal(outcome.account.name, "alice@example.org");
    assert_int_equal(try(*state, "OAUTHBEARER", "n,,", "alice@example.org", 600).first, PROOF_OK);
    outcome = try(*state, "XOAUTH2", "user=alice", "alice@example.org", 600);
    assert_int_equal(outcome.first, PROOF_OK);
    assert_string_equal(outcome.account.name, "alice@example.org");
}

static void a_refusal_tells_what_is_wanted_and_ends_with_the_next_answer(void **state)
{
    struct outcome outcome = try(*state, "OAUTHBEARER", "n,a=alice,", "alice@example.org", -600);

    assert_int_equal(outcome.first, PROOF_CHALLENGE);
    assert_int_equal(outcome.second, PROOF_WRONG);
    assert_string_equal(outcome.error,
                        "{\"status\":\"invalid_token\",\"scope\":\"imap\",\"openid-configuration\":"
                        "\"https://issuer.example/.well-known/openid-configuration\"}");
    outcome = try(*state, "XOAUTH2", "user=alice", "alice@example.org", -600);
    assert_int_equal(outcome.second, PROOF_WRONG);
    assert_string_equal(outcome.error,
                        "{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"imap\"}");
    outcome = try(*state, "OAUTHBEARER", "n,,", "nobody@example.org", 600);
    assert_int_equal(outcome.second, PROOF_WRONG);
    outcome = send(*state, "OAUTHBEARER", "n,,", "no-token", &fixture_client);
    assert_int_equal(outcome.second, PROOF_WRONG);
}

static void a_token_is_for_its_user_unless_he_may_be_others(void **state)
{
    struct fixture *fixture = *state;
    bool yes = true, no = false;
    struct account_change change = {.may_impersonate = &yes}, off = {.enabled = &no};

    assert_int_equal(try(fixture, "OAUTHBEARER", "n,a=bob,", "alice@example.org", 600).first,
                     PROOF_DENIED);
    account_set(fixture->directory, STR("alice"), &change, false, NULL);
    assert_int_equal(try(fixture, "OAUTHBEARER", "n,a=bob,", "alice@example.org", 600).first,
                     PROOF_OK);
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(try(fixture, "OAUTHBEARER", "n,a=alice,", "alice@example.org", 600).first,
                     PROOF_DISABLED);
}

static void no_token_is_taken_in_clear_nor_without_an_issuer_or_keys(void **state)
{
    struct fixture *fixture = *state;
    Link__Client in_clear = fixture_client;
    char *token = token_of("alice@example.org", 600);
    const char *names[DIRECTORY_MECHANISMS_MOST];

    in_clear.secured = false;
    assert_int_equal(send(fixture, "XOAUTH2", "user=alice", token, &in_clear).first,
                     PROOF_UNSUPPORTED);
    assert_int_equal(directory_mechanisms(fixture->directory, names), 6);
    unlink(keys);
    assert_int_equal(send(fixture, "XOAUTH2", "user=alice", token, &fixture_client).first,
                     PROOF_UNAVAILABLE);
    jwt_destroy(&fixture->directory->jwt);
    assert_int_equal(directory_mechanisms(fixture->directory, names), 4);
    assert_int_equal(send(fixture, "XOAUTH2", "user=alice", token, &fixture_client).first,
                     PROOF_UNSUPPORTED);
    free(token);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    struct oauth_settings bad = settings;
    static const char *const none[] = {"none"};
    struct err err;

    (void)state;
    assert_int_equal(oauth_check(&settings, &err), ERR_NONE);
    bad.rules.algorithms = none;
    assert_int_equal(oauth_check(&bad, &err), ERR_INVALID);
    bad = settings;
    bad.rules.audience_count = 0;
    assert_int_equal(oauth_check(&bad, &err), ERR_INVALID);
    bad = settings;
    bad.rules.keys = NULL;
    assert_int_equal(oauth_check(&bad, &err), ERR_INVALID);
    bad = settings;
    bad.rules.scope = "a\"b";
    assert_int_equal(oauth_check(&bad, &err), ERR_INVALID);
    bad.rules.issuer = "";
    assert_int_equal(oauth_check(&bad, &err), ERR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_token_opens_its_users_mailbox),
        TEST(a_refusal_tells_what_is_wanted_and_ends_with_the_next_answer),
        TEST(a_token_is_for_its_user_unless_he_may_be_others),
        TEST(no_token_is_taken_in_clear_nor_without_an_issuer_or_keys),
        TEST(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
