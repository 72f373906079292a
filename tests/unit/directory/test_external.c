#include "mailbox-backend/directory/internal.h"
#include "tests/unit/directory/fixture.h"

static Link__Client client;

static int begin(void **state)
{
    client = fixture_client;
    client.certificate_email = (char *)(uintptr_t) "Alice@Example.org";
    client.certificate_common_name = (char *)(uintptr_t) "bob";
    return fixture_create(state);
}

static enum proof_result try(struct fixture *fixture, struct str identity, struct account *account)
{
    struct proof *proof = proof_create(fixture->directory, "EXTERNAL", SERVICE_IMAP4, &client);
    struct buf challenge = {0};
    enum proof_result result = proof_step(proof, &identity, &challenge, &fixture->arena, account);

    proof_destroy(&proof);
    buf_release(&challenge);
    return result;
}

static void the_certificate_names_the_user_by_the_setting(void **state)
{
    struct fixture *fixture = *state;
    struct account account;

    fixture_add(fixture, "alice", "x");
    fixture_add(fixture, "bob", "x");
    fixture->directory->external = EXTERNAL_EMAIL;
    assert_int_equal(try(fixture, STR(""), &account), PROOF_OK);
    assert_string_equal(account.name, "alice@example.org");
    fixture->directory->external = EXTERNAL_COMMON_NAME;
    assert_int_equal(try(fixture, STR(""), &account), PROOF_OK);
    assert_string_equal(account.name, "bob@example.org");
}

static void a_certificate_that_names_nobody_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct account account;

    fixture_add(fixture, "bob", "x");
    fixture->directory->external = EXTERNAL_EMAIL;
    assert_int_equal(try(fixture, STR(""), &account), PROOF_WRONG);
    client.certificate_email = (char *)(uintptr_t) "";
    assert_int_equal(try(fixture, STR(""), &account), PROOF_WRONG);
    assert_int_equal(try(fixture, STR("bob"), &account), PROOF_WRONG);
    fixture->directory->external = EXTERNAL_COMMON_NAME;
    client.secured = false;
    assert_int_equal(try(fixture, STR(""), &account), PROOF_WRONG);
}

static void an_identity_is_the_users_own_or_one_that_he_may_have(void **state)
{
    struct fixture *fixture = *state;
    struct account account;
    bool yes = true;
    struct account_change change = {.may_impersonate = &yes};

    fixture_add(fixture, "alice", "x");
    fixture_add(fixture, "bob", "x");
    fixture->directory->external = EXTERNAL_EMAIL;
    assert_int_equal(try(fixture, STR("alice"), &account), PROOF_OK);
    assert_int_equal(try(fixture, STR("bob"), &account), PROOF_DENIED);
    assert_int_equal(try(fixture, STR("nobody"), &account), PROOF_DENIED);
    assert_int_equal(try(fixture, STR("a\0b"), &account), PROOF_INVALID);
    account_set(fixture->directory, STR("alice"), &change, false, NULL);
    assert_int_equal(try(fixture, STR("bob"), &account), PROOF_OK);
    assert_string_equal(account.name, "bob@example.org");
}

static void a_disabled_account_and_a_setting_that_says_no_are_kept_out(void **state)
{
    struct fixture *fixture = *state;
    struct account account;
    bool no = false;
    struct account_change off = {.enabled = &no};

    fixture_add(fixture, "alice", "x");
    assert_int_equal(try(fixture, STR(""), &account), PROOF_UNSUPPORTED);
    fixture->directory->external = EXTERNAL_EMAIL;
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(try(fixture, STR(""), &account), PROOF_DISABLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_certificate_names_the_user_by_the_setting),
        TEST(a_certificate_that_names_nobody_is_wrong),
        TEST(an_identity_is_the_users_own_or_one_that_he_may_have),
        TEST(a_disabled_account_and_a_setting_that_says_no_are_kept_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
