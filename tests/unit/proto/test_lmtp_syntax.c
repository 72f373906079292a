#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/lmtp_syntax.h"

static void a_line_is_cut_at_the_first_space(void **state)
{
    struct lmtp_command command;

    (void)state;
    lmtp_split(STR("MAIL  FROM:<a@b> SIZE=1 "), &command);
    assert_true(str_is(command.verb, "MAIL"));
    assert_true(str_is(command.argument, "FROM:<a@b> SIZE=1"));
    lmtp_split(STR("quit"), &command);
    assert_true(str_is(command.verb, "quit"));
    assert_int_equal(command.argument.length, 0);
    lmtp_split(STR(""), &command);
    assert_int_equal(command.verb.length, 0);
}

static void a_name_is_a_domain_or_an_address_literal(void **state)
{
    struct str name;

    (void)state;
    assert_int_equal(lmtp_lhlo(STR("mta.example.org"), &name), LMTP_FINE);
    assert_int_equal(lmtp_lhlo(STR("[192.0.2.1]"), &name), LMTP_FINE);
    assert_int_equal(lmtp_lhlo(STR("[IPv6:2001:db8::1]"), &name), LMTP_FINE);
    assert_int_equal(lmtp_lhlo(STR(""), &name), LMTP_BAD_NAME);
    assert_int_equal(lmtp_lhlo(STR("two words"), &name), LMTP_BAD_NAME);
    assert_int_equal(lmtp_lhlo(STR("a\rReceived:"), &name), LMTP_BAD_NAME);
    assert_int_equal(lmtp_lhlo(STR("[192.0.2.1"), &name), LMTP_BAD_NAME);
}

static void mail_has_a_path_and_parameters(void **state)
{
    struct lmtp_mail mail;

    (void)state;
    assert_int_equal(lmtp_mail(STR("FROM:<a@b.example> SIZE=1000 BODY=8BITMIME SMTPUTF8"), &mail),
                     LMTP_FINE);
    assert_string_equal(mail.sender, "a@b.example");
    assert_int_equal(mail.size, 1000);
    assert_true(mail.eight_bit);
    assert_true(mail.utf8);
    assert_int_equal(lmtp_mail(STR("from: <a@b> body=7bit"), &mail), LMTP_FINE);
    assert_false(mail.eight_bit);
    assert_int_equal(lmtp_mail(STR("FROM:<>"), &mail), LMTP_FINE);
    assert_string_equal(mail.sender, "");
}

static void what_is_wrong_with_mail_is_told(void **state)
{
    struct lmtp_mail mail;

    (void)state;
    assert_int_equal(lmtp_mail(STR("TO:<a@b>"), &mail), LMTP_BAD_SYNTAX);
    assert_int_equal(lmtp_mail(STR("FROM:a@b"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b>SIZE=1"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<a b@c>"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<@>"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<a@>"), &mail), LMTP_BAD_SENDER);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b> SIZE=x"), &mail), LMTP_BAD_VALUE);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b> SIZE=1 SIZE=2"), &mail), LMTP_BAD_VALUE);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b> BODY=BINARYMIME"), &mail), LMTP_BAD_VALUE);
    assert_int_equal(lmtp_mail(STR("FROM:<a@b> RET=FULL"), &mail), LMTP_BAD_PARAMETER);
}

static void a_source_route_is_dropped(void **state)
{
    char address[LMTP_ADDRESS_MAX + 1];

    (void)state;
    assert_int_equal(lmtp_rcpt(STR("TO:<@one.example,@two.example:a@b.example>"), false, address),
                     LMTP_FINE);
    assert_string_equal(address, "a@b.example");
    assert_int_equal(lmtp_rcpt(STR("TO:<@one.example a@b.example>"), false, address),
                     LMTP_BAD_RECIPIENT);
}

static void quotes_stay_only_where_they_are_needed(void **state)
{
    char address[LMTP_ADDRESS_MAX + 1];

    (void)state;
    assert_int_equal(lmtp_rcpt(STR("TO:<\"alice\"@b>"), false, address), LMTP_FINE);
    assert_string_equal(address, "alice@b");
    assert_int_equal(lmtp_rcpt(STR("TO:<\"a b>\"@c>"), false, address), LMTP_FINE);
    assert_string_equal(address, "\"a b>\"@c");
    assert_int_equal(lmtp_rcpt(STR("TO:<\"a\\\"b\"@c>"), false, address), LMTP_FINE);
    assert_string_equal(address, "\"a\\\"b\"@c");
    assert_int_equal(lmtp_rcpt(STR("TO:<\"open@c>"), false, address), LMTP_BAD_RECIPIENT);
    assert_int_equal(lmtp_rcpt(STR("TO:<\"a\\"), false, address), LMTP_BAD_RECIPIENT);
}

static void a_recipient_may_lack_the_domain_but_not_the_name(void **state)
{
    char address[LMTP_ADDRESS_MAX + 1];

    (void)state;
    assert_int_equal(lmtp_rcpt(STR("TO:<Postmaster>"), false, address), LMTP_FINE);
    assert_string_equal(address, "Postmaster");
    assert_int_equal(lmtp_rcpt(STR("TO:<>"), false, address), LMTP_BAD_RECIPIENT);
    assert_int_equal(lmtp_rcpt(STR("TO:<@b>"), false, address), LMTP_BAD_RECIPIENT);
    assert_int_equal(lmtp_rcpt(STR("TO:<a@b> NOTIFY=NEVER"), false, address), LMTP_BAD_PARAMETER);
}

static void an_address_beyond_ascii_needs_smtputf8(void **state)
{
    char address[LMTP_ADDRESS_MAX + 1];
    struct lmtp_mail mail;

    (void)state;
    assert_int_equal(lmtp_rcpt(STR("TO:<j\xc3\xb6rg@b>"), false, address), LMTP_NEEDS_UTF8);
    assert_int_equal(lmtp_rcpt(STR("TO:<j\xc3\xb6rg@b>"), true, address), LMTP_FINE);
    assert_int_equal(lmtp_rcpt(STR("TO:<j\xc3@b>"), true, address), LMTP_BAD_RECIPIENT);
    assert_int_equal(lmtp_mail(STR("FROM:<j\xc3\xb6rg@b>"), &mail), LMTP_NEEDS_UTF8);
    assert_int_equal(lmtp_mail(STR("FROM:<j\xc3\xb6rg@b> SMTPUTF8"), &mail), LMTP_FINE);
}

static void an_address_over_the_limit_is_refused(void **state)
{
    char text[LMTP_ADDRESS_MAX + 32] = "TO:<";
    char address[LMTP_ADDRESS_MAX + 1];
    size_t local = LMTP_ADDRESS_MAX - 2;

    (void)state;
    memset(text + 4, 'a', local);
    strcpy(text + 4 + local, "@b>");
    assert_int_equal(lmtp_rcpt(str_of(text), false, address), LMTP_FINE);
    assert_int_equal(strlen(address), LMTP_ADDRESS_MAX);
    strcpy(text + 4 + local, "a@b>");
    assert_int_equal(lmtp_rcpt(str_of(text), false, address), LMTP_BAD_RECIPIENT);
}

static void bdat_has_a_size_and_perhaps_last(void **state)
{
    uint64_t size;
    bool last;

    (void)state;
    assert_int_equal(lmtp_bdat(STR("1000"), &size, &last), LMTP_FINE);
    assert_int_equal(size, 1000);
    assert_false(last);
    assert_int_equal(lmtp_bdat(STR("0 last"), &size, &last), LMTP_FINE);
    assert_true(last);
    assert_int_equal(lmtp_bdat(STR(""), &size, &last), LMTP_BAD_SYNTAX);
    assert_int_equal(lmtp_bdat(STR("-1"), &size, &last), LMTP_BAD_SYNTAX);
    assert_int_equal(lmtp_bdat(STR("1 FIRST"), &size, &last), LMTP_BAD_SYNTAX);
    assert_int_equal(lmtp_bdat(STR("1 LAST 2"), &size, &last), LMTP_BAD_SYNTAX);
    assert_int_equal(lmtp_bdat(STR("99999999999999999999"), &size, &last), LMTP_BAD_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_cut_at_the_first_space),
        cmocka_unit_test(a_name_is_a_domain_or_an_address_literal),
        cmocka_unit_test(mail_has_a_path_and_parameters),
        cmocka_unit_test(what_is_wrong_with_mail_is_told),
        cmocka_unit_test(a_source_route_is_dropped),
        cmocka_unit_test(quotes_stay_only_where_they_are_needed),
        cmocka_unit_test(a_recipient_may_lack_the_domain_but_not_the_name),
        cmocka_unit_test(an_address_beyond_ascii_needs_smtputf8),
        cmocka_unit_test(an_address_over_the_limit_is_refused),
        cmocka_unit_test(bdat_has_a_size_and_perhaps_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
