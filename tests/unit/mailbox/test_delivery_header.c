#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/header_tap.h"

static void feed(struct header_tap *tap, const char *text, size_t piece)
{
    size_t length = strlen(text);

    for (size_t at = 0; at < length; at += piece)
        header_tap_feed(tap, (const uint8_t *)text + at, length - at < piece ? length - at : piece);
}

static void values_are_found_however_the_header_is_cut(void **state)
{
    static const char text[] = "Subject: one\r\n two\r\nX-Spam-Flag :  YES \r\nnothing\r\n"
                               "x-spam-flag:no\r\n\r\nX-Spam-Flag: body\r\n";
    struct str value;

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct header_tap tap = {0};

        header_tap_keep(&tap, "X-Spam-Flag: YES");
        header_tap_keep(&tap, "subject");
        feed(&tap, text, piece);
        assert_true(header_tap_value(&tap, "Subject", 0, &value));
        assert_true(str_is(value, "one two"));
        assert_true(header_tap_value(&tap, "X-Spam-Flag", 0, &value));
        assert_true(str_is(value, "YES"));
        assert_true(header_tap_value(&tap, "X-Spam-Flag", 1, &value));
        assert_true(str_is(value, "no"));
        assert_false(header_tap_value(&tap, "X-Spam-Flag", 2, &value));
        assert_false(header_tap_value(&tap, "From", 0, &value));
        header_tap_release(&tap);
    }
}

static void a_header_that_does_not_end_still_has_its_last_value(void **state)
{
    struct header_tap tap = {0};
    struct str value;

    (void)state;
    header_tap_keep(&tap, "A");
    feed(&tap, "A: b", 1);
    assert_true(header_tap_value(&tap, "a", 0, &value));
    assert_true(str_is(value, "b"));
    header_tap_release(&tap);
}

static void what_is_kept_is_bounded(void **state)
{
    struct header_tap tap = {0};

    (void)state;
    header_tap_keep(&tap, "A");
    for (unsigned i = 0; i < 10000; i++)
        feed(&tap,
             "A: bcdefgh\r\n ijkl\r\nVery-long-name-that-nobody-has-ever-asked-for-in-all-"
             "these-years-of-mail: 1\r\n",
             1000);
    assert_int_equal(buf_length(&tap.fields[0].values), TAP_VALUE_MAX);
    header_tap_release(&tap);
}

static void names_beyond_the_limits_are_not_kept(void **state)
{
    struct header_tap tap = {0};
    char name[TAP_NAME_MAX + 2];

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    header_tap_keep(&tap, name);
    assert_int_equal(tap.field_count, 0);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "N%d", i);
        header_tap_keep(&tap, name);
        header_tap_keep(&tap, name);
    }
    assert_int_equal(tap.field_count, TAP_FIELDS_MAX);
    header_tap_release(&tap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_however_the_header_is_cut),
        cmocka_unit_test(a_header_that_does_not_end_still_has_its_last_value),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(names_beyond_the_limits_are_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
