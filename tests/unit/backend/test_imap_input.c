#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/input.h"

#define LITERALS 100

struct fixture {
    struct input input;
    struct buf in, out;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    input_release(&fixture->input);
    buf_release(&fixture->in);
    buf_release(&fixture->out);
    return 0;
}

static bool streams(struct str text)
{
    return str_starts_nocase(text, "a APPEND x ");
}

static void feed(struct fixture *fixture, const char *text)
{
    buf_text(&fixture->in, text);
}

static enum input_event read_more(struct fixture *fixture)
{
    return input_read(&fixture->input, &fixture->in, &fixture->out, LITERALS, streams);
}

static void expect(struct fixture *fixture, enum input_event event, const char *text)
{
    assert_int_equal(read_more(fixture), event);
    if (!str_is(input_text(&fixture->input), text))
        fail_msg("text is: %.*s", (int)input_text(&fixture->input).length,
                 input_text(&fixture->input).data);
}

static void asked_for(struct fixture *fixture, unsigned literals)
{
    assert_int_equal(buf_length(&fixture->out), literals * strlen("+ OK\r\n"));
    buf_consume(&fixture->out, buf_length(&fixture->out));
}

static void a_line_is_a_command(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a NO");
    assert_int_equal(read_more(fixture), INPUT_WAIT);
    feed(fixture, "OP\r\nb NOOP\r\n");
    expect(fixture, INPUT_COMMAND, "a NOOP");
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
    input_next_command(&fixture->input);
    assert_int_equal(read_more(fixture), INPUT_WAIT);
}

static void literals_become_part_of_the_text(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a X {3}\r\n");
    assert_int_equal(read_more(fixture), INPUT_WAIT);
    asked_for(fixture, 1);
    feed(fixture, "\r\n\" {2+}\r\nxy z\r\n");
    expect(fixture, INPUT_COMMAND, "a X {3}\r\n\r\n\" {2+}\r\nxy z");
    asked_for(fixture, 0);
}

static void a_large_literal_is_not_asked_for(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a X {101}\r\nb NOOP\r\n");
    expect(fixture, INPUT_TOO_BIG, "a X {101}");
    asked_for(fixture, 0);
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
}

static void large_literals_that_come_anyway_are_dropped(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a X {60+}\r\n");
    for (unsigned i = 0; i < 60; i++)
        feed(fixture, "x");
    feed(fixture, " {41+}\r\nx NOOP\r\n");
    assert_int_equal(read_more(fixture), INPUT_WAIT);
    for (unsigned i = 0; i < 41 - 8; i++)
        feed(fixture, "y");
    feed(fixture, " {4+}\r\n\r\nz) rest\r\nb NOOP\r\n");
    assert_int_equal(read_more(fixture), INPUT_TOO_BIG);
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
}

static void a_line_over_the_limit_is_dropped(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a X ");
    for (size_t i = 0; i < INPUT_LINES_MAX / 8; i++)
        feed(fixture, "01234567");
    assert_int_equal(read_more(fixture), INPUT_WAIT);
    assert_int_equal(buf_length(&fixture->input.text), INPUT_LINES_MAX);
    feed(fixture, "more {7+}\r\nx LO\r\nGIN\r\nb NOOP\r\n");
    assert_int_equal(read_more(fixture), INPUT_TOO_LONG);
    assert_memory_equal(input_text(&fixture->input).data, "a X 0123", 8);
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
}

static void a_literal_is_seen_across_the_limit(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < INPUT_LINES_MAX - 2; i++)
        feed(fixture, "x");
    feed(fixture, "{9+}\r\nx LOGOUT\n\r\nb NOOP\r\n");
    assert_int_equal(read_more(fixture), INPUT_TOO_LONG);
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
}

static void a_streamed_literal_is_left_to_the_command(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a APPEND x {999999+}\r\nbytes");
    expect(fixture, INPUT_STREAM, "a APPEND x {999999+}");
    assert_int_equal(buf_length(&fixture->in), 5);
}

static void what_a_command_leaves_of_a_stream_is_dropped(void **state)
{
    struct fixture *fixture = *state;

    feed(fixture, "a APPEND x {8+}\r\nx NOOP\r\n (rest)\r\nb NOOP\r\n");
    expect(fixture, INPUT_STREAM, "a APPEND x {8+}");
    input_drop(&fixture->input, 8);
    input_next_command(&fixture->input);
    expect(fixture, INPUT_COMMAND, "b NOOP");
}

static void lines_of_idle_are_cut(void **state)
{
    struct fixture *fixture = *state;
    struct str line;

    feed(fixture, "DO");
    assert_false(input_line(&fixture->input, &fixture->in, &line));
    feed(fixture, "NE\r\n");
    assert_true(input_line(&fixture->input, &fixture->in, &line));
    assert_true(str_is(line, "DONE"));
    for (unsigned i = 0; i < 1000; i++)
        feed(fixture, "x");
    assert_false(input_line(&fixture->input, &fixture->in, &line));
    feed(fixture, "\r\n");
    assert_true(input_line(&fixture->input, &fixture->in, &line));
    assert_int_equal(line.length, 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_a_command),
        TEST(literals_become_part_of_the_text),
        TEST(a_large_literal_is_not_asked_for),
        TEST(large_literals_that_come_anyway_are_dropped),
        TEST(a_line_over_the_limit_is_dropped),
        TEST(a_literal_is_seen_across_the_limit),
        TEST(a_streamed_literal_is_left_to_the_command),
        TEST(what_a_command_leaves_of_a_stream_is_dropped),
        TEST(lines_of_idle_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
