#include <crypt.h>

#include "mailbox-backend/directory/internal.h"
#include "mailbox-backend/directory/password.h"
#include "tests/unit/directory/fixture.h"

/* identity, user and password joined by NUL as PLAIN has them */
static struct str plain(struct fixture *fixture, const char *identity, const char *user,
                        const char *password)
{
    struct buf text = {0};
    struct str message;

    buf_append(&text, identity, strlen(identity) + 1);
    buf_append(&text, user, strlen(user) + 1);
    buf_text(&text, password);
    message.length = buf_length(&text);
    message.data = arena_copy(&fixture->arena, buf_bytes(&text), message.length);
    buf_release(&text);
    return message;
}

static enum proof_result try_as(struct fixture *fixture, const char *identity, const char *user,
                                const char *password, enum account_service service,
                                struct account *account)
{
    struct str message = plain(fixture, identity, user, password);
    struct proof *proof = proof_create(fixture->directory, "PLAIN", service, &fixture_client);
    struct buf challenge = {0};
    enum proof_result result = proof_step(proof, &message, &challenge, &fixture->arena, account);

    proof_destroy(&proof);
    assert_null(proof);
    buf_release(&challenge);
    return result;
}

static enum proof_result try(struct fixture *fixture, const char *user, const char *password)
{
    struct account account;

    return try_as(fixture, "", user, password, SERVICE_IMAP4, &account);
}

static bool is_cached(struct fixture *fixture, const char *user, const char *password)
{
    struct str message = plain(fixture, "", user, password);
    struct proof *proof = proof_create(fixture->directory, "PLAIN", SERVICE_IMAP4, &fixture_client);
    struct buf challenge = {0};
    struct account account;
    enum proof_result result;
    bool cached =
        proof_step_at_once(proof, &message, &challenge, &fixture->arena, &account, &result);

    if (cached) {
        assert_int_equal(result, PROOF_OK);
        assert_memory_equal(account.name, user, strlen(user));
    }
    proof_destroy(&proof);
    return cached;
}

static void the_right_password_opens_the_account(void **state)
{
    struct fixture *fixture = *state;
    struct account account;

    fixture_add(fixture, "alice", "correct horse");
    assert_int_equal(try_as(fixture, "", "ALICE", "correct horse", SERVICE_POP3, &account),
                     PROOF_OK);
    assert_string_equal(account.name, "alice@example.org");
    assert_true(account.has_password);
}

static void a_wrong_password_and_an_unknown_user_look_alike(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "correct horse");
    assert_int_equal(try(fixture, "alice", "correct hors"), PROOF_WRONG);
    assert_int_equal(try(fixture, "alice", "Correct horse"), PROOF_WRONG);
    assert_int_equal(try(fixture, "bob", "correct horse"), PROOF_WRONG);
    assert_int_equal(try(fixture, "not a name", "correct horse"), PROOF_WRONG);
    assert_int_equal(try(fixture, "alice", "\xff\xff"), PROOF_WRONG);
}

static void an_account_without_a_password_cannot_log_in(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", NULL);
    assert_int_equal(try(fixture, "alice", "x"), PROOF_WRONG);
}

static void malformed_messages_are_invalid(void **state)
{
    struct fixture *fixture = *state;
    const struct str bad[] = {STR(""),          STR("alice"),      STR("\0alice"),
                              STR("\0alice\0"), STR("\0\0secret"), STR("\0alice\0secret\0")};
    struct proof *proof = proof_create(fixture->directory, "plain", SERVICE_IMAP4, &fixture_client);
    struct buf challenge = {0};
    struct account account;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(proof_step(proof, &bad[i], &challenge, &fixture->arena, &account),
                         PROOF_INVALID);
    proof_destroy(&proof);
}

static void without_an_initial_response_an_empty_challenge_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct proof *proof = proof_create(fixture->directory, "PLAIN", SERVICE_IMAP4, &fixture_client);
    struct buf challenge = {0};
    struct account account;

    assert_int_equal(proof_step(proof, NULL, &challenge, &fixture->arena, &account),
                     PROOF_CHALLENGE);
    assert_int_equal(buf_length(&challenge), 0);
    proof_destroy(&proof);
}

static void an_unknown_mechanism_is_unsupported(void **state)
{
    struct fixture *fixture = *state;
    struct proof *proof =
        proof_create(fixture->directory, "GSSAPI", SERVICE_IMAP4, &fixture_client);
    struct buf challenge = {0};
    struct str message = STR("x");
    struct account account;

    assert_int_equal(proof_step(proof, &message, &challenge, &fixture->arena, &account),
                     PROOF_UNSUPPORTED);
    proof_destroy(&proof);
}

static void another_identity_is_denied_unless_allowed(void **state)
{
    struct fixture *fixture = *state;
    bool yes = true;
    struct account_change change = {.may_impersonate = &yes};
    struct account account;

    fixture_add(fixture, "alice", "secret");
    fixture_add(fixture, "bob", "other");
    assert_int_equal(
        try_as(fixture, "alice@example.org", "alice", "secret", SERVICE_IMAP4, &account), PROOF_OK);
    assert_int_equal(try_as(fixture, "bob", "alice", "secret", SERVICE_IMAP4, &account),
                     PROOF_DENIED);
    assert_int_equal(account_set(fixture->directory, STR("alice"), &change, false, NULL), ERR_NONE);
    assert_int_equal(try_as(fixture, "bob", "alice", "secret", SERVICE_IMAP4, &account), PROOF_OK);
    assert_string_equal(account.name, "bob@example.org");
    assert_int_equal(try_as(fixture, "bob", "alice", "wrong", SERVICE_IMAP4, &account),
                     PROOF_WRONG);
    assert_int_equal(try_as(fixture, "nobody", "alice", "secret", SERVICE_IMAP4, &account),
                     PROOF_DENIED);
    assert_int_equal(try_as(fixture, "b ob", "alice", "secret", SERVICE_IMAP4, &account),
                     PROOF_DENIED);
}

static void a_disabled_account_or_service_is_told_only_to_who_proves_it(void **state)
{
    struct fixture *fixture = *state;
    bool no = false;
    unsigned only_imap = SERVICE_IMAP4;
    struct account_change services = {.services = &only_imap}, off = {.enabled = &no};
    struct account account;

    fixture_add(fixture, "alice", "secret");
    account_set(fixture->directory, STR("alice"), &services, false, NULL);
    assert_int_equal(try_as(fixture, "", "alice", "secret", SERVICE_POP3, &account),
                     PROOF_DISABLED);
    assert_int_equal(try_as(fixture, "", "alice", "secret", SERVICE_IMAP4, &account), PROOF_OK);
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(try_as(fixture, "", "alice", "secret", SERVICE_IMAP4, &account),
                     PROOF_DISABLED);
    assert_int_equal(try(fixture, "alice", "wrong"), PROOF_WRONG);
}

static void a_verified_credential_is_remembered_until_it_changes(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "secret");
    assert_false(is_cached(fixture, "alice", "secret"));
    assert_int_equal(try(fixture, "alice", "wrong"), PROOF_WRONG);
    assert_false(is_cached(fixture, "alice", "wrong"));
    assert_int_equal(try(fixture, "alice", "secret"), PROOF_OK);
    assert_true(is_cached(fixture, "alice", "secret"));
    assert_false(is_cached(fixture, "alice", "secre"));
    assert_int_equal(try(fixture, "alice", "secret"), PROOF_OK);
    assert_int_equal(
        account_set_password(fixture->directory, STR("alice"), STR("new"), false, NULL), ERR_NONE);
    assert_false(is_cached(fixture, "alice", "secret"));
    assert_int_equal(try(fixture, "alice", "secret"), PROOF_WRONG);
    assert_int_equal(try(fixture, "alice", "new"), PROOF_OK);
}

static void another_kind_of_space_is_the_same_password(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice",
                "a\xc2\xa0"
                "e\xcc\x81");
    assert_int_equal(try(fixture, "alice", "a \xc3\xa9"), PROOF_OK);
}

static void imported_hashes_work_and_gain_scram_keys_at_the_first_login(void **state)
{
    static const char *const hashes[] = {
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
        "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
    };
    struct fixture *fixture = *state;
    struct account_facts facts;

    for (size_t i = 0; i < 2; i++) {
        char name[8];
        struct account_new new = {.hash = hashes[i], .services = SERVICES_ALL};

        snprintf(name, sizeof(name), "user%zu", i);
        new.name = str_of(name);
        assert_int_equal(account_add(fixture->directory, &new, false, &fixture->arena, NULL, NULL),
                         ERR_NONE);
        directory_facts(fixture->directory, new.name, &facts, NULL);
        assert_false(facts.has_scram);
        assert_int_equal(try(fixture, name, "Hello world?"), PROOF_WRONG);
        assert_int_equal(try(fixture, name, i == 0 ? "Hello world!" : "password"), PROOF_OK);
        directory_facts(fixture->directory, new.name, &facts, NULL);
        assert_true(facts.has_scram);
        assert_true(is_cached(fixture, name, i == 0 ? "Hello world!" : "password"));
    }
}

static void a_password_that_is_too_long_is_refused_when_set_and_wrong_when_given(void **state)
{
    struct fixture *fixture = *state;
    char longest[PASSWORD_MAX + 2];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    fixture_add(fixture, "alice", "secret");
    assert_int_equal(
        account_set_password(fixture->directory, STR("alice"), str_of(longest), false, NULL),
        ERR_LIMIT);
    assert_int_equal(try(fixture, "alice", longest), PROOF_WRONG);
    longest[PASSWORD_MAX] = '\0';
    assert_int_equal(
        account_set_password(fixture->directory, STR("alice"), str_of(longest), false, NULL),
        ERR_NONE);
    assert_int_equal(try(fixture, "alice", longest), PROOF_OK);
}

/* Else an unknown user could be told from a known one by time. */
static void the_decoy_is_hashed_like_a_real_hash_and_fits_nothing(void **state)
{
    char real[PASSWORD_HASH_MAX], decoy[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *made;

    (void)state;
    assert_int_equal(password_hash("secret", real, NULL), ERR_NONE);
    assert_int_equal(password_decoy(decoy, NULL), ERR_NONE);
    assert_int_equal(password_decoy(other, NULL), ERR_NONE);
    assert_string_not_equal(decoy, other);
    assert_int_equal(strlen(decoy), strlen(real));
    made = crypt_rn("secret", decoy, data, (int)sizeof(*data));
    assert_non_null(made);
    assert_int_equal(strlen(made), strlen(decoy));
    assert_memory_equal(made, decoy, strlen(decoy) - 43); /* method, cost and salt */
    assert_memory_equal(made, real, strlen("$y$j9T$"));
    assert_false(password_fits(decoy, "secret"));
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_right_password_opens_the_account),
        FIXTURE_TEST(a_wrong_password_and_an_unknown_user_look_alike),
        FIXTURE_TEST(an_account_without_a_password_cannot_log_in),
        FIXTURE_TEST(malformed_messages_are_invalid),
        FIXTURE_TEST(without_an_initial_response_an_empty_challenge_is_sent),
        FIXTURE_TEST(an_unknown_mechanism_is_unsupported),
        FIXTURE_TEST(another_identity_is_denied_unless_allowed),
        FIXTURE_TEST(a_disabled_account_or_service_is_told_only_to_who_proves_it),
        FIXTURE_TEST(a_verified_credential_is_remembered_until_it_changes),
        FIXTURE_TEST(another_kind_of_space_is_the_same_password),
        FIXTURE_TEST(imported_hashes_work_and_gain_scram_keys_at_the_first_login),
        FIXTURE_TEST(a_password_that_is_too_long_is_refused_when_set_and_wrong_when_given),
        cmocka_unit_test(the_decoy_is_hashed_like_a_real_hash_and_fits_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
