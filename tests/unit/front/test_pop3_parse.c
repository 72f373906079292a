#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/line.h"
#include "cas-proxy/pop3_parse.h"

static void line_is_found_when_it_has_ended(void **unused)
{
    size_t seen = 0, length = 0;

    (void)unused;
    assert_int_equal(line_find(STR("QUI"), 100, &seen, &length), LINE_MORE);
    assert_int_equal(line_find(STR("QUIT\r\nNOOP\r\n"), 100, &seen, &length), LINE_WHOLE);
    assert_int_equal(length, 6);
}

static void line_over_the_limit_is_refused_ended_or_not(void **unused)
{
    size_t seen = 0, length = 0;

    (void)unused;
    assert_int_equal(line_find(STR("12345\n"), 5, &seen, &length), LINE_WHOLE);
    seen = 0;
    assert_int_equal(line_find(STR("123456\n"), 5, &seen, &length), LINE_TOO_LONG);
    seen = 0;
    assert_int_equal(line_find(STR("123456"), 5, &seen, &length), LINE_TOO_LONG);
}

static void auth_may_be_longer_than_other_lines(void **unused)
{
    (void)unused;
    assert_int_equal(pop3_limit(STR("auth PLAIN x")), POP3_SASL_MAX);
    assert_int_equal(pop3_limit(STR("USER x")), POP3_LINE_MAX);
}

static void password_keeps_its_spaces(void **unused)
{
    struct pop3_command command;

    (void)unused;
    assert_true(pop3_command(&command, STR("PASS  two words \r\n")));
    assert_true(str_is(command.name, "PASS"));
    assert_true(str_is(command.argument, " two words "));
}

static void missing_argument_differs_from_an_empty_one(void **unused)
{
    struct pop3_command command;

    (void)unused;
    assert_true(pop3_command(&command, STR("PASS\n")));
    assert_false(command.has_argument);
    assert_true(pop3_command(&command, STR("PASS \n")));
    assert_true(command.has_argument);
    assert_int_equal(command.argument.length, 0);
}

static void line_with_nul_or_without_a_name_is_refused(void **unused)
{
    struct pop3_command command;

    (void)unused;
    assert_false(pop3_command(&command, STR("\r\n")));
    assert_false(pop3_command(&command, STR(" USER\r\n")));
    assert_false(pop3_command(&command, STR("US\0ER x\r\n")));
}

static void words_are_taken_one_by_one(void **unused)
{
    struct str argument = STR("  PLAIN   AGEA ");
    struct str word;

    (void)unused;
    assert_true(pop3_word(&argument, &word));
    assert_true(str_is(word, "PLAIN"));
    assert_true(pop3_word(&argument, &word));
    assert_true(str_is(word, "AGEA"));
    assert_false(pop3_word(&argument, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_found_when_it_has_ended),
        cmocka_unit_test(line_over_the_limit_is_refused_ended_or_not),
        cmocka_unit_test(auth_may_be_longer_than_other_lines),
        cmocka_unit_test(password_keeps_its_spaces),
        cmocka_unit_test(missing_argument_differs_from_an_empty_one),
        cmocka_unit_test(line_with_nul_or_without_a_name_is_refused),
        cmocka_unit_test(words_are_taken_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
