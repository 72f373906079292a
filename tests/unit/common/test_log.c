#include "tests/unit/common/unit.h"

#include <sys/ioctl.h>

#include "common/log.h"

static int old_stderr = -1;
static int reader;
static char line[8192];

static int begin(void **state)
{
    int ends[2];

    (void)state;
    if (pipe(ends) != 0)
        return -1;
    old_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
    return 0;
}

/* What was logged since begin(), all of it. */
static const char *logged(void)
{
    size_t used = 0;
    ssize_t got;

    dup2(old_stderr, STDERR_FILENO); /* the pipe's last writer: read() comes to an end */
    while ((got = read(reader, line + used, sizeof(line) - 1 - used)) > 0)
        used += (size_t)got;
    line[used] = '\0';
    return line;
}

static int end(void **state)
{
    (void)state;
    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    close(reader);
    return 0;
}

static void a_line_for_stderr_has_time_program_and_level(void **state)
{
    const char *text;
    char expected[64];

    (void)state;
    log_open("prog", LOG_TO_STDERR, LOG_LEVEL_NOTICE);
    log_warning("imap4[42] alice", "it is %d", 5);
    text = logged();
    assert_true(strlen(text) > 25);
    assert_int_equal(text[10], 'T');
    snprintf(expected, sizeof(expected), "Z prog[%d] warning: imap4[42] alice: it is 5\n",
             getpid());
    assert_string_equal(text + 23, expected);
}

static void lines_below_the_level_are_dropped(void **state)
{
    (void)state;
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_WARNING);
    log_debug(NULL, "a");
    log_info(NULL, "b");
    log_notice(NULL, "c");
    log_warning(NULL, "d");
    log_error("who", "e");
    assert_string_equal(logged(), "<4>d\n<3>who: e\n");
}

static void no_byte_can_forge_a_line(void **state)
{
    (void)state;
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_DEBUG);
    log_error("a\nb", "x\r\ny\x1b[0m \\ \x7f \xff \xc0\xaf \xed\xa0\x80 \xc2\x85 \xe2\x80\xa8");
    assert_string_equal(logged(), "<3>a\\x0ab: x\\x0d\\x0ay\\x1b[0m \\\\ \\x7f \\xff \\xc0\\xaf "
                                  "\\xed\\xa0\\x80 \\xc2\\x85 \\xe2\\x80\\xa8\n");
}

static void valid_utf8_stays(void **state)
{
    (void)state;
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_DEBUG);
    log_error(NULL, "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xac");
    assert_string_equal(logged(), "<3>J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xac\n");
}

static void a_long_line_is_cut_and_stays_one_line(void **state)
{
    static char text[20000];
    const char *out;

    (void)state;
    memset(text, '\n', sizeof(text) - 1);
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_DEBUG);
    log_error(text, "%s", text);
    out = logged();
    assert_true(strlen(out) < 8000);
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

/* What is in the pipe now. */
static size_t there_now(void)
{
    int bytes = 0;

    assert_int_equal(ioctl(reader, FIONREAD, &bytes), 0);
    return (size_t)bytes;
}

static void lines_that_are_held_come_in_order_and_at_once_with_a_notice(void **state)
{
    (void)state;
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_INFO);
    log_hold();
    log_info(NULL, "one");
    assert_int_equal(there_now(), 0);
    log_flush();
    assert_int_equal(there_now(), strlen("<6>one\n"));
    log_info(NULL, "two");
    log_notice(NULL, "three");
    log_info(NULL, "four");
    log_let_go();
    log_info(NULL, "five");
    assert_string_equal(logged(), "<6>one\n<6>two\n<5>three\n<6>four\n<6>five\n");
}

static void a_thread_holds_no_more_than_a_pipe_takes_in_one_piece(void **state)
{
    char text[1001];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_open("prog", LOG_TO_JOURNAL, LOG_LEVEL_INFO);
    log_hold();
    for (int i = 0; i < 4; i++)
        log_info(NULL, "%s", text);
    assert_int_equal(there_now(), 0);
    log_info(NULL, "%s", text);
    assert_int_equal(there_now(), 4 * (sizeof(text) + 3));
    log_let_go();
    assert_int_equal(strlen(logged()), 5 * (sizeof(text) + 3));
}

int main(void)
{
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CAPTURED(a_line_for_stderr_has_time_program_and_level),
        CAPTURED(lines_below_the_level_are_dropped),
        CAPTURED(no_byte_can_forge_a_line),
        CAPTURED(valid_utf8_stays),
        CAPTURED(a_long_line_is_cut_and_stays_one_line),
        CAPTURED(lines_that_are_held_come_in_order_and_at_once_with_a_notice),
        CAPTURED(a_thread_holds_no_more_than_a_pipe_takes_in_one_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
