#include "mailbox-backend/directory/app_password.h"
#include "mailbox-backend/directory/credential_cache.h"
#include "tests/unit/directory/fixture.h"

#define SECRET "abcde-fghij-kmnpq-rstuv"

static enum err_code add_for(struct fixture *fixture, const char *name, const char *secret,
                             unsigned services, const char *network)
{
    const char *const networks[] = {network};
    struct app_password_new new = {
        .login = STR("alice"),
        .name = name,
        .secret = str_of(secret),
        .services = services,
        .networks = networks,
        .network_count = network != NULL,
    };
    struct err err;

    return app_password_add(fixture->directory, &new, false, &err);
}

static enum err_code add(struct fixture *fixture, const char *name, const char *secret)
{
    return add_for(fixture, name, secret, SERVICE_IMAP4 | SERVICE_POP3, NULL);
}

static enum proof_result try_from(struct fixture *fixture, const char *address,
                                  enum account_service service, const char *identity,
                                  const char *password)
{
    Link__Client client = fixture_client;
    struct proof *proof = proof_create(fixture->directory, "PLAIN", service, &client);
    struct buf message = {0}, challenge = {0};
    struct str text;
    struct account account;
    enum proof_result result, again;

    client.address = (char *)(uintptr_t)address;
    buf_append(&message, identity, strlen(identity) + 1);
    buf_append(&message, "alice", 6);
    buf_text(&message, password);
    text = str_n(buf_bytes(&message), buf_length(&message));
    result = proof_step(proof, &text, &challenge, &fixture->arena, &account);
    if (strcmp(password, "secret") != 0)
        assert_false(proof_step_at_once(proof, &text, &challenge, &fixture->arena, &account,
                                        &again)); /* a revocation would have to be waited for */
    proof_destroy(&proof);
    buf_release(&message);
    return result;
}

static enum proof_result try(struct fixture *fixture, const char *password)
{
    return try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "", password);
}

static struct app_password_facts *list(struct fixture *fixture, size_t *count)
{
    struct app_password_facts *facts;

    assert_int_equal(
        app_password_list(fixture->directory, STR("alice"), &fixture->arena, &facts, count, NULL),
        ERR_NONE);
    return facts;
}

static void one_opens_the_account_beside_the_password_and_with_it_missing(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "secret");
    assert_int_equal(add(fixture, "phone", SECRET), ERR_NONE);
    assert_int_equal(add(fixture, "laptop", "zzzzz-fghij-kmnpq-rstuv"), ERR_NONE);
    assert_int_equal(try(fixture, SECRET), PROOF_OK);
    assert_int_equal(try(fixture, "abcdefghijkmnpqrstuv"), PROOF_OK);
    assert_int_equal(try(fixture, "abcde fghij kmnpq rstuv"), PROOF_OK);
    assert_int_equal(try(fixture, "zzzzz-fghij-kmnpq-rstuv"), PROOF_OK);
    assert_int_equal(try(fixture, "abcde-fghij-kmnpq-rstu"), PROOF_WRONG);
    assert_int_equal(try(fixture, "-"), PROOF_WRONG);
    account_set_password(fixture->directory, STR("alice"), (struct str){NULL, 0}, false, NULL);
    assert_int_equal(try(fixture, SECRET), PROOF_OK);
    assert_int_equal(try(fixture, "secret"), PROOF_WRONG);
}

static void one_is_good_only_for_its_services_and_networks(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "secret");
    assert_int_equal(add_for(fixture, "pop", SECRET, SERVICE_POP3, NULL), ERR_NONE);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "", SECRET), PROOF_WRONG);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_POP3, "", SECRET), PROOF_OK);
    app_password_revoke(fixture->directory, STR("alice"), "pop", false, NULL);
    assert_int_equal(add_for(fixture, "net", SECRET, SERVICE_IMAP4, "192.0.2.0/29"), ERR_NONE);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "", SECRET), PROOF_OK);
    assert_int_equal(try_from(fixture, "192.0.2.8", SERVICE_IMAP4, "", SECRET), PROOF_WRONG);
    assert_int_equal(try_from(fixture, "2001:db8::1", SERVICE_IMAP4, "", SECRET), PROOF_WRONG);
    assert_int_equal(try_from(fixture, "unix", SERVICE_IMAP4, "", SECRET), PROOF_WRONG);
    assert_int_equal(try_from(fixture, "", SERVICE_IMAP4, "", SECRET), PROOF_WRONG);
    app_password_revoke(fixture->directory, STR("alice"), NULL, false, NULL);
    assert_int_equal(add_for(fixture, "six", SECRET, SERVICE_IMAP4, "2001:db8::/32"), ERR_NONE);
    assert_int_equal(try_from(fixture, "2001:db8::1", SERVICE_IMAP4, "", SECRET), PROOF_OK);
    app_password_revoke(fixture->directory, STR("alice"), NULL, false, NULL);
    assert_int_equal(add_for(fixture, "local", SECRET, SERVICE_IMAP4, "unix"), ERR_NONE);
    assert_int_equal(try_from(fixture, "unix", SERVICE_IMAP4, "", SECRET), PROOF_OK);
}

static void one_speaks_for_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    bool yes = true;
    struct account_change change = {.may_impersonate = &yes};

    fixture_add(fixture, "alice", "secret");
    fixture_add(fixture, "bob", "other");
    account_set(fixture->directory, STR("alice"), &change, false, NULL);
    add(fixture, "phone", SECRET);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "bob", "secret"), PROOF_OK);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "bob", SECRET), PROOF_DENIED);
    assert_int_equal(try_from(fixture, "192.0.2.7", SERVICE_IMAP4, "alice", SECRET), PROOF_OK);
}

static unsigned ended_services_left;
static unsigned ended_count;

static void on_end(void *context, const struct store_guid *guid, unsigned services_left)
{
    (void)context;
    (void)guid;
    ended_count++;
    ended_services_left = services_left;
}

static void a_revoked_one_ends_at_once_and_its_sessions_too(void **state)
{
    struct fixture *fixture = *state;
    size_t count;

    fixture_add(fixture, "alice", "secret");
    add_for(fixture, "phone", SECRET, SERVICE_IMAP4, NULL);
    add(fixture, "laptop", "zzzzz-fghij-kmnpq-rstuv");
    assert_int_equal(try(fixture, SECRET), PROOF_OK);
    ended_count = 0;
    directory_listen(fixture->directory, on_end, NULL);
    assert_int_equal(app_password_revoke(fixture->directory, STR("alice"), "phone", true, NULL),
                     ERR_NONE);
    assert_int_equal(try(fixture, SECRET), PROOF_OK); /* that was a dry run */
    assert_int_equal(app_password_revoke(fixture->directory, STR("alice"), "phone", false, NULL),
                     ERR_NONE);
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_services_left, SERVICE_POP3 | SERVICE_LMTP);
    assert_int_equal(try(fixture, SECRET), PROOF_WRONG);
    assert_int_equal(try(fixture, "zzzzz-fghij-kmnpq-rstuv"), PROOF_OK);
    assert_int_equal(app_password_revoke(fixture->directory, STR("alice"), "phone", false, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(app_password_revoke(fixture->directory, STR("alice"), NULL, false, NULL),
                     ERR_NONE);
    assert_int_equal(try(fixture, "zzzzz-fghij-kmnpq-rstuv"), PROOF_WRONG);
    list(fixture, &count);
    assert_int_equal(count, 0);
    directory_listen(fixture->directory, NULL, NULL);
}

static void a_disabled_account_stops_them_all(void **state)
{
    struct fixture *fixture = *state;
    bool no = false;
    struct account_change off = {.enabled = &no};

    fixture_add(fixture, "alice", "secret");
    add(fixture, "phone", SECRET);
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(try(fixture, SECRET), PROOF_DISABLED);
}

static void the_last_use_is_noted_once_an_hour(void **state)
{
    struct fixture *fixture = *state;
    struct app_password_facts *facts;
    size_t count;

    fixture_add(fixture, "alice", "secret");
    add(fixture, "phone", SECRET);
    facts = list(fixture, &count);
    assert_int_equal(count, 1);
    assert_int_equal(facts[0].last_used, 0);
    try(fixture, SECRET);
    facts = list(fixture, &count);
    assert_true(facts[0].last_used >= facts[0].created);
    assert_string_equal(facts[0].last_address, "192.0.2.7");
    assert_int_equal(try_from(fixture, "192.0.2.9", SERVICE_IMAP4, "", SECRET), PROOF_OK);
    facts = list(fixture, &count);
    assert_string_equal(facts[0].last_address, "192.0.2.7"); /* nothing was written */
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char name[80];

    fixture_add(fixture, "alice", "secret");
    memset(name, 'x', 65);
    name[65] = '\0';
    assert_int_equal(add(fixture, "", SECRET), ERR_INVALID);
    assert_int_equal(add(fixture, name, SECRET), ERR_INVALID);
    assert_int_equal(add(fixture, "a\nb", SECRET), ERR_INVALID);
    assert_int_equal(add_for(fixture, "x", SECRET, 0, NULL), ERR_INVALID);
    assert_int_equal(add_for(fixture, "x", SECRET, SERVICE_LMTP, NULL), ERR_INVALID);
    assert_int_equal(add_for(fixture, "x", SECRET, SERVICE_IMAP4, "192.0.2.0/33"), ERR_INVALID);
    for (unsigned i = 0; i < 32; i++) {
        snprintf(name, sizeof(name), "device %u", i);
        assert_int_equal(add(fixture, name, SECRET), ERR_NONE);
    }
    assert_int_equal(add(fixture, name, SECRET), ERR_EXISTS);
    assert_int_equal(add(fixture, "one more", SECRET), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(one_opens_the_account_beside_the_password_and_with_it_missing),
        FIXTURE_TEST(one_is_good_only_for_its_services_and_networks),
        FIXTURE_TEST(one_speaks_for_nobody_else),
        FIXTURE_TEST(a_revoked_one_ends_at_once_and_its_sessions_too),
        FIXTURE_TEST(a_disabled_account_stops_them_all),
        FIXTURE_TEST(the_last_use_is_noted_once_an_hour),
        FIXTURE_TEST(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
