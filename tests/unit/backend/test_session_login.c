/* Who gets a session, and who loses it: against a real directory. */
#include "tests/unit/backend/session_rig.h"

static struct session_rig rig;

static const struct str right = {"\0alice\0secret", 13};
static const struct str wrong = {"\0alice\0guess", 12};
static const struct str nobody = {"\0bob\0secret", 11};

static int begin(void **state)
{
    (void)state;
    session_rig_begin(&rig);
    session_rig_directory(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    session_rig_end(&rig);
    return 0;
}

static void the_right_password_opens_the_session_under_the_canonical_name(void **state)
{
    static struct client client;

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", right);
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_OPENED);
    assert_string_equal(client.told.text, "alice@example.test");
    client_expect(&client, "hello alice@example.test ");
    client_forget(&client);
}

static void assert_refused(struct str response, const char *mechanism, Link__Refused__Code code)
{
    static struct client client;

    client_open(&client, &rig, 0, mechanism, response);
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_REFUSED);
    assert_int_equal(client.told.refused, code);
    rig_settle(&rig.rig);
    assert_int_equal(sessions_on_loop(rig.rig.loop), 0);
    client_forget(&client);
}

static void a_wrong_password_and_an_unknown_user_are_refused_alike(void **state)
{
    (void)state;
    assert_refused(wrong, "PLAIN", LINK__REFUSED__CODE__AUTHENTICATION_FAILED);
    assert_refused(nobody, "PLAIN", LINK__REFUSED__CODE__AUTHENTICATION_FAILED);
    assert_int_equal(fake_log.opens, 0);
}

static void an_unknown_mechanism_is_refused(void **state)
{
    (void)state;
    assert_refused(right, "TELEPATHY", LINK__REFUSED__CODE__UNSUPPORTED);
}

static void a_malformed_message_is_refused(void **state)
{
    (void)state;
    assert_refused(STR("no NUL at all"), "PLAIN", LINK__REFUSED__CODE__INVALID);
}

/* PLAIN begins with the client: without an initial response the back end asks for it. */
static void a_challenge_may_be_cancelled(void **state)
{
    Link__Response response = LINK__RESPONSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    static struct client client;

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", (struct str){NULL, 0});
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_CHALLENGE);
    response.cancelled = true;
    frame.body_case = LINK__FRAME__BODY_RESPONSE;
    frame.response = &response;
    link_session_send(client.told.session, &frame);
    rig_until(&rig.rig, &client.told.messages, 2);
    assert_int_equal(client.told.refused, LINK__REFUSED__CODE__CANCELLED);
    client_forget(&client);
}

static void a_response_to_a_challenge_is_the_credential(void **state)
{
    Link__Response response = LINK__RESPONSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    static struct client client;

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", (struct str){NULL, 0});
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_CHALLENGE);
    response.data.data = (uint8_t *)right.data;
    response.data.len = right.length;
    frame.body_case = LINK__FRAME__BODY_RESPONSE;
    frame.response = &response;
    link_session_send(client.told.session, &frame);
    client_expect(&client, "hello alice@example.test ");
    client_forget(&client);
}

static void a_response_that_nobody_asked_for_closes_the_session(void **state)
{
    Link__Response response = LINK__RESPONSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    static struct client client;

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", (struct str){NULL, 0});
    response.data.data = (uint8_t *)right.data;
    response.data.len = right.length;
    frame.body_case = LINK__FRAME__BODY_RESPONSE;
    frame.response = &response;
    link_session_send(client.told.session, &frame);
    link_session_send(client.told.session, &frame);
    rig_until(&rig.rig, &client.told.closes, 1);
    assert_int_equal(client.told.close_reason, LINK__CLOSE__REASON__PROTOCOL);
    client_forget(&client);
}

static void a_user_has_no_more_sessions_than_the_settings_allow(void **state)
{
    static struct client clients[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        client_open(&clients[i], &rig, i, "PLAIN", right);
    assert_int_equal(clients[1].told.last_message, LINK__FRAME__BODY_OPENED);
    assert_int_equal(clients[2].told.refused, LINK__REFUSED__CODE__LIMIT);
    link_session_close(clients[0].told.session, LINK__CLOSE__REASON__NORMAL, "");
    rig_settle(&rig.rig);
    client_forget(&clients[2]);
    client_open(&clients[2], &rig, 2, "PLAIN", right);
    assert_int_equal(clients[2].told.last_message, LINK__FRAME__BODY_OPENED);
    for (unsigned i = 0; i < 3; i++)
        client_forget(&clients[i]);
}

static void disabling_the_account_ends_its_sessions_and_refuses_new_ones(void **state)
{
    static const bool disabled = false;
    const struct account_change change = {.enabled = &disabled};
    static struct client client;
    struct err err = {0};

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", right);
    assert_int_equal(account_set(rig.backend.directory, STR("alice"), &change, false, &err),
                     ERR_NONE);
    rig_until(&rig.rig, &client.told.closes, 1);
    assert_int_equal(client.told.close_reason, LINK__CLOSE__REASON__DISABLED);
    client_expect(&client, "hello alice@example.test account changed");
    client_forget(&client);
    assert_refused(right, "PLAIN", LINK__REFUSED__CODE__DISABLED);
}

static void taking_another_service_away_leaves_the_session(void **state)
{
    static const unsigned services = SERVICE_IMAP4 | SERVICE_LMTP;
    const struct account_change change = {.services = &services};
    static struct client client;
    struct err err = {0};

    (void)state;
    client_open(&client, &rig, 0, "PLAIN", right);
    assert_int_equal(account_set(rig.backend.directory, STR("alice"), &change, false, &err),
                     ERR_NONE);
    rig_settle(&rig.rig);
    assert_int_equal(client.told.closes, 0);
    client_say(&client, "echo still\n");
    client_expect(&client, "hello alice@example.test still");
    client_forget(&client);
}

static void who_may_not_impersonate_any_more_loses_the_session_too(void **state)
{
    static const struct str as_bob = {"bob\0alice\0secret", 16};
    struct account_change change = {.may_impersonate = &(bool){true}};
    struct account_new bob = {.name = STR("bob"), .services = SERVICES_ALL};
    struct arena arena = {0};
    static struct client client;

    (void)state;
    assert_int_equal(account_add(rig.backend.directory, &bob, false, &arena, NULL, NULL), ERR_NONE);
    arena_reset(&arena);
    account_set(rig.backend.directory, STR("alice"), &change, false, NULL);
    client_open(&client, &rig, 0, "PLAIN", as_bob);
    client_expect(&client, "hello bob@example.test ");
    change.may_impersonate = &(bool){false};
    account_set(rig.backend.directory, STR("alice"), &change, false, NULL);
    rig_until(&rig.rig, &client.told.closes, 1);
    assert_int_equal(client.told.close_reason, LINK__CLOSE__REASON__DISABLED);
    client_forget(&client);
    assert_refused(as_bob, "PLAIN", LINK__REFUSED__CODE__AUTHORIZATION_FAILED);
}

static void a_front_that_goes_away_during_the_proof_leaves_nothing(void **state)
{
    Link__Open open = LINK__OPEN__INIT;
    static struct client client = {.rig = &rig};

    (void)state;
    open.service = (char *)"fake";
    open.mechanism = (char *)"PLAIN";
    open.has_initial_response = true;
    open.initial_response.data = (uint8_t *)right.data;
    open.initial_response.len = right.length;
    client.told.session = link_open(rig.rig.front.link, &open, &rig_session_events, &client.told);
    while (sessions_on_loop(rig.rig.loop) == 0)
        uv_run(loop_uv(rig.rig.loop), UV_RUN_ONCE);
    link_session_close(client.told.session, LINK__CLOSE__REASON__CLIENT_GONE, "");
    while (sessions_on_loop(rig.rig.loop) != 0)
        uv_run(loop_uv(rig.rig.loop), UV_RUN_ONCE);
    assert_int_equal(fake_log.opens, fake_log.closes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_right_password_opens_the_session_under_the_canonical_name),
        TEST(a_wrong_password_and_an_unknown_user_are_refused_alike),
        TEST(an_unknown_mechanism_is_refused),
        TEST(a_malformed_message_is_refused),
        TEST(a_challenge_may_be_cancelled),
        TEST(a_response_to_a_challenge_is_the_credential),
        TEST(a_response_that_nobody_asked_for_closes_the_session),
        TEST(a_user_has_no_more_sessions_than_the_settings_allow),
        TEST(disabling_the_account_ends_its_sessions_and_refuses_new_ones),
        TEST(taking_another_service_away_leaves_the_session),
        TEST(who_may_not_impersonate_any_more_loses_the_session_too),
        TEST(a_front_that_goes_away_during_the_proof_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
