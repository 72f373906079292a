/* Internationalized header fields in ASCII (RFC 6858). */
#include "mailbox-backend/mime/downgrade.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void becomes(const char *field, const char *expected)
{
    struct buf out = {0};

    mime_downgrade_field(&arena, str_of(field), &out);
    assert_buf(&out, expected);
}

static void ascii_stays_as_it_is(void **state)
{
    (void)state;
    becomes("Subject: a\r\n\tb\r\n", "Subject: a\r\n\tb\r\n");
    becomes("X-Odd:y\n", "X-Odd:y\n");
    becomes("\r\n", "\r\n");
    becomes("no colon", "no colon");
}

static void subject_becomes_encoded_words(void **state)
{
    (void)state;
    becomes("Subject: caf\xc3\xa9\r\n", "Subject: =?utf-8?B?Y2Fmw6k=?=\r\n");
    becomes("SUBJECT: =?iso-8859-1?q?=E9?=\r\n \xc3\xa9\r\n", "Subject: =?utf-8?B?w6kgw6k=?=\r\n");
}

static void long_subject_is_cut_between_characters(void **state)
{
    struct buf field = {0};
    struct buf out = {0};
    struct buf back = {0};

    (void)state;
    buf_text(&field, "Subject: x");
    for (unsigned i = 0; i < 100; i++)
        buf_text(&field, "\xe2\x82\xac");
    mime_downgrade_field(&arena, str_n(buf_bytes(&field), buf_length(&field)), &out);
    for (size_t at = 0, line = 0; at < buf_length(&out); at++) {
        assert_true(buf_bytes(&out)[at] < 0x80);
        line = buf_bytes(&out)[at] == '\n' ? 0 : line + 1;
        assert_true(line <= 86); /* "Subject: ", a word of 75, CR */
    }
    mime_words_decode(str_n(buf_bytes(&out), buf_length(&out) - 2), &back);
    assert_int_equal(buf_length(&back), buf_length(&field));
    assert_memory_equal(buf_bytes(&back), buf_bytes(&field), buf_length(&field));
    buf_release(&field);
    buf_release(&out);
    buf_release(&back);
}

static void addresses_keep_what_can_be_kept(void **state)
{
    (void)state;
    becomes("From: J\xc3\xb6 <jo@example.org>\r\n",
            "From: =?utf-8?B?SsO2?=\r\n <jo@example.org>\r\n");
    becomes("To: \"A, B\" <a@example.org>, c@example.org, \"x y\"@example.org, \xc3\xa9@x\r\n",
            "To: \"A, B\"\r\n <a@example.org>,\r\n <c@example.org>,\r\n <\"x y\"@example.org>,\r\n "
            "=?utf-8?B?w6lAeA==?=\r\n <invalid@internationalized-address.invalid>\r\n");
    becomes("Resent-Cc: \xc3\xa9 <a@\xc3\xa9.example>\r\n",
            "Resent-Cc: =?utf-8?B?w6kgYUDDqS5leGFtcGxl?=\r\n "
            "<invalid@internationalized-address.invalid>\r\n");
    becomes("To: \xc3\xa9: a@x, b@x;, c@x\r\n",
            "To: =?utf-8?B?w6k=?=:\r\n <a@x>,\r\n <b@x>;,\r\n <c@x>\r\n");
}

static void what_has_no_ascii_form_is_left_out(void **state)
{
    (void)state;
    becomes("X-Note: \xc3\xa9\r\n", "");
    becomes("Message-ID: <\xc3\xa9@x>\r\n", "");
    becomes("\xc3\xa9: x\r\n", "");
    becomes("\xc3\xa9 without a colon\r\n", "? without a colon\r\n");
    becomes("Content-Type: text/plain; name=\"\xe2\x82\xac.txt\"\r\n",
            "Content-Type: text/plain; name=\"?.txt\"\r\n");
}

/* Whatever the field: ASCII, and nothing that another field could begin with. */
static void no_field_becomes_two(void **state)
{
    static const char *const pieces[] = {"\xc3\xa9",
                                         ",",
                                         "<",
                                         ">",
                                         "@",
                                         "\"",
                                         "\\",
                                         "(",
                                         ")",
                                         ":",
                                         ";",
                                         " ",
                                         "a",
                                         "\r\n ",
                                         "\r",
                                         "=?utf-8?b?DQpYOiB5?=",
                                         "=?utf-8?q?=0D=0AX:_y?="};
    static const char *const names[] = {"From:", "Subject:", "Cc:", "Content-Type:"};
    unsigned random = 1;

    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        struct buf field = {0};
        struct buf out = {0};

        buf_text(&field, names[n % 4]);
        for (unsigned i = 0; i < 12; i++) {
            random = random * 1103515245 + 12345;
            buf_text(&field, pieces[(random >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        buf_text(&field, "\r\n");
        mime_downgrade_field(&arena, str_n(buf_bytes(&field), buf_length(&field)), &out);
        for (size_t at = 0; at < buf_length(&out); at++) {
            const uint8_t *byte = buf_bytes(&out) + at;

            if (*byte > 0x7f || (*byte == '\n' && at + 1 < buf_length(&out) && byte[1] != ' '))
                fail_msg("%.*s became %.*s", (int)buf_length(&field), buf_bytes(&field),
                         (int)buf_length(&out), buf_bytes(&out));
        }
        buf_release(&field);
        buf_release(&out);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ascii_stays_as_it_is, teardown),
        cmocka_unit_test_teardown(subject_becomes_encoded_words, teardown),
        cmocka_unit_test_teardown(long_subject_is_cut_between_characters, teardown),
        cmocka_unit_test_teardown(addresses_keep_what_can_be_kept, teardown),
        cmocka_unit_test_teardown(what_has_no_ascii_form_is_left_out, teardown),
        cmocka_unit_test_teardown(no_field_becomes_two, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
