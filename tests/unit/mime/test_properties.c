/* What holds for every message, tried on random and on hostile ones. The random ones are the same
   in every run. */
#include "tests/unit/mime/check_message.h"
#include "tests/unit/mime/mime_test.h"

static const char *const fragments[] = {
    "\r\n",
    "\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    " ",
    "\t",
    "--a",
    "--b",
    "--a\r\n",
    "--b\n",
    "--ab\r\n",
    "--a--\r\n",
    "--b--\n",
    "\r\n--a\r\n",
    "\n--b\n",
    "-",
    "Content-Type: multipart/mixed; boundary=a\r\n",
    "Content-Type: multipart/alternative; boundary=\"b\"\n",
    "Content-Type: multipart/digest;\r\n boundary=ab\r\n",
    "Content-Type: multipart/mixed\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/plain; charset=iso-8859-1\n",
    "Content-Type: text/html; name*0=a; name*1*=%20b\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Disposition: attachment; filename=\"x\\\"y\"\r\n",
    "Content-Language: en, de\n",
    "Content-ID: <a@b>\r\n",
    "Subject: =?utf-8?q?=C3=A9?= =?utf-8?b?IGI=?=\r\n",
    "From: \"A (b)\" <a@b>, G: c@d (e), <@x:f@g>;\n",
    "To: b",
    "To",
    ":",
    "Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n",
    "References: <1@x>\r\n <2@y>\r\n",
    "=E9 b",
    "=\r\n",
    "w6kgYg==",
    "\xc3\xa9 b",
    "\xff\x80",
    "some text",
    "\"",
    "(",
    "<",
    ";",
    ",",
};

static void add_fragment(struct buf *message, unsigned *seed)
{
    unsigned count = sizeof(fragments) / sizeof(fragments[0]);
    unsigned which = next_random(seed) % (count + 1);

    if (which == count)
        buf_byte(message, (uint8_t)next_random(seed)); /* NUL too */
    else
        buf_text(message, fragments[which]);
}

static void random_messages_keep_the_rules(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 6000; round++) {
        struct buf message = {0};
        unsigned seed = round * 2654435761u;

        for (unsigned n = next_random(&seed) % 120; n > 0; n--)
            add_fragment(&message, &seed);
        buf_byte(&message, '\n');
        check_message(buf_bytes(&message), buf_length(&message), round);
        buf_release(&message);
    }
}

static void check_and_release(struct buf *message)
{
    check_message(buf_bytes(message), buf_length(message), 1);
    buf_release(message);
}

static void repeat(struct buf *message, const char *text, unsigned count)
{
    while (count-- > 0)
        buf_text(message, text);
}

static void hundred_thousand_headers_keep_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&message, "X-Header-%u: value\r\n", i);
    repeat(&message, "To: a@b\r\n", 100000);
    buf_text(&message, "Subject: last\r\n\r\nbody");
    check_and_release(&message);
}

static void deep_nesting_keeps_the_rules(void **state)
{
    struct buf messages = {0};
    struct buf multiparts = {0};

    (void)state;
    repeat(&messages, "Content-Type: message/rfc822\r\n\r\n", 5000);
    check_and_release(&messages);
    for (unsigned i = 0; i < 3000; i++)
        buf_printf(&multiparts, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i,
                   i);
    for (unsigned i = 3000; i-- > 0;)
        buf_printf(&multiparts, "\r\n--b%u--\r\n", i);
    check_and_release(&multiparts);
}

static void ten_thousand_parts_keep_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    buf_text(&message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeat(&message, "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n", 10000);
    buf_text(&message, "--b--\r\n");
    check_and_release(&message);
}

static void many_parameters_keep_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    buf_text(&message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (unsigned part = 0; part < 300; part++) {
        buf_text(&message, "--b\r\nContent-Type: text/plain");
        for (unsigned i = 0; i < 200; i++)
            buf_printf(&message, "; a%u*%u*=%%41", i % 3, i / 3);
        buf_text(&message, "\r\n\r\n\r\n");
    }
    check_and_release(&message);
}

static void nothing_but_nul_keeps_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    memset(buf_reserve(&message, 200000), 0, 200000);
    buf_commit(&message, 200000);
    check_and_release(&message);
}

static void giant_lines_keep_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    buf_text(&message, "From: ");
    repeat(&message, "a,", 150000);
    buf_text(&message, "\r\nSubject: ");
    repeat(&message, "=?utf-8?q?a?= ", 20000);
    buf_text(&message, "\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b");
    repeat(&message, " ", 100000);
    buf_text(&message, "\r\n\r\n");
    repeat(&message, "-----------", 100000);
    buf_text(&message, "\r\n--b--");
    repeat(&message, "\t", 100000);
    check_and_release(&message);
}

static void wall_of_boundaries_keeps_the_rules(void **state)
{
    struct buf message = {0};

    (void)state;
    for (unsigned i = 0; i < 90; i++)
        buf_printf(&message, "Content-Type: multipart/mixed; boundary=%064u%u\r\n\r\n--%064u%u\r\n",
                   0, i, 0, i);
    repeat(&message, "--0000000000000000000000000000000000000000000000000000000000000000x\r\n",
           20000);
    check_and_release(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_messages_keep_the_rules),
        cmocka_unit_test(hundred_thousand_headers_keep_the_rules),
        cmocka_unit_test(deep_nesting_keeps_the_rules),
        cmocka_unit_test(ten_thousand_parts_keep_the_rules),
        cmocka_unit_test(many_parameters_keep_the_rules),
        cmocka_unit_test(nothing_but_nul_keeps_the_rules),
        cmocka_unit_test(giant_lines_keep_the_rules),
        cmocka_unit_test(wall_of_boundaries_keeps_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
