/* The pure parts of the POP3 engine: dot-stuffing, numbers of messages, the maildrop lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/str.h"
#include "mailbox-backend/pop3/dot.h"
#include "mailbox-backend/pop3/lock.h"
#include "mailbox-backend/pop3/login_delay.h"
#include "mailbox-backend/pop3/maildrop.h"

/* text goes over the wire as wire, however it is cut. */
static void expect_stuffed(struct str text, struct str wire)
{
    for (size_t piece = 1; piece <= text.length + 1; piece++) {
        struct dot dot = DOT_INIT;
        struct buf out = {0};

        for (size_t at = 0; at < text.length; at += piece)
            dot_feed(&dot, (const uint8_t *)text.data + at,
                     text.length - at < piece ? text.length - at : piece, &out);
        dot_finish(&dot, &out);
        assert_int_equal(buf_length(&out), wire.length);
        assert_memory_equal(buf_bytes(&out), wire.data, wire.length);
        buf_release(&out);
    }
}

static void a_dot_at_the_start_of_a_line_is_doubled(void **state)
{
    (void)state;
    expect_stuffed(STR(".\r\n..a\r\nb.\r\n"), STR("..\r\n...a\r\nb.\r\n.\r\n"));
}

static void only_a_missing_final_line_end_is_added(void **state)
{
    (void)state;
    expect_stuffed(STR(""), STR(".\r\n"));
    expect_stuffed(STR("a"), STR("a\r\n.\r\n"));
    expect_stuffed(STR("a\r\n"), STR("a\r\n.\r\n"));
    expect_stuffed(STR("a\n"), STR("a\n\r\n.\r\n"));
    expect_stuffed(STR("a\r"), STR("a\r\r\n.\r\n"));
}

static void a_bare_line_end_begins_no_line(void **state)
{
    (void)state;
    expect_stuffed(STR("a\n.b\r.c\r\n"), STR("a\n.b\r.c\r\n.\r\n"));
}

static void numbers_and_uids_fit_each_other(void **state)
{
    static const uint32_t uids[] = {3, 4, 5, 9, 20, 21, 0xFFFFFFFE};
    struct maildrop maildrop = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++)
        maildrop_add(&maildrop, uids[i], 10);
    assert_int_equal(maildrop.count, 4);
    for (uint32_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
        assert_int_equal(maildrop_uid(&maildrop, i + 1), uids[i]);
        assert_int_equal(maildrop_number(&maildrop, uids[i]), i + 1);
    }
    assert_int_equal(maildrop_uid(&maildrop, 0), 0);
    assert_int_equal(maildrop_uid(&maildrop, 8), 0);
    assert_int_equal(maildrop_number(&maildrop, 1), 0);
    assert_int_equal(maildrop_number(&maildrop, 6), 0);
    maildrop.newest_first = true;
    for (uint32_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
        assert_int_equal(maildrop_uid(&maildrop, 7 - i), uids[i]);
        assert_int_equal(maildrop_number(&maildrop, uids[i]), 7 - i);
    }
    assert_int_equal(maildrop_uid(&maildrop, 0), 0);
    assert_int_equal(maildrop_uid(&maildrop, 8), 0);
    assert_int_equal(maildrop_number(&maildrop, 6), 0);
    maildrop_release(&maildrop);
}

static void marked_messages_do_not_count(void **state)
{
    struct maildrop maildrop = {0};

    (void)state;
    maildrop_add(&maildrop, 1, 100);
    maildrop_add(&maildrop, 2, 20);
    maildrop_delete(&maildrop, 1, 100);
    assert_true(maildrop_is_deleted(&maildrop, 1));
    assert_int_equal(maildrop_messages_left(&maildrop), 1);
    assert_int_equal(maildrop_octets_left(&maildrop), 20);
    maildrop_undelete_all(&maildrop);
    assert_false(maildrop_is_deleted(&maildrop, 1));
    assert_int_equal(maildrop_octets_left(&maildrop), 120);
    maildrop_release(&maildrop);
}

static void a_maildrop_is_locked_by_one_session(void **state)
{
    const struct store_guid one = {
        .bytes = {1, 2, 3}
    };
    const struct store_guid other = {
        .bytes = {1, 2, 4}
    };
    struct maildrop_lock first = {0}, second = {0}, third = {0};

    (void)state;
    assert_true(maildrop_lock_take(&first, &one));
    assert_false(maildrop_lock_take(&second, &one));
    assert_true(maildrop_lock_take(&third, &other));
    maildrop_lock_release(&second); /* not held: nothing happens */
    assert_false(maildrop_lock_take(&second, &one));
    maildrop_lock_release(&first);
    assert_true(maildrop_lock_take(&second, &one));
    maildrop_lock_release(&second);
    maildrop_lock_release(&third);
}

static void a_login_delay_is_of_one_user_and_ends(void **state)
{
    const struct store_guid one = {
        .bytes = {1, 2, 3}
    };
    const struct store_guid other = {
        .bytes = {1, 2, 4}
    };

    (void)state;
    assert_int_equal(login_delay_left(&one, 100, 60), 0);
    login_delay_note(&one, 100, 60);
    assert_int_equal(login_delay_left(&one, 100, 60), 60);
    assert_int_equal(login_delay_left(&one, 159, 60), 1);
    assert_int_equal(login_delay_left(&one, 160, 60), 0);
    assert_int_equal(login_delay_left(&other, 100, 60), 0);
    login_delay_note(&other, 150, 60);
    login_delay_note(&one, 160, 60);
    assert_int_equal(login_delay_left(&one, 161, 60), 59);
    assert_int_equal(login_delay_left(&other, 161, 60), 49);
    login_delay_note(&one, 1000, 0); /* the delay is off: forgotten */
    login_delay_note(&other, 1000, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dot_at_the_start_of_a_line_is_doubled),
        cmocka_unit_test(only_a_missing_final_line_end_is_added),
        cmocka_unit_test(a_bare_line_end_begins_no_line),
        cmocka_unit_test(numbers_and_uids_fit_each_other),
        cmocka_unit_test(marked_messages_do_not_count),
        cmocka_unit_test(a_maildrop_is_locked_by_one_session),
        cmocka_unit_test(a_login_delay_is_of_one_user_and_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
