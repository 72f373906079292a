#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/mutf7.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void is_same_both_ways(const char *wire, const char *text)
{
    struct str decoded;
    struct buf encoded = {0};

    assert_true(mutf7_decode(&arena, str_of(wire), &decoded));
    assert_true(str_is(decoded, text));
    mutf7_encode(&encoded, str_of(text));
    assert_true(str_is(str_n(buf_bytes(&encoded), buf_length(&encoded)), wire));
    buf_release(&encoded);
}

static void refused(const char *wire)
{
    struct str decoded;

    if (mutf7_decode(&arena, str_of(wire), &decoded))
        fail_msg("decoded: %s", wire);
}

static void names_are_the_same_both_ways(void **state)
{
    (void)state;
    is_same_both_ways("INBOX", "INBOX");
    is_same_both_ways("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語");
    is_same_both_ways("Entw&APw-rfe", "Entwürfe");
    is_same_both_ways("a&-b", "a&b");
    is_same_both_ways("&-", "&");
    is_same_both_ways("&-&-", "&&");
    is_same_both_ways("&Jjo-&-", "☺&");
    is_same_both_ways("&2DzfiQ-", "🎉");
    is_same_both_ways("&AOkA6ADq-", "éèê");
}

static void a_second_form_of_a_name_is_refused(void **state)
{
    (void)state;
    refused("&AGE-");        /* "a" stands for itself */
    refused("&ACY-");        /* "&" is "&-" */
    refused("&Jjo-&Jjo-");   /* one shift would do */
    refused("&Jjq-x&JjqA-"); /* bits behind the last character are not 0 */
    refused("&JjoA-");       /* a digit too many */
}

static void broken_names_are_refused(void **state)
{
    (void)state;
    refused("&");
    refused("&Jjo");
    refused("&Jj-");
    refused("&Jjo=-");
    refused("&Jj/-");
    refused("&2Dw-");       /* half a pair of surrogates */
    refused("&34k-");       /* the other half */
    refused("&2DwAYQ-");    /* half, then something else */
    refused("&AAA-");       /* NUL */
    refused("caf\xc3\xa9"); /* 8-bit */
    refused("tab\t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names_are_the_same_both_ways, teardown),
        cmocka_unit_test_teardown(a_second_form_of_a_name_is_refused, teardown),
        cmocka_unit_test_teardown(broken_names_are_refused, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
