#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/lmtp_dot.h"
#include "common/str.h"

/* Feeds text in pieces of one size; returns how much was taken before the end. */
static size_t feed(struct lmtp_dot *dot, struct str text, size_t piece, struct buf *out)
{
    size_t taken = 0;

    while (taken < text.length && !lmtp_dot_is_over(dot)) {
        size_t length = text.length - taken < piece ? text.length - taken : piece;

        taken += lmtp_dot_feed(dot, (const uint8_t *)text.data + taken, length, out, SIZE_MAX);
    }
    return taken;
}

/* The content that wire stands for is text, and after it rest bytes are left, however it is cut. */
static void expect(struct str wire, struct str text, size_t rest)
{
    for (size_t piece = 1; piece <= wire.length; piece++) {
        struct lmtp_dot dot = {0};
        struct buf out = {0};

        assert_int_equal(feed(&dot, wire, piece, &out), wire.length - rest);
        assert_true(lmtp_dot_is_over(&dot));
        assert_int_equal(buf_length(&out), text.length);
        if (text.length > 0)
            assert_memory_equal(buf_bytes(&out), text.data, text.length);
        buf_release(&out);
    }
}

static void the_content_ends_at_a_line_with_a_dot(void **state)
{
    (void)state;
    expect(STR("a\r\nb\r\n.\r\n"), STR("a\r\nb\r\n"), 0);
    expect(STR(".\r\n"), STR(""), 0);
    expect(STR("a\r\n.\r\nMAIL"), STR("a\r\n"), 4);
}

static void a_stuffed_dot_is_taken_away(void **state)
{
    (void)state;
    expect(STR("..\r\n...a\r\n.b\r\n.\r\n"), STR(".\r\n..a\r\nb\r\n"), 0);
}

static void bare_line_ends_are_no_end(void **state)
{
    (void)state;
    expect(STR("a\n.\nb\r\n.\r\n"), STR("a\n.\nb\r\n"), 0);
    expect(STR("a\n.\r\nb\r\n.\r\n"), STR("a\n.\r\nb\r\n"), 0);
    expect(STR("a\r.\r\r\n.\r\n"), STR("a\r.\r\r\n"), 0);
    expect(STR("a\r\n.\nb\r\n.\r\n"), STR("a\r\n\nb\r\n"), 0);
    expect(STR("\r\n.\r.\r\n.\r\n"), STR("\r\n\r.\r\n"), 0);
    expect(STR(".\r\r\n.\r\n"), STR("\r\r\n"), 0);
}

static void nul_and_eight_bit_bytes_pass(void **state)
{
    (void)state;
    expect(STR("\0\xff\r\n.\r\n"), STR("\0\xff\r\n"), 0);
}

static void no_more_than_was_asked_for_comes_out(void **state)
{
    struct lmtp_dot dot = {0};
    struct buf out = {0};
    size_t taken;

    (void)state;
    taken = lmtp_dot_feed(&dot, (const uint8_t *)"abcdefgh\r\n.\r\n", 13, &out, 4);
    assert_int_equal(taken, 4);
    assert_int_equal(buf_length(&out), 4);
    assert_int_equal(lmtp_dot_feed(&dot, (const uint8_t *)"efgh", 4, &out, 4), 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_content_ends_at_a_line_with_a_dot),
        cmocka_unit_test(a_stuffed_dot_is_taken_away),
        cmocka_unit_test(bare_line_ends_are_no_end),
        cmocka_unit_test(nul_and_eight_bit_bytes_pass),
        cmocka_unit_test(no_more_than_was_asked_for_comes_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
