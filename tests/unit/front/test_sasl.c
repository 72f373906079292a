#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/sasl.h"
#include "common/base64.h"

/* The answer for these bytes, in base64. */
static enum sasl_step answer(struct sasl *sasl, struct str bytes, bool initial)
{
    struct buf text = {0};
    enum sasl_step step;

    base64_encode(&text, bytes.data, bytes.length);
    step = sasl_answer(sasl, str_n(buf_bytes(&text), buf_length(&text)), initial);
    buf_release(&text);
    return step;
}

static void assert_message(const struct sasl *sasl, struct str expected)
{
    assert_true(str_equal(str_n(buf_bytes(&sasl->message), buf_length(&sasl->message)), expected));
}

static void mechanisms_are_found_in_any_case(void **unused)
{
    enum sasl_mechanism mechanism;

    (void)unused;
    assert_true(sasl_find(STR("plain"), &mechanism));
    assert_int_equal(mechanism, SASL_PLAIN);
    assert_true(sasl_find(STR("Login"), &mechanism));
    assert_int_equal(mechanism, SASL_LOGIN);
    assert_false(sasl_find(STR("CRAM-MD5"), &mechanism));
}

static void plain_message_passes_as_it_is(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_PLAIN);
    assert_string_equal(sasl_challenge(&sasl), "");
    assert_int_equal(answer(&sasl, STR("\0alice\0pw"), true), SASL_DONE);
    assert_message(&sasl, STR("\0alice\0pw"));
    assert_true(str_is(sasl_name(&sasl), "alice"));
    sasl_reset(&sasl);
}

static void authorization_identity_says_whose_mailbox_it_is(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_PLAIN);
    assert_int_equal(answer(&sasl, STR("bob\0alice\0pw"), true), SASL_DONE);
    assert_message(&sasl, STR("bob\0alice\0pw"));
    assert_true(str_is(sasl_name(&sasl), "bob"));
    sasl_reset(&sasl);
}

static void malformed_plain_message_is_refused(void **unused)
{
    static const struct str bad[] = {
        {"",          0},
        {"alice",     5},
        {"\0alice",   6},
        {"\0alice\0", 7},
        {"\0\0pw",    4},
        {"\0a\0p\0x", 6},
        {"\0\0\0",    3}
    };
    struct sasl sasl = {0};

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        sasl_begin(&sasl, SASL_PLAIN);
        assert_int_equal(answer(&sasl, bad[i], true), SASL_BAD);
    }
    assert_int_equal(sasl_answer(&sasl, STR("not base64!"), false), SASL_BAD);
    assert_int_equal(sasl_answer(&sasl, STR("="), true), SASL_BAD);
    sasl_reset(&sasl);
}

static void login_asks_for_name_and_password(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_LOGIN);
    assert_string_equal(sasl_challenge(&sasl), "VXNlcm5hbWU6");
    assert_int_equal(answer(&sasl, STR("alice"), false), SASL_MORE);
    assert_string_equal(sasl_challenge(&sasl), "UGFzc3dvcmQ6");
    assert_int_equal(answer(&sasl, STR("pw"), false), SASL_DONE);
    assert_message(&sasl, STR("\0alice\0pw"));
    sasl_reset(&sasl);
}

static void login_takes_the_name_as_initial_response(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_LOGIN);
    assert_int_equal(answer(&sasl, STR("alice"), true), SASL_MORE);
    assert_int_equal(answer(&sasl, STR("pw"), false), SASL_DONE);
    assert_true(str_is(sasl_name(&sasl), "alice"));
    sasl_reset(&sasl);
}

static void login_refuses_emptiness_and_nul(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_LOGIN);
    assert_int_equal(answer(&sasl, STR(""), false), SASL_BAD);
    sasl_begin(&sasl, SASL_LOGIN);
    assert_int_equal(answer(&sasl, STR("alice"), false), SASL_MORE);
    assert_int_equal(answer(&sasl, STR("p\0w"), false), SASL_BAD);
    sasl_begin(&sasl, SASL_LOGIN);
    assert_int_equal(answer(&sasl, STR("a\0b"), false), SASL_MORE);
    assert_int_equal(answer(&sasl, STR("pw"), false), SASL_BAD);
    sasl_reset(&sasl);
}

static void plain_is_made_of_name_and_password(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    assert_true(sasl_plain(&sasl, STR("alice"), STR("p w")));
    assert_message(&sasl, STR("\0alice\0p w"));
    assert_false(sasl_plain(&sasl, STR("alice"), STR("")));
    sasl_reset(&sasl);
}

/* RFC 5802: of the first message the front reads whose mailbox it is; all messages pass as they are. */
static void scram_messages_pass_and_the_first_names_the_user(void **unused)
{
    struct sasl sasl = {0};

    (void)unused;
    sasl_begin(&sasl, SASL_SCRAM_SHA_256);
    assert_string_equal(sasl_challenge(&sasl), "");
    assert_string_equal(sasl_back_name(&sasl), "SCRAM-SHA-256");
    assert_int_equal(answer(&sasl, STR("n,,n=al=2Cice,r=abc"), true), SASL_DONE);
    assert_message(&sasl, STR("n,,n=al=2Cice,r=abc"));
    assert_true(str_is(sasl_name(&sasl), "al,ice"));
    assert_int_equal(answer(&sasl, STR("c=biws,r=abcdef,p=AAAA"), false), SASL_DONE);
    assert_message(&sasl, STR("c=biws,r=abcdef,p=AAAA"));
    assert_int_equal(answer(&sasl, STR(""), false), SASL_DONE);
    assert_message(&sasl, STR(""));
    assert_true(str_is(sasl_name(&sasl), "al,ice"));
    sasl_begin(&sasl, SASL_SCRAM_SHA_1);
    assert_int_equal(answer(&sasl, STR("n,a=bob,n=alice,r=abc"), true), SASL_DONE);
    assert_true(str_is(sasl_name(&sasl), "bob"));
    sasl_begin(&sasl, SASL_SCRAM_SHA_1);
    assert_int_equal(answer(&sasl, STR("n,,n=alice"), true), SASL_BAD);
    sasl_reset(&sasl);
}

/* What the first answer says of whose mailbox it is. */
static void assert_user(enum sasl_mechanism mechanism, struct str first, const char *user)
{
    struct sasl sasl = {0};

    sasl_begin(&sasl, mechanism);
    assert_true(sasl_is_of_back(mechanism));
    assert_int_equal(answer(&sasl, first, true), SASL_DONE);
    assert_message(&sasl, first);
    assert_true(str_is(sasl_name(&sasl), user));
    assert_int_equal(answer(&sasl, STR("\001"), false), SASL_DONE); /* the back end's to read */
    sasl_reset(&sasl);
}

static void certificates_and_tokens_say_whose_mailbox_it_is(void **unused)
{
    static const struct str bearer = STR("n,a=bob=2Cx@example.org,\001auth=Bearer a.b.c\001\001");
    static const struct str bad = STR("n,a=bob,\001auth=Basic x\001\001");
    struct sasl sasl = {0};

    (void)unused;
    assert_user(SASL_EXTERNAL, STR(""), "");
    assert_user(SASL_EXTERNAL, STR("bob"), "bob");
    assert_user(SASL_OAUTHBEARER, bearer, "bob,x@example.org");
    assert_user(SASL_OAUTHBEARER, STR("n,,\001auth=Bearer a.b.c\001\001"), "");
    assert_user(SASL_XOAUTH2, STR("user=bob\001auth=Bearer a.b.c\001\001"), "bob");
    sasl_begin(&sasl, SASL_EXTERNAL);
    assert_int_equal(answer(&sasl, STR("a\0b"), true), SASL_BAD);
    sasl_begin(&sasl, SASL_OAUTHBEARER);
    assert_int_equal(answer(&sasl, bad, true), SASL_BAD);
    sasl_begin(&sasl, SASL_XOAUTH2);
    assert_int_equal(answer(&sasl, STR("user="), true), SASL_BAD);
    sasl_reset(&sasl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_and_tokens_say_whose_mailbox_it_is),
        cmocka_unit_test(mechanisms_are_found_in_any_case),
        cmocka_unit_test(plain_message_passes_as_it_is),
        cmocka_unit_test(authorization_identity_says_whose_mailbox_it_is),
        cmocka_unit_test(malformed_plain_message_is_refused),
        cmocka_unit_test(scram_messages_pass_and_the_first_names_the_user),
        cmocka_unit_test(login_asks_for_name_and_password),
        cmocka_unit_test(login_takes_the_name_as_initial_response),
        cmocka_unit_test(login_refuses_emptiness_and_nul),
        cmocka_unit_test(plain_is_made_of_name_and_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
