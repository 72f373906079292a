#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/directory/name.h"

static void login_gives(const char *given, const char *expected)
{
    char name[NAME_SIZE];
    struct err err = {0};

    if (name_login(str_of(given), "Example.org", name, &err) != ERR_NONE)
        fail_msg("%s: %s", given, err.text);
    assert_string_equal(name, expected);
}

static void login_is_refused(const char *given)
{
    char name[NAME_SIZE];
    struct err err = {0};

    if (name_login(str_of(given), "example.org", name, &err) == ERR_NONE)
        fail_msg("%s became %s", given, name);
    assert_int_not_equal(strlen(err.text), 0);
}

static void address_gives(const char *given, const char *expected)
{
    char name[NAME_SIZE];
    struct err err = {0};

    if (name_address(str_of(given), "example.org", name, &err) != ERR_NONE)
        fail_msg("%s: %s", given, err.text);
    assert_string_equal(name, expected);
}

static void every_form_of_a_name_is_the_same_name(void **state)
{
    (void)state;
    login_gives("alice", "alice@example.org");
    login_gives("ALICE", "alice@example.org");
    login_gives("Alice@EXAMPLE.org", "alice@example.org");
    login_gives("alice@example.org.", "alice@example.org");
    login_gives("EXAMPLE\\Alice", "alice@example.org");
    login_gives("example.org\\alice", "alice@example.org");
    login_gives("OTHER\\alice", "alice@other");
    login_gives("alice@other.example", "alice@other.example");
}

static void full_width_letters_are_ordinary_ones(void **state)
{
    (void)state;
    login_gives("\xef\xbc\xa1lice\xef\xbc\xa0"
                "example\xef\xbc\x8eorg",
                "alice@example.org");
}

static void composed_and_decomposed_letters_are_the_same(void **state)
{
    (void)state;
    login_gives("Jose\xcc\x81", "jos\xc3\xa9@example.org");
    login_gives("JOS\xc3\x89", "jos\xc3\xa9@example.org");
}

static void a_domain_in_ace_form_is_the_unicode_one(void **state)
{
    (void)state;
    login_gives("a@xn--bcher-kva.example", "a@b\xc3\xbc"
                                           "cher.example");
    login_gives("a@B\xc3\x9c"
                "CHER.example",
                "a@b\xc3\xbc"
                "cher.example");
    login_gives("a@xn--wgv71a119e.example", "a@\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.example");
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    login_is_refused("");
    login_is_refused("@example.org");
    login_is_refused("alice@");
    login_is_refused("al ice");
    login_is_refused("alice\n");
    login_is_refused("alice@exa mple.org");
    login_is_refused("alice@example..org");
    login_is_refused("alice@-example.org");
    login_is_refused("alice@bob@example.org");
    login_is_refused("X\\alice@example.org");
    login_is_refused("\xff\xfe");
    login_is_refused("alice\xe2\x80\xae"); /* RIGHT-TO-LEFT OVERRIDE */
    login_is_refused("\xe2\x85\xa3");      /* ROMAN NUMERAL FOUR */
    login_is_refused("\xf0\x9f\x98\x80");  /* an emoji */
    login_is_refused("a@xn--99999999999999.example");
}

static void a_nul_within_a_name_is_refused(void **state)
{
    char name[NAME_SIZE];

    (void)state;
    assert_int_equal(name_login(str_n("a\0b", 3), "example.org", name, NULL), ERR_INVALID);
}

static void names_at_the_limits_fit_and_longer_ones_are_refused(void **state)
{
    char given[700], name[NAME_SIZE];
    struct err err;

    (void)state;
    memset(given, 'a', NAME_LOCAL_MAX);
    strcpy(given + NAME_LOCAL_MAX, "@b.example");
    assert_int_equal(name_login(str_of(given), NULL, name, &err), ERR_NONE);
    assert_string_equal(name, given);
    memset(given, 'a', NAME_LOCAL_MAX + 1);
    strcpy(given + NAME_LOCAL_MAX + 1, "@b.example");
    assert_int_equal(name_login(str_of(given), NULL, name, &err), ERR_LIMIT);
    memset(given, 'a', 600);
    given[600] = '\0';
    assert_int_not_equal(name_login(str_of(given), "example.org", name, &err), ERR_NONE);
    memset(given + 2, 'b', 500);
    given[1] = '@';
    for (int i = 40; i < 500; i += 40)
        given[i] = '.';
    given[502] = '\0';
    assert_int_equal(name_login(str_of(given), NULL, name, &err), ERR_INVALID);
}

static void without_a_default_domain_a_bare_name_is_invalid(void **state)
{
    char name[NAME_SIZE];

    (void)state;
    assert_int_equal(name_login(str_of("alice"), "", name, NULL), ERR_INVALID);
    assert_int_equal(name_login(str_of("alice"), NULL, name, NULL), ERR_INVALID);
}

static void letters_of_both_directions_in_one_name_are_refused(void **state)
{
    (void)state;
    login_gives("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d@example.org");
    login_is_refused("a\xd7\xa9");
    login_is_refused("\xd7\xa9z");
}

static void contextual_characters_need_their_context(void **state)
{
    (void)state;
    login_gives("l\xc2\xb7l", "l\xc2\xb7l@example.org");
    login_is_refused("a\xc2\xb7"
                     "b");
    login_is_refused("a\xe2\x80\x8d"
                     "b"); /* ZERO WIDTH JOINER */
}

static void quoted_local_parts_are_unquoted(void **state)
{
    char name[NAME_SIZE];

    (void)state;
    address_gives("\"john.doe\"@example.org", "john.doe@example.org");
    address_gives("\"john\\.doe\"@example.org", "john.doe@example.org");
    address_gives("postmaster", "postmaster@example.org");
    assert_int_equal(name_address(str_of("\"a\"b@example.org"), NULL, name, NULL), ERR_INVALID);
    assert_int_equal(name_address(str_of("\"@example.org"), NULL, name, NULL), ERR_INVALID);
    assert_int_equal(name_address(str_of("\"a\\\"@example.org"), NULL, name, NULL), ERR_INVALID);
    assert_int_equal(name_address(str_of("\"\"@example.org"), NULL, name, NULL), ERR_INVALID);
}

static void detail_is_what_stands_behind_the_first_delimiter(void **state)
{
    char base[NAME_SIZE], detail[NAME_LOCAL_MAX + 1];

    (void)state;
    assert_true(name_split_detail(str_of("bob+Lists+x@example.org"), "+", base, detail));
    assert_string_equal(base, "bob@example.org");
    assert_string_equal(detail, "Lists+x");
    assert_true(name_split_detail(str_of("bob-x"), "+-", base, detail));
    assert_string_equal(base, "bob");
    assert_false(name_split_detail(str_of("bob@example.org"), "+", base, detail));
    assert_false(name_split_detail(str_of("+x@example.org"), "+", base, detail));
    assert_false(name_split_detail(str_of("bob@a+b.org"), "+", base, detail));
    assert_false(name_split_detail(str_of(""), "+", base, detail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_name_is_the_same_name),
        cmocka_unit_test(full_width_letters_are_ordinary_ones),
        cmocka_unit_test(composed_and_decomposed_letters_are_the_same),
        cmocka_unit_test(a_domain_in_ace_form_is_the_unicode_one),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(a_nul_within_a_name_is_refused),
        cmocka_unit_test(names_at_the_limits_fit_and_longer_ones_are_refused),
        cmocka_unit_test(without_a_default_domain_a_bare_name_is_invalid),
        cmocka_unit_test(letters_of_both_directions_in_one_name_are_refused),
        cmocka_unit_test(contextual_characters_need_their_context),
        cmocka_unit_test(quoted_local_parts_are_unquoted),
        cmocka_unit_test(detail_is_what_stands_behind_the_first_delimiter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
