#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/imap4_parse.h"

static enum imap4_found scan(struct imap4_scan *state, const char *text)
{
    return imap4_scan(state, str_of(text));
}

static void command_ends_at_its_line_end(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a NO"), IMAP4_MORE);
    assert_int_equal(scan(&state, "a NOOP\r\nb NOOP\r\n"), IMAP4_WHOLE);
    assert_int_equal(state.seen, 8);
}

static void bare_line_feed_ends_a_command(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a NOOP\nb"), IMAP4_WHOLE);
    assert_int_equal(state.seen, 7);
}

static void nothing_is_more_to_come(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, ""), IMAP4_MORE);
}

static void literal_is_asked_for_once(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a LOGIN {5}\r\n"), IMAP4_CONTINUE);
    assert_int_equal(scan(&state, "a LOGIN {5}\r\n"), IMAP4_MORE);
    assert_int_equal(scan(&state, "a LOGIN {5}\r\nali"), IMAP4_MORE);
    assert_int_equal(scan(&state, "a LOGIN {5}\r\nalice {2}\r\n"), IMAP4_CONTINUE);
    assert_int_equal(scan(&state, "a LOGIN {5}\r\nalice {2}\r\npw\r\n"), IMAP4_WHOLE);
    assert_int_equal(state.seen, strlen("a LOGIN {5}\r\nalice {2}\r\npw\r\n"));
}

static void literal_plus_is_not_asked_for(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a LOGIN {5+}\r\na\r\nb} {0+}\r\n\r\n"), IMAP4_WHOLE);
    assert_int_equal(state.seen, 28);
}

static void line_ends_in_a_literal_end_nothing(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a LOGIN {4+}\r\n\r\n\r\n"), IMAP4_MORE);
}

static void literal_over_the_limit_is_refused(void **unused)
{
    struct imap4_scan state = {0};

    (void)unused;
    assert_int_equal(scan(&state, "a LOGIN {9000}\r\n"), IMAP4_TOO_BIG);
    assert_int_equal(state.seen, 16);
    state = (struct imap4_scan){0};
    assert_int_equal(scan(&state, "a LOGIN {9000+}\r\n"), IMAP4_TOO_LONG);
    state = (struct imap4_scan){0};
    assert_int_equal(scan(&state, "a LOGIN {99999999999999999999}\r\n"), IMAP4_TOO_BIG);
}

static void long_line_is_refused_unless_it_authenticates(void **unused)
{
    static char line[IMAP4_SASL_MAX + 100];
    struct imap4_scan state = {0};

    (void)unused;
    memset(line, 'x', sizeof(line));
    memcpy(line, "a LOGIN ", 8);
    assert_int_equal(imap4_scan(&state, str_n(line, IMAP4_COMMAND_MAX)), IMAP4_MORE);
    assert_int_equal(imap4_scan(&state, str_n(line, IMAP4_COMMAND_MAX + 1)), IMAP4_TOO_LONG);
    memcpy(line, "a authenticate PLAIN ", 21);
    state = (struct imap4_scan){0};
    assert_int_equal(imap4_scan(&state, str_n(line, IMAP4_SASL_MAX)), IMAP4_MORE);
    assert_int_equal(imap4_scan(&state, str_n(line, IMAP4_SASL_MAX + 1)), IMAP4_TOO_LONG);
}

static void command_has_tag_name_and_arguments(void **unused)
{
    struct imap4_command command;

    (void)unused;
    assert_true(imap4_command(&command, STR("a.1 LOGIN alice pw\r\n")));
    assert_true(str_is(command.tag, "a.1"));
    assert_true(str_is(command.name, "LOGIN"));
    assert_true(str_is(command.arguments, " alice pw"));
    assert_true(imap4_command(&command, STR("a NOOP\r\n")));
    assert_int_equal(command.arguments.length, 0);
}

static void command_without_a_tag_is_refused(void **unused)
{
    struct imap4_command command;

    (void)unused;
    assert_false(imap4_command(&command, STR("\r\n")));
    assert_false(imap4_command(&command, STR(" NOOP\r\n")));
    assert_false(imap4_command(&command, STR("+ NOOP\r\n")));
    assert_false(imap4_command(&command, STR("a(b NOOP\r\n")));
    assert_int_equal(command.tag.length, 0);
    assert_false(imap4_command(&command, STR("\xc3\xa4 NOOP\r\n")));
}

static void command_without_a_name_has_only_its_tag(void **unused)
{
    struct imap4_command command;

    (void)unused;
    assert_true(imap4_command(&command, STR("a\r\n")));
    assert_true(str_is(command.tag, "a"));
    assert_int_equal(command.name.length, 0);
}

static void assert_astring(const char *text, const char *value, const char *rest)
{
    struct str arguments = str_of(text);
    struct buf out = {0};

    assert_true(imap4_astring(&arguments, &out));
    assert_int_equal(buf_length(&out), strlen(value));
    if (buf_length(&out) > 0)
        assert_memory_equal(buf_bytes(&out), value, strlen(value));
    assert_true(str_is(arguments, rest));
    buf_release(&out);
}

static void astring_is_atom_quoted_or_literal(void **unused)
{
    (void)unused;
    assert_astring("alice pw", "alice", " pw");
    assert_astring("a]b@c)", "a]b@c", ")");
    assert_astring("DOMAIN\\alice pw", "DOMAIN\\alice", " pw");
    assert_astring("\"\" x", "", " x");
    assert_astring("\"a \\\"b\\\\\" x", "a \"b\\", " x");
    assert_astring("{5}\r\nal\r\n  x", "al\r\n ", " x");
    assert_astring("{3+}\npw\"", "pw\"", "");
}

static void refuse_astring(struct str arguments)
{
    struct buf out = {0};

    assert_false(imap4_astring(&arguments, &out));
    buf_release(&out);
}

static void malformed_astring_is_refused(void **unused)
{
    (void)unused;
    refuse_astring(STR(""));
    refuse_astring(STR("\"open"));
    refuse_astring(STR("\"bad \\escape\""));
    refuse_astring(STR("\"\\\""));
    refuse_astring(STR("\"nul\0\""));
    refuse_astring(STR("\"line\r\n\""));
    refuse_astring(STR("{5}\r\nfour"));
    refuse_astring(STR("{3}x\r\nabc"));
    refuse_astring(STR("{3}\r\na\0c"));
    refuse_astring(STR("(x)"));
}

static void id_list_gives_pairs(void **unused)
{
    struct str arguments = STR("(\"name\" \"x\" \"version\" NIL)");
    struct buf out = {0};
    size_t count;

    (void)unused;
    assert_true(imap4_id_list(&arguments, &out, &count));
    assert_int_equal(count, 2);
    assert_int_equal(buf_length(&out), sizeof("name\0x\0version\0"));
    assert_memory_equal(buf_bytes(&out), "name\0x\0version\0", buf_length(&out));
    buf_release(&out);
}

static void id_list_may_be_nil_or_empty(void **unused)
{
    struct str arguments = STR("nil");
    struct buf out = {0};
    size_t count;

    (void)unused;
    assert_true(imap4_id_list(&arguments, &out, &count));
    arguments = STR("()");
    assert_true(imap4_id_list(&arguments, &out, &count));
    assert_int_equal(count, 0);
}

static void malformed_id_list_is_refused(void **unused)
{
    static const char *const bad[] = {
        "", "(", "(\"a\")", "(\"a\" ", "(\"a\" \"b\"", "(\"a\"\"b\")", "(NIL \"b\")", "(\"a\" x)"};
    struct str arguments;
    struct buf out = {0};
    size_t count;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        arguments = str_of(bad[i]);
        assert_false(imap4_id_list(&arguments, &out, &count));
    }
    buf_release(&out);
}

static void id_list_over_thirty_pairs_is_refused(void **unused)
{
    struct buf text = {0}, out = {0};
    struct str arguments;
    size_t count;

    (void)unused;
    buf_text(&text, "(\"a\" NIL");
    for (int i = 0; i < IMAP4_ID_PAIRS; i++)
        buf_text(&text, " \"a\" NIL");
    buf_text(&text, ")");
    arguments = str_n(buf_bytes(&text), buf_length(&text));
    assert_false(imap4_id_list(&arguments, &out, &count));
    buf_release(&text);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_ends_at_its_line_end),
        cmocka_unit_test(bare_line_feed_ends_a_command),
        cmocka_unit_test(nothing_is_more_to_come),
        cmocka_unit_test(literal_is_asked_for_once),
        cmocka_unit_test(literal_plus_is_not_asked_for),
        cmocka_unit_test(line_ends_in_a_literal_end_nothing),
        cmocka_unit_test(literal_over_the_limit_is_refused),
        cmocka_unit_test(long_line_is_refused_unless_it_authenticates),
        cmocka_unit_test(command_has_tag_name_and_arguments),
        cmocka_unit_test(command_without_a_tag_is_refused),
        cmocka_unit_test(command_without_a_name_has_only_its_tag),
        cmocka_unit_test(astring_is_atom_quoted_or_literal),
        cmocka_unit_test(malformed_astring_is_refused),
        cmocka_unit_test(id_list_gives_pairs),
        cmocka_unit_test(id_list_may_be_nil_or_empty),
        cmocka_unit_test(malformed_id_list_is_refused),
        cmocka_unit_test(id_list_over_thirty_pairs_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
