#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/parse.h"
#include "mailbox-backend/store/store.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static struct parse over(struct str text)
{
    struct parse parse;

    parse_init(&parse, &arena, text);
    return parse;
}

typedef bool parse_text(struct parse *parse, struct str *text);

static void gives(parse_text *take, const char *text, const char *expected, const char *rest)
{
    struct parse parse = over(str_of(text));
    struct str taken;

    if (!take(&parse, &taken))
        fail_msg("%s: %s", text, parse.fault);
    assert_true(str_is(taken, expected));
    assert_true(str_is(parse_rest(&parse), rest));
}

static void refuses(parse_text *take, struct str text)
{
    struct parse parse = over(text);
    struct str taken;

    assert_false(take(&parse, &taken));
    assert_non_null(parse.fault);
    assert_ptr_equal(parse.at, text.data); /* the place is unchanged */
}

static void strings_come_in_every_form(void **state)
{
    (void)state;
    gives(parse_astring, "INBOX (", "INBOX", " (");
    gives(parse_astring, "a]b c", "a]b", " c");
    gives(parse_astring, "\"two words\")", "two words", ")");
    gives(parse_astring, "\"\"", "", "");
    gives(parse_astring, "\"a\\\"b\\\\\" x", "a\"b\\", " x");
    gives(parse_astring, "{5}\r\na\r\nb\" x", "a\r\nb\"", " x");
    gives(parse_astring, "{3+}\r\nabcd", "abc", "d");
    gives(parse_string, "{0}\r\n", "", "");
    gives(parse_list_mailbox, "a%/* b", "a%/*", " b");
    gives(parse_tag, "a.1] NOOP", "a.1]", " NOOP");
    gives(parse_nstring, "\"NIL\"", "NIL", "");
}

static void nil_is_no_string(void **state)
{
    struct parse parse = over(STR("nil \"x\""));
    struct str taken;

    (void)state;
    assert_true(parse_nstring(&parse, &taken));
    assert_null(taken.data);
    assert_true(str_is(parse_rest(&parse), " \"x\""));
}

static void broken_strings_are_refused(void **state)
{
    (void)state;
    refuses(parse_astring, STR(""));
    refuses(parse_astring, STR(" a"));
    refuses(parse_astring, STR("(a"));
    refuses(parse_astring, STR("\"open"));
    refuses(parse_astring, STR("\"bad\\n\""));
    refuses(parse_astring, STR("\"a\r\nb\""));
    refuses(parse_astring, STR("\"a\0b\""));
    refuses(parse_astring, STR("{3}\r\nab"));
    refuses(parse_astring, STR("{3}abc"));
    refuses(parse_astring, STR("{3}\r\na\0b"));
    refuses(parse_astring, STR("{-3}\r\nabc"));
    refuses(parse_astring, STR("{}\r\n"));
    refuses(parse_astring, STR("{+}\r\n"));
    refuses(parse_astring, STR("\xc3\xa9"));
    refuses(parse_string, STR("atom"));
    refuses(parse_atom, STR("]"));
    refuses(parse_tag, STR("+"));
}

/* RFC 6855 section 3, RFC 3629 section 3: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static void quoted_strings_are_utf8_once_it_is_enabled(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } strings[] = {
        {"\"caf\xc3\xa9\"",          true },
        {"\"\xf0\x9f\x93\xa7\\\\\"", true },
        {"\"\xc3\"",                 false},
        {"\"\xa9\"",                 false},
        {"\"\xc0\xaf\"",             false},
        {"\"\xed\xa0\x80\"",         false},
        {"\"\xf4\x90\x80\x80\"",     false},
        {"\"\xc3\\\\\xa9\"",         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        struct parse parse = over(str_of(strings[i].text));
        struct str taken;

        assert_true(parse_string(&parse, &taken)); /* before */
        parse = over(str_of(strings[i].text));
        parse.utf8 = true;
        assert_int_equal(parse_string(&parse, &taken), strings[i].valid);
    }
}

static void a_word_is_a_whole_word(void **state)
{
    struct parse parse = over(STR("flags.Silent (x)"));

    (void)state;
    assert_false(parse_word(&parse, "FLAGS"));
    assert_true(parse_word(&parse, "FLAGS.SILENT"));
    assert_true(parse_space(&parse) && parse_char(&parse, '(') && parse_word(&parse, "X"));
}

static void numbers_have_32_bits(void **state)
{
    struct parse parse = over(STR("4294967295 4294967296 0 01"));
    uint32_t number;

    (void)state;
    assert_true(parse_nz_number(&parse, &number));
    assert_int_equal(number, UINT32_MAX);
    assert_true(parse_space(&parse));
    assert_false(parse_number(&parse, &number));
    parse_take(&parse, 11);
    assert_false(parse_nz_number(&parse, &number));
    assert_true(parse_number(&parse, &number));
    assert_true(parse_space(&parse));
    assert_false(parse_nz_number(&parse, &number));
}

static void sequence_sets_are_read(void **state)
{
    struct parse parse = over(STR("1,3:5,9:*,*:2,7 x"));
    struct sequence_set set;

    (void)state;
    assert_true(parse_sequence_set(&parse, &set));
    assert_int_equal(set.count, 5);
    assert_int_equal(set.ranges[1].first, 3);
    assert_int_equal(set.ranges[1].last, 5);
    assert_int_equal(set.ranges[2].last, 0);
    assert_int_equal(set.ranges[3].first, 0);
    assert_true(str_is(parse_rest(&parse), " x"));
}

static void broken_sequence_sets_are_refused(void **state)
{
    static const char *const broken[] = {"", "0", "1,", ",1", "1:", ":1", "1:2:", "a", "1,0", "**"};
    struct sequence_set set;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct parse parse = over(str_of(broken[i]));

        if (parse_sequence_set(&parse, &set) && parse_end(&parse))
            fail_msg("taken: %s", broken[i]);
    }
}

static void flags_are_gathered_without_doubles(void **state)
{
    struct parse parse = over(STR("(\\seen $Forwarded \\DELETED junk $forwarded)"));
    struct parsed_flags flags;

    (void)state;
    assert_true(parse_flag_list(&parse, &flags));
    assert_int_equal(flags.system, FLAG_SEEN | FLAG_DELETED);
    assert_int_equal(flags.count, 2);
    assert_string_equal(flags.keywords[0], "$Forwarded");
    assert_string_equal(flags.keywords[1], "junk");
}

static void flags_without_parentheses_are_for_store_only(void **state)
{
    struct parse parse = over(STR("\\Seen \\Draft"));
    struct parsed_flags flags;

    (void)state;
    assert_false(parse_flag_list(&parse, &flags));
    assert_true(parse_flags(&parse, &flags));
    assert_int_equal(flags.system, FLAG_SEEN | FLAG_DRAFT);
    assert_true(parse_at_end(&parse));
}

static void what_a_client_cannot_set_is_refused(void **state)
{
    static const char *const broken[] = {"(\\Recent)", "(\\*)",  "(\\Other)", "(\\)", "(a",
                                         "( a)",       "(a  b)", "(a )",      "()x",  "(\\Seenx)"};
    struct parsed_flags flags;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct parse parse = over(str_of(broken[i]));

        if (parse_flags(&parse, &flags) && parse_end(&parse))
            fail_msg("taken: %s", broken[i]);
    }
}

static void the_literal_at_the_end_of_a_line_is_seen(void **state)
{
    struct literal literal;

    (void)state;
    assert_true(parse_trailing_literal(STR("a SELECT {12}"), &literal));
    assert_int_equal(literal.size, 12);
    assert_true(literal.synchronizing);
    assert_true(parse_trailing_literal(STR("{0+}"), &literal));
    assert_int_equal(literal.size, 0);
    assert_false(literal.synchronizing);
    assert_false(parse_trailing_literal(STR("a SELECT {12} "), &literal));
    assert_false(parse_trailing_literal(STR("}"), &literal));
    assert_false(parse_trailing_literal(STR("{}"), &literal));
    assert_false(parse_trailing_literal(STR("{1"), &literal));
    assert_false(parse_trailing_literal(STR("{1x}"), &literal));
    assert_false(parse_trailing_literal(STR("{9223372036854775808}"), &literal));
    assert_false(parse_trailing_literal(STR(""), &literal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(strings_come_in_every_form, teardown),
        cmocka_unit_test_teardown(nil_is_no_string, teardown),
        cmocka_unit_test_teardown(broken_strings_are_refused, teardown),
        cmocka_unit_test_teardown(quoted_strings_are_utf8_once_it_is_enabled, teardown),
        cmocka_unit_test_teardown(a_word_is_a_whole_word, teardown),
        cmocka_unit_test_teardown(numbers_have_32_bits, teardown),
        cmocka_unit_test_teardown(sequence_sets_are_read, teardown),
        cmocka_unit_test_teardown(broken_sequence_sets_are_refused, teardown),
        cmocka_unit_test_teardown(flags_are_gathered_without_doubles, teardown),
        cmocka_unit_test_teardown(flags_without_parentheses_are_for_store_only, teardown),
        cmocka_unit_test_teardown(what_a_client_cannot_set_is_refused, teardown),
        cmocka_unit_test(the_literal_at_the_end_of_a_line_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
