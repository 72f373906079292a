#include "tests/unit/front/stage.h"

static struct stage stage;
static struct actor *const first = &stage.backs[0];

static const char *const capabilities[] = {
    "TOP", "UIDL", "EXPIRE NEVER", "UTF8", "USER", "IMPLEMENTATION", NULL};

static int begin(void **state)
{
    (void)state;
    stage_begin(&stage, "[pop3]\nplaintext_auth = yes\nbanner = hello\n");
    for (int i = 0; i < STAGE_BACKS; i++)
        stage.backs[i].capabilities = capabilities;
    first->claims = "alice";
    stage_link(&stage);
    stage_connect(&stage, &pop3_protocol);
    stage_expect(&stage, "+OK hello\r\n");
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
    stage_say(&stage, "NOOP\r\ncapa\r\nQUIT\r\n");
    stage_expect(&stage, "+OK\r\n+OK capabilities follow\r\n");
    stage_expect(&stage, "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nTOP\r\nUIDL\r\n"
                         "EXPIRE NEVER\r\nUTF8\r\nUSER\r\nSASL PLAIN LOGIN\r\n"
                         "IMPLEMENTATION cas-proxy\r\n.\r\n+OK good-bye\r\n");
    stage_expect_close(&stage);
}

static void assert_logged_in(const char *message, size_t length)
{
    stage_expect(&stage, "[the back end speaks]\r\n");
    assert_string_equal(first->service, "pop3be");
    assert_string_equal(first->mechanism, "PLAIN");
    assert_string_equal(first->tag, "");
    assert_int_equal(buf_length(&first->message), length);
    assert_memory_equal(buf_bytes(&first->message), message, length);
}

static void user_and_pass_log_in(void **state)
{
    (void)state;
    stage_say(&stage, "USER alice\r\n");
    stage_expect(&stage, "+OK send PASS\r\n");
    stage_say(&stage, "PASS  p w \r\n");
    assert_logged_in("\0alice\0 p w ", 12);
}

static void pipelined_login_and_commands_keep_their_order(void **state)
{
    (void)state;
    stage_say(&stage, "USER alice\r\nPASS pw\r\nSTAT\r\nQUIT\r\n");
    stage_expect(&stage, "+OK send PASS\r\n");
    assert_logged_in("\0alice\0pw", 9);
    stage_until_data(&stage, first, 12);
    assert_memory_equal(buf_bytes(&first->data), "STAT\r\nQUIT\r\n", 12);
}

static void auth_takes_plain_and_login(void **state)
{
    (void)state;
    stage_say(&stage, "AUTH\r\n");
    stage_expect(&stage, "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    stage_say(&stage, "AUTH LOGIN\r\n");
    stage_expect(&stage, "+ VXNlcm5hbWU6\r\n");
    stage_say(&stage, "*\r\n");
    stage_expect(&stage, "-ERR AUTH cancelled\r\n");
    stage_say(&stage, "AUTH PLAIN\r\n");
    stage_expect(&stage, "+ \r\n");
    stage_say(&stage, "AGFsaWNlAHB3\r\n");
    assert_logged_in("\0alice\0pw", 9);
}

static void auth_takes_an_initial_response(void **state)
{
    (void)state;
    stage_say(&stage, "AUTH plain AGFsaWNlAHB3\r\n");
    assert_logged_in("\0alice\0pw", 9);
}

static void refusals_have_their_codes(void **state)
{
    static const struct {
        Link__Refused__Code code;
        const char *answer;
    } cases[] = {
        {LINK__REFUSED__CODE__AUTHENTICATION_FAILED, "-ERR [AUTH] wrong user or password\r\n"},
        {LINK__REFUSED__CODE__IN_USE,                "-ERR [IN-USE] so ?it???is\r\n"         },
        {LINK__REFUSED__CODE__UNAVAILABLE,           "-ERR [SYS/TEMP] so ?it???is\r\n"       },
        {LINK__REFUSED__CODE__DISABLED,              "-ERR [SYS/PERM] so ?it???is\r\n"       },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        first->refuses = cases[i].code;
        stage_say(&stage, "USER alice\r\nPASS x\r\n");
        stage_expect(&stage, "+OK send PASS\r\n");
        stage_expect(&stage, cases[i].answer);
    }
}

static void pass_needs_user_each_time(void **state)
{
    (void)state;
    first->refuses = LINK__REFUSED__CODE__AUTHENTICATION_FAILED;
    stage_say(&stage, "PASS x\r\nUSER\r\nUSER alice\r\nPASS x\r\nPASS y\r\n");
    stage_expect(&stage, "-ERR PASS comes after USER\r\n-ERR USER wants a name\r\n");
    stage_expect(&stage, "+OK send PASS\r\n-ERR [AUTH] wrong user or password\r\n");
    stage_expect(&stage, "-ERR PASS comes after USER\r\n");
}

static void utf8_is_known_only_where_the_back_ends_know_it(void **state)
{
    (void)state;
    stage_say(&stage, "UTF8\r\nLANG\r\n");
    stage_expect(&stage, "+OK UTF-8 from now on\r\n-ERR unknown command\r\n");
}

static void lost_back_end_closes_the_connection(void **state)
{
    (void)state;
    stage_say(&stage, "USER alice\r\nPASS pw\r\n");
    stage_expect(&stage, "+OK send PASS\r\n[the back end speaks]\r\n");
    actor_leave(first);
    stage_expect_close(&stage);
}

static void bad_commands_are_told_until_there_are_too_many(void **state)
{
    (void)state;
    stage_say(&stage, "\r\nSTAT\r\nQUIT now\r\n");
    stage_expect(&stage, "-ERR a line begins with a command\r\n");
    stage_expect(&stage, "-ERR unknown command, or one that needs a login first\r\n");
    stage_expect(&stage, "-ERR this command takes no argument\r\n");
    for (int i = 0; i < 7; i++) {
        stage_say(&stage, "X\r\n");
        stage_expect(&stage, "-ERR unknown command, or one that needs a login first\r\n");
    }
    stage_expect_close(&stage);
}

static void credentials_in_clear_are_refused(void **state)
{
    (void)state;
    stage.settings.pop3.service.plaintext_auth = false;
    stage_say(&stage, "USER alice\r\nPASS pw\r\nAUTH PLAIN\r\nSTLS\r\n");
    for (int i = 0; i < 3; i++)
        stage_expect(&stage, "-ERR [SYS/PERM] start TLS (STLS) before you log in\r\n");
    stage_expect(&stage, "-ERR TLS is not available\r\n");
}

static void line_over_the_limit_is_cut_off(void **state)
{
    char part[9000];

    (void)state;
    memset(part, 'x', sizeof(part));
    stage_say_n(&stage, part, sizeof(part));
    stage_expect(&stage, "-ERR the line is too long\r\n");
    stage_expect_close(&stage);
}

#define GREETED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GREETED(commands_before_login_are_answered),
        GREETED(user_and_pass_log_in),
        GREETED(pipelined_login_and_commands_keep_their_order),
        GREETED(auth_takes_plain_and_login),
        GREETED(auth_takes_an_initial_response),
        GREETED(refusals_have_their_codes),
        GREETED(pass_needs_user_each_time),
        GREETED(utf8_is_known_only_where_the_back_ends_know_it),
        GREETED(lost_back_end_closes_the_connection),
        GREETED(bad_commands_are_told_until_there_are_too_many),
        GREETED(credentials_in_clear_are_refused),
        GREETED(line_over_the_limit_is_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
