#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/scram_message.h"

static void first_message_of_the_rfc_is_taken_apart(void **unused)
{
    struct scram_first first;

    (void)unused;
    assert_true(scram_read_first(STR("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), &first));
    assert_int_equal(first.binding, SCRAM_BINDING_NONE);
    assert_true(str_is(first.header, "n,,"));
    assert_true(str_is(first.bare, "n=user,r=fyko+d2lbbFgONRv9qkxdawL"));
    assert_true(str_is(first.user, "user"));
    assert_true(str_is(first.nonce, "fyko+d2lbbFgONRv9qkxdawL"));
    assert_int_equal(first.identity.length, 0);
}

static void header_may_hold_a_binding_and_another_identity(void **unused)
{
    struct scram_first first;

    (void)unused;
    assert_true(scram_read_first(STR("p=tls-exporter,a=bob,n=u,r=n,x=1,y=2"), &first));
    assert_int_equal(first.binding, SCRAM_BINDING_USED);
    assert_true(str_is(first.binding_name, "tls-exporter"));
    assert_true(str_is(first.identity, "bob"));
    assert_true(str_is(first.header, "p=tls-exporter,a=bob,"));
    assert_true(str_is(first.bare, "n=u,r=n,x=1,y=2"));
    assert_true(scram_read_first(STR("y,,n=u,r=n"), &first));
    assert_int_equal(first.binding, SCRAM_BINDING_UNNEEDED);
}

static void commas_and_equals_signs_in_names_are_written_otherwise(void **unused)
{
    struct scram_first first;
    struct buf name = {0};

    (void)unused;
    assert_true(scram_read_first(STR("n,,n=a=2Cb=3Dc,r=n"), &first));
    scram_name(first.user, &name);
    assert_true(str_is(str_n(buf_bytes(&name), buf_length(&name)), "a,b=c"));
    buf_release(&name);
}

static void malformed_first_messages_are_refused(void **unused)
{
    static const char *const bad[] = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=u",
        "n,,n=u,",
        "n,,n=u,r=",
        "n,,n=,r=n",
        "n,,r=n",
        "n,,r=n,n=u",
        "x,,n=u,r=n",
        "p=,,n=u,r=n",
        "p,,n=u,r=n",
        "n,u,n=u,r=n",
        "n,a=,n=u,r=n",
        "n,a=x=,n=u,r=n",
        "n,,n==2c,r=n",
        "n,,n=u=,r=n",
        "n,,n=u=2,r=n",
        "n,,m=1,n=u,r=n",
        "n,,n=u,r=n n",
        "n,,n=u,r=n\x7f",
        "n,,n=u,r=n,",
        "n,,n=u,r=n,x",
        "n,,n=u,r=n,x=",
        "n,,n=u,r=n,1=x",
        "n,,n=u,,r=n",
        "p=tls unique,,n=u,r=n",
        "nn,,n=u,r=n",
        "n,,N=u,r=n",
    };
    struct scram_first first;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(scram_read_first(str_of(bad[i]), &first));
    assert_false(scram_read_first(STR("n,,n=u\0x,r=n"), &first));
}

static void final_message_of_the_rfc_is_taken_apart(void **unused)
{
    struct scram_final final;

    (void)unused;
    assert_true(scram_read_final(STR("c=biws,r=abc,x=1,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="), &final));
    assert_true(str_is(final.binding, "biws"));
    assert_true(str_is(final.nonce, "abc"));
    assert_true(str_is(final.proof, "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
    assert_true(str_is(final.without_proof, "c=biws,r=abc,x=1"));
}

static void malformed_final_messages_are_refused(void **unused)
{
    static const char *const bad[] = {
        "",
        "c=biws",
        "c=biws,r=n",
        "c=biws,r=n,",
        "c=,r=n,p=x",
        "r=n,p=x",
        "c=b,p=x",
        "r=n,c=b,p=x",
        "c=b,r=,p=x",
        "c=b,r=n,p=",
        "c=b,r=n,p=x,",
        "c=b,r=n,p=x,x=1",
        "c=b,r=n,1=2,p=x",
        "c=b,r=n,,p=x",
        "c=b,r=n,P=x",
    };
    struct scram_final final;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(scram_read_final(str_of(bad[i]), &final));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_message_of_the_rfc_is_taken_apart),
        cmocka_unit_test(header_may_hold_a_binding_and_another_identity),
        cmocka_unit_test(commas_and_equals_signs_in_names_are_written_otherwise),
        cmocka_unit_test(malformed_first_messages_are_refused),
        cmocka_unit_test(final_message_of_the_rfc_is_taken_apart),
        cmocka_unit_test(malformed_final_messages_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
