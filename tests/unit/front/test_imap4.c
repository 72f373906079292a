#include "tests/unit/front/stage.h"

#define PLAIN "[imap4]\nplaintext_auth = yes\nbanner = hello\n"
#define OWN "IMAP4rev1 SASL-IR LITERAL+ ID"
#define GREETING "* OK [CAPABILITY " OWN " IDLE MOVE AUTH=PLAIN AUTH=LOGIN] hello\r\n"

static struct stage stage;
static struct actor *const first = &stage.backs[0];
static struct actor *const second = &stage.backs[1];

static int begin(void **state)
{
    (void)state;
    stage_begin(&stage, PLAIN);
    first->claims = "alice";
    return 0;
}

/* Links are up and a client is greeted. */
static int begin_greeted(void **state)
{
    begin(state);
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stage_end(&stage);
    return 0;
}

static void commands_before_login_are_answered(void **state)
{
    (void)state;
    stage_say(&stage, "a NOOP\r\nb capability\r\nc ID NIL\r\nd LOGOUT\r\ne NOOP\r\n");
    stage_expect(&stage, "a OK NOOP completed\r\n");
    stage_expect(&stage, "* CAPABILITY " OWN " IDLE MOVE AUTH=PLAIN AUTH=LOGIN\r\n");
    stage_expect(&stage, "b OK CAPABILITY completed\r\n");
    stage_expect(&stage, "* ID (\"name\" \"cas-proxy\" \"version\" \"" VERSION "\")\r\n");
    stage_expect(&stage, "c OK ID completed\r\n* BYE logging out\r\nd OK LOGOUT completed\r\n");
    stage_expect_close(&stage);
}

static void capabilities_are_those_that_all_back_ends_have(void **state)
{
    static const char *const fewer[] = {"MOVE", "STARTTLS", "AUTH=SCRAM-SHA-1", "X\r\nY", NULL};

    (void)state;
    second->capabilities = fewer;
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, "* OK [CAPABILITY " OWN " MOVE AUTH=PLAIN AUTH=LOGIN] hello\r\n");
}

static void without_back_ends_the_list_is_the_fronts_own(void **state)
{
    (void)state;
    actor_leave(first);
    actor_leave(second);
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, "* OK [CAPABILITY " OWN " AUTH=PLAIN AUTH=LOGIN] hello\r\n");
}

static void assert_logged_in(const char *tag)
{
    stage_expect(&stage, "[the back end speaks]\r\n");
    assert_string_equal(first->service, "imap4be");
    assert_string_equal(first->mechanism, "PLAIN");
    assert_string_equal(first->tag, tag);
    assert_int_equal(buf_length(&first->message), sizeof("\0alice\0p w") - 1);
    assert_memory_equal(buf_bytes(&first->message), "\0alice\0p w", sizeof("\0alice\0p w") - 1);
    assert_int_equal(second->opens, 0);
}

static void login_goes_to_the_back_end_that_claims_the_user(void **state)
{
    (void)state;
    stage_say(&stage, "a ID (\"name\" \"x y\")\r\nb LOGIN alice \"p w\"\r\n");
    stage_expect(&stage, "* ID (\"name\" \"cas-proxy\" \"version\" \"" VERSION "\")\r\n");
    stage_expect(&stage, "a OK ID completed\r\n");
    assert_logged_in("b");
    assert_string_equal(first->id, "name=x y");
    assert_string_equal(stage.home.clients->user, "alice@example.test");
}

static void login_takes_literals(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN {5}\r\n");
    stage_expect(&stage, "+ go on\r\n");
    stage_say(&stage, "alice {3+}\r\np w\r\n");
    assert_logged_in("a");
}

static void authenticate_plain_takes_an_initial_response(void **state)
{
    (void)state;
    stage_say(&stage, "a AUTHENTICATE PLAIN AGFsaWNlAHAgdw==\r\n");
    assert_logged_in("a");
}

static void authenticate_login_asks_twice(void **state)
{
    (void)state;
    stage_say(&stage, "a authenticate login\r\n");
    stage_expect(&stage, "+ VXNlcm5hbWU6\r\n");
    stage_say(&stage, "YWxpY2U=\r\n");
    stage_expect(&stage, "+ UGFzc3dvcmQ6\r\n");
    stage_say(&stage, "cCB3\r\n");
    assert_logged_in("a");
}

static void authentication_can_be_cancelled(void **state)
{
    (void)state;
    stage_say(&stage, "a AUTHENTICATE PLAIN\r\n");
    stage_expect(&stage, "+ \r\n");
    stage_say(&stage, "*\r\nb NOOP\r\n");
    stage_expect(&stage, "a BAD AUTHENTICATE cancelled\r\nb OK NOOP completed\r\n");
    assert_int_equal(first->locates, 0);
}

static void malformed_credentials_are_bad(void **state)
{
    (void)state;
    stage_say(&stage, "a AUTHENTICATE PLAIN !!!\r\nb LOGIN alice\r\nc LOGIN a b c\r\n"
                      "d AUTHENTICATE CRAM-MD5\r\n");
    stage_expect(&stage, "a BAD malformed credentials\r\n");
    stage_expect(&stage, "b BAD LOGIN wants a user name and a password\r\n");
    stage_expect(&stage, "c BAD LOGIN wants a user name and a password\r\n");
    stage_expect(&stage, "d NO [CANNOT] this mechanism is not offered\r\n");
    assert_int_equal(first->locates, 0);
}

static void what_is_pipelined_behind_the_credentials_follows_as_data(void **state)
{
    (void)state;
    first->holds = true;
    stage_say(&stage, "a LOGIN alice \"p w\"\r\nb SELECT INBOX\r\n");
    stage_until(&stage, &first->opens, 1);
    assert_int_equal(buf_length(&first->data), 0);
    link_session_opened(first->session, "alice");
    stage_until_data(&stage, first, 16);
    assert_int_equal(buf_length(&first->data), 16);
    assert_memory_equal(buf_bytes(&first->data), "b SELECT INBOX\r\n", 16);
}

static void refusal_is_told_and_the_client_may_try_again(void **state)
{
    (void)state;
    first->refuses = LINK__REFUSED__CODE__DISABLED;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "a NO [CONTACTADMIN] so ?it???is\r\n");
    first->refuses = LINK__REFUSED__CODE__AUTHENTICATION_FAILED;
    stage_say(&stage, "b LOGIN alice x\r\n");
    stage_expect(&stage, "b NO [AUTHENTICATIONFAILED] wrong user or password\r\n");
    first->refuses = LINK__REFUSED__CODE__CODE_UNSET;
    stage_say(&stage, "c LOGIN alice \"p w\"\r\n");
    assert_logged_in("c");
}

static void connection_is_closed_after_too_many_failed_logins(void **state)
{
    (void)state;
    first->refuses = LINK__REFUSED__CODE__AUTHENTICATION_FAILED;
    stage_say(&stage, "a LOGIN alice x\r\na LOGIN alice x\r\na LOGIN alice x\r\n"
                      "a LOGIN alice x\r\na LOGIN alice x\r\n");
    for (int i = 0; i < 4; i++)
        stage_expect(&stage, "a NO [AUTHENTICATIONFAILED] wrong user or password\r\n");
    stage_expect(&stage, "* BYE too many failed logins\r\n");
    stage_expect_close(&stage);
    assert_int_equal(first->opens, 4);
}

static void unknown_user_is_refused_by_a_back_end_like_any_other(void **state)
{
    (void)state;
    first->refuses = second->refuses = LINK__REFUSED__CODE__AUTHENTICATION_FAILED;
    stage_say(&stage, "a LOGIN nobody x\r\n");
    stage_expect(&stage, "a NO [AUTHENTICATIONFAILED] wrong user or password\r\n");
    assert_int_equal(first->opens + second->opens, 1);
}

static void unknown_user_is_temporary_while_a_back_end_is_away(void **state)
{
    (void)state;
    actor_leave(second);
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
    stage_say(&stage, "a LOGIN nobody x\r\n");
    stage_expect(&stage, "a NO [UNAVAILABLE] the mail server is not available now, please try "
                         "again later\r\n");
    stage_say(&stage, "b LOGIN alice \"p w\"\r\n");
    assert_logged_in("b");
}

static void two_claims_at_one_epoch_are_temporary(void **state)
{
    (void)state;
    second->claims = "alice";
    log_open("test", LOG_TO_STDERR, LOG_LEVEL_ERROR + 1);
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "a NO [UNAVAILABLE] the mail server is not available now, please try "
                         "again later\r\n");
    assert_int_equal(first->opens + second->opens, 0);
}

static void forward_leads_to_the_new_home(void **state)
{
    (void)state;
    second->claims = "alice";
    second->forwards_to = "back1";
    second->epoch = first->epoch = 4;
    stage_say(&stage, "a LOGIN alice \"p w\"\r\n");
    assert_logged_in("a");
}

static void claim_is_not_asked_for_again_within_a_short_time(void **state)
{
    (void)state;
    first->refuses = LINK__REFUSED__CODE__UNAVAILABLE;
    stage_say(&stage, "a LOGIN alice x\r\na LOGIN alice x\r\n");
    stage_until(&stage, &first->opens, 2);
    assert_int_equal(first->locates, 1);
}

static void silent_back_end_does_not_keep_others_users_out(void **state)
{
    (void)state;
    second->is_silent = true;
    stage_say(&stage, "a LOGIN alice \"p w\"\r\n");
    assert_logged_in("a");
}

static void back_end_that_vanishes_while_it_is_asked_counts_as_silent(void **state)
{
    (void)state;
    second->is_silent = true;
    stage_say(&stage, "a LOGIN nobody x\r\n");
    stage_until(&stage, &second->locates, 1);
    actor_leave(second);
    stage_expect(&stage, "a NO [UNAVAILABLE] the mail server is not available now, please try "
                         "again later\r\n");
}

static void login_waits_after_failed_ones_from_its_address(void **state)
{
    struct limits_settings slow = {.delay = 1, .delay_most = 1, .memory = 600};

    (void)state;
    limits_destroy(&stage.front.limits);
    stage.front.limits = limits_create(&slow);
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
    first->refuses = LINK__REFUSED__CODE__AUTHENTICATION_FAILED;
    stage_say(&stage, "a LOGIN alice x\r\na LOGIN alice x\r\na LOGIN alice x\r\n");
    for (int i = 0; i < 3; i++)
        stage_expect(&stage, "a NO [AUTHENTICATIONFAILED] wrong user or password\r\n");
    first->refuses = LINK__REFUSED__CODE__CODE_UNSET;
    stage_say(&stage, "b LOGIN alice \"p w\"\r\n");
    for (int i = 0; i < 100; i++)
        uv_run(loop_uv(stage.loop), UV_RUN_NOWAIT);
    assert_int_equal(first->opens, 3);
    assert_logged_in("b");
}

static void redirect_is_followed(void **state)
{
    (void)state;
    first->claims = NULL;
    second->claims = "alice";
    second->redirects_to = "back1";
    stage_say(&stage, "a LOGIN alice \"p w\"\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    assert_int_equal(second->opens, 1);
    assert_int_equal(first->hops, 1);
    assert_int_equal(buf_length(&first->message), sizeof("\0alice\0p w") - 1);
}

static void redirects_in_a_circle_end(void **state)
{
    (void)state;
    first->redirects_to = "back2";
    second->redirects_to = "back1";
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "a NO [UNAVAILABLE] the mail server is not available now, please try "
                         "again later\r\n");
    assert_int_equal(first->opens, 2);
    assert_int_equal(second->opens, 1);
}

static void no_back_end_is_said_at_once(void **state)
{
    (void)state;
    actor_leave(first);
    actor_leave(second);
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "* OK [CAPABILITY " OWN " AUTH=PLAIN AUTH=LOGIN] hello\r\n");
    stage_expect(&stage, "a NO [UNAVAILABLE] the mail server is not available now, please try "
                         "again later\r\n");
}

static void lost_back_end_is_told_with_bye(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    stage_rest(&stage);
    actor_leave(first);
    stage_expect(&stage, "* BYE [UNAVAILABLE] the mail server was lost, try again\r\n");
    stage_expect_close(&stage);
}

static void lost_back_end_is_not_told_in_the_middle_of_a_line(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    actor_say(first, "* 1 FETCH (BODY[] {100}\r\nhalf a li");
    stage_expect(&stage, "* 1 FETCH (BODY[] {100}\r\nhalf a li");
    stage_rest(&stage);
    actor_leave(first);
    stage_expect_close(&stage);
}

static void lost_back_end_is_not_told_to_a_client_that_was_just_told_a_line(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    actor_say(first, "* 1 FETCH (BODY[] {100}\r\na line of a message\r\n");
    stage_expect(&stage, "* 1 FETCH (BODY[] {100}\r\na line of a message\r\n");
    actor_leave(first);
    stage_expect_close(&stage);
}

static void orderly_end_by_the_back_end_adds_nothing(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    actor_say(first, "* BYE\r\na OK\r\n");
    link_session_close(first->session, LINK__CLOSE__REASON__NORMAL, "");
    stage_expect(&stage, "* BYE\r\na OK\r\n");
    stage_expect_close(&stage);
}

static void client_that_goes_away_is_told_to_the_back_end(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    stage_say(&stage, "b LOGOUT\r\n");
    close(stage.client);
    stage.client = -1;
    stage_until(&stage, &first->closes, 1);
    assert_int_equal(first->close_reason, LINK__CLOSE__REASON__CLIENT_GONE);
    assert_int_equal(buf_length(&first->data), 10);
}

static void client_that_goes_away_during_its_login_is_forgotten(void **state)
{
    (void)state;
    first->is_silent = true;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_until(&stage, &first->locates, 1);
    close(stage.client);
    stage.client = -1;
    while (stage.home.clients != NULL)
        stage_turn(&stage);
    assert_int_equal(first->opens, 0);
}

static void stop_is_told_before_and_after_login(void **state)
{
    (void)state;
    client_stop_all(&stage.home, "imap4");
    stage_expect(&stage, "* BYE [UNAVAILABLE] the service stops\r\n");
    stage_expect_close(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    stage_rest(&stage);
    client_stop_all(&stage.home, "pop3");
    client_stop_all(&stage.home, "imap4");
    stage_expect(&stage, "* BYE [UNAVAILABLE] the service stops, try again\r\n");
    stage_expect_close(&stage);
    stage_until(&stage, &first->closes, 1);
}

static void bad_commands_are_told_until_there_are_too_many(void **state)
{
    (void)state;
    stage_say(&stage, "\r\n+ NOOP\r\na\r\nb SELECT INBOX\r\nc NOOP x\r\n");
    stage_expect(&stage, "* BAD a command begins with a tag and a name\r\n");
    stage_expect(&stage, "* BAD a command begins with a tag and a name\r\n");
    stage_expect(&stage, "a BAD a command begins with a tag and a name\r\n");
    stage_expect(&stage, "b BAD unknown command, or one that needs a login first\r\n");
    stage_expect(&stage, "c BAD this command takes no arguments\r\n");
    for (int i = 0; i < 5; i++) {
        stage_say(&stage, "d X\r\n");
        stage_expect(&stage, "d BAD unknown command, or one that needs a login first\r\n");
    }
    stage_expect(&stage, "* BYE too many bad commands\r\n");
    stage_expect_close(&stage);
}

static void endless_commands_without_a_login_are_cut_off(void **state)
{
    (void)state;
    first->refuses = LINK__REFUSED__CODE__UNAVAILABLE;
    for (int i = 0; i < 99; i++) {
        stage_say(&stage, "a NOOP\r\n");
        stage_expect(&stage, "a OK NOOP completed\r\n");
    }
    stage_say(&stage, "b LOGIN alice x\r\n");
    stage_expect(&stage, "b NO [UNAVAILABLE] so ?it???is\r\n");
    stage_say(&stage, "c NOOP\r\n");
    stage_expect(&stage, "c OK NOOP completed\r\n* BYE too many commands without a login\r\n");
    stage_expect_close(&stage);
}

static void literal_over_the_limit_is_refused_and_the_connection_lives(void **state)
{
    (void)state;
    stage_say(&stage, "a LOGIN {10000}\r\nb NOOP\r\n");
    stage_expect(&stage, "a BAD [TOOBIG] the literal is too long\r\nb OK NOOP completed\r\n");
    stage_say(&stage, "c LOGIN {10000+}\r\n");
    stage_expect(&stage, "* BYE the command is too long\r\n");
    stage_expect_close(&stage);
}

static void endless_line_is_cut_off(void **state)
{
    char part[1000];

    (void)state;
    memset(part, 'x', sizeof(part));
    stage_say(&stage, "a LOGIN ");
    for (int i = 0; i < 9; i++)
        stage_say_n(&stage, part, sizeof(part));
    stage_expect(&stage, "* BYE the command is too long\r\n");
    stage_expect_close(&stage);
}

static void credentials_in_clear_are_refused(void **state)
{
    (void)state;
    stage.settings.imap4.service.plaintext_auth = false;
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, "* OK [CAPABILITY " OWN " IDLE MOVE LOGINDISABLED] hello\r\n");
    stage_say(&stage, "a LOGIN alice x\r\nb AUTHENTICATE PLAIN\r\nc STARTTLS\r\n");
    stage_expect(&stage, "a NO [PRIVACYREQUIRED] start TLS before you log in\r\n");
    stage_expect(&stage, "b NO [PRIVACYREQUIRED] start TLS before you log in\r\n");
    stage_expect(&stage, "c BAD TLS is not available\r\n");
    assert_int_equal(first->locates, 0);
}

static void connection_over_the_limit_is_told_so(void **state)
{
    (void)state;
    stage.settings.imap4.service.max_connections = 1;
    stage_link(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
    int held = stage.client;

    stage.client = -1;
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, "* BYE [UNAVAILABLE] too many connections, try again later\r\n");
    stage_expect_close(&stage);
    close(held);
    while (limits_count(stage.front.limits, imap4_protocol.number) > 0)
        stage_turn(&stage);
    stage_connect(&stage, &imap4_protocol);
    stage_expect(&stage, GREETING);
}

/* Far more than all the buffers on the way hold, both ways, octet for octet. */
static void bytes_pass_both_ways_under_back_pressure(void **state)
{
    enum { TOTAL = 3 << 20 };
    uint8_t *bytes = malloc(TOTAL);
    size_t sent = 0, heard = 0;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    stage_say_n(&stage, bytes, TOTAL);
    stage_until_data(&stage, first, TOTAL);
    assert_int_equal(buf_length(&first->data), TOTAL);
    assert_memory_equal(buf_bytes(&first->data), bytes, TOTAL);
    while (heard < TOTAL) {
        sent += link_session_data(first->session, bytes + sent, TOTAL - sent);
        uv_run(loop_uv(stage.loop), UV_RUN_NOWAIT);
        stage_read(&stage);
        assert_memory_equal(stage.got, bytes + heard, stage.got_length);
        heard += stage.got_length;
        stage.got_length = 0;
    }
    free(bytes);
}

static void client_that_reads_nothing_stops_the_back_end(void **state)
{
    static const uint8_t bytes[65536];
    size_t sent = 0, before;

    (void)state;
    stage_say(&stage, "a LOGIN alice x\r\n");
    stage_expect(&stage, "[the back end speaks]\r\n");
    do {
        before = sent;
        for (int i = 0; i < 1000; i++) {
            sent += link_session_data(first->session, bytes, sizeof(bytes));
            uv_run(loop_uv(stage.loop), UV_RUN_NOWAIT);
        }
    } while (sent > before);
    assert_true(sent < 4 << 20);
    assert_true(conn_pending(stage.home.clients->conn) < 1 << 20);
}

#define GREETED(test) cmocka_unit_test_setup_teardown(test, begin_greeted, end)
#define ALONE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GREETED(commands_before_login_are_answered),
        ALONE(capabilities_are_those_that_all_back_ends_have),
        ALONE(without_back_ends_the_list_is_the_fronts_own),
        GREETED(login_goes_to_the_back_end_that_claims_the_user),
        GREETED(login_takes_literals),
        GREETED(authenticate_plain_takes_an_initial_response),
        GREETED(authenticate_login_asks_twice),
        GREETED(authentication_can_be_cancelled),
        GREETED(malformed_credentials_are_bad),
        GREETED(what_is_pipelined_behind_the_credentials_follows_as_data),
        GREETED(refusal_is_told_and_the_client_may_try_again),
        GREETED(connection_is_closed_after_too_many_failed_logins),
        GREETED(unknown_user_is_refused_by_a_back_end_like_any_other),
        ALONE(unknown_user_is_temporary_while_a_back_end_is_away),
        GREETED(two_claims_at_one_epoch_are_temporary),
        GREETED(forward_leads_to_the_new_home),
        GREETED(claim_is_not_asked_for_again_within_a_short_time),
        GREETED(silent_back_end_does_not_keep_others_users_out),
        GREETED(back_end_that_vanishes_while_it_is_asked_counts_as_silent),
        ALONE(login_waits_after_failed_ones_from_its_address),
        GREETED(redirect_is_followed),
        GREETED(redirects_in_a_circle_end),
        ALONE(no_back_end_is_said_at_once),
        GREETED(lost_back_end_is_told_with_bye),
        GREETED(lost_back_end_is_not_told_in_the_middle_of_a_line),
        GREETED(lost_back_end_is_not_told_to_a_client_that_was_just_told_a_line),
        GREETED(orderly_end_by_the_back_end_adds_nothing),
        GREETED(client_that_goes_away_is_told_to_the_back_end),
        GREETED(client_that_goes_away_during_its_login_is_forgotten),
        GREETED(stop_is_told_before_and_after_login),
        GREETED(bad_commands_are_told_until_there_are_too_many),
        GREETED(endless_commands_without_a_login_are_cut_off),
        GREETED(literal_over_the_limit_is_refused_and_the_connection_lives),
        GREETED(endless_line_is_cut_off),
        ALONE(credentials_in_clear_are_refused),
        ALONE(connection_over_the_limit_is_told_so),
        GREETED(bytes_pass_both_ways_under_back_pressure),
        GREETED(client_that_reads_nothing_stops_the_back_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
