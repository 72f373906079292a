#include "mailbox-backend/directory/password.h"
#include "tests/unit/directory/fixture.h"

#define SHA512                                                                                     \
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"                                 \
    "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"

static enum err_code parse(struct arena *arena, const char *line, struct account_new *new)
{
    struct err err;

    return passwd_line_parse(str_of(line), arena, new, &err);
}

static void hashes_with_and_without_a_scheme_are_taken(void **state)
{
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    assert_int_equal(parse(&arena, "alice:" SHA512 ":1000:1000:Alice A.,room:/h:/bin/sh", &new),
                     ERR_NONE);
    assert_true(str_is(new.name, "alice"));
    assert_string_equal(new.hash, SHA512);
    assert_string_equal(new.display_name, "Alice A.");
    assert_int_equal(parse(&arena, "b@example.org:{SHA512-CRYPT}" SHA512 "::::::", &new), ERR_NONE);
    assert_string_equal(new.hash, SHA512);
    assert_int_equal(parse(&arena, "c:{crypt}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", &new), ERR_NONE);
    assert_string_equal(new.hash, "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/");
    assert_int_equal(parse(&arena, "c:{PLAIN}secret:x", &new), ERR_NONE);
    assert_null(new.hash);
    assert_true(str_is(new.password, "secret"));
    arena_reset(&arena);
}

static void numbers_of_a_shadow_line_are_no_display_name(void **state)
{
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    assert_int_equal(parse(&arena, "alice:" SHA512 ":19000:0:99999:7:::", &new), ERR_NONE);
    assert_string_equal(new.hash, SHA512);
    assert_null(new.display_name);
    assert_int_equal(parse(&arena, "alice:" SHA512 ":19000:0:99999:7::20000:", &new), ERR_NONE);
    assert_null(new.display_name);
    assert_int_equal(parse(&arena, "alice:" SHA512 ":1000:1000:007:/home/alice:/bin/sh", &new),
                     ERR_NONE);
    assert_string_equal(new.display_name, "007");
    arena_reset(&arena);
}

static void locked_and_empty_passwords_are_none(void **state)
{
    static const char *const lines[] = {"a", "a:", "a::", "a:!:", "a:*:", "a:x:", "a:!$1$x$y"};
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(&arena, lines[i], &new), ERR_NONE);
        assert_null(new.hash);
        assert_null(new.password.data);
    }
    arena_reset(&arena);
}

static void foreign_schemes_and_broken_hashes_are_refused(void **state)
{
    static const char *const lines[] = {"a:{SSHA}abcdefgh", "a:{ARGON2ID}$argon2id$v=19$x",
                                        "a:$6$saltstring",  "a:$6$saltstring$short",
                                        "a:plaintext",      ":{PLAIN}x"};
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(parse(&arena, lines[i], &new), ERR_INVALID);
    arena_reset(&arena);
}

static void empty_lines_and_comments_are_passed_over(void **state)
{
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    assert_int_equal(parse(&arena, "", &new), ERR_NOT_FOUND);
    assert_int_equal(parse(&arena, " \r\n", &new), ERR_NOT_FOUND);
    assert_int_equal(parse(&arena, "# a:b", &new), ERR_NOT_FOUND);
    arena_reset(&arena);
}

static void extra_fields_give_quota_and_nologin(void **state)
{
    struct arena arena = {0};
    struct account_new new;

    (void)state;
    assert_int_equal(
        parse(&arena, "a:x::::::userdb_quota_rule=*:storage=2G:messages=10 nologin", &new),
        ERR_NONE);
    assert_true(new.quota_is_set);
    assert_int_equal(new.quota_bytes, 2147483648u);
    assert_int_equal(new.quota_messages, 10);
    assert_true(new.disabled);
    assert_int_equal(parse(&arena, "a:x::::::userdb_quota_rule=*:storage=5", &new), ERR_NONE);
    assert_int_equal(new.quota_bytes, 5120);
    assert_int_equal(parse(&arena, "a:x::::::userdb_quota_rule=*:bytes=77", &new), ERR_NONE);
    assert_int_equal(new.quota_bytes, 77);
    assert_int_equal(parse(&arena, "a:x::::::userdb_quota_rule=*:bytes=lots", &new), ERR_INVALID);
    arena_reset(&arena);
}

static void services_are_read_from_words(void **state)
{
    unsigned services = 99;

    (void)state;
    assert_int_equal(account_services_parse("imap4, POP3", &services, NULL), ERR_NONE);
    assert_int_equal(services, SERVICE_IMAP4 | SERVICE_POP3);
    assert_int_equal(account_services_parse("all", &services, NULL), ERR_NONE);
    assert_int_equal(services, SERVICES_ALL);
    assert_int_equal(account_services_parse("none", &services, NULL), ERR_NONE);
    assert_int_equal(services, 0);
    assert_int_equal(account_services_parse("imap", &services, NULL), ERR_INVALID);
    assert_int_equal(account_services_parse("imap4,", &services, NULL), ERR_INVALID);
    assert_int_equal(account_services_parse("", &services, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_with_and_without_a_scheme_are_taken),
        cmocka_unit_test(numbers_of_a_shadow_line_are_no_display_name),
        cmocka_unit_test(locked_and_empty_passwords_are_none),
        cmocka_unit_test(foreign_schemes_and_broken_hashes_are_refused),
        cmocka_unit_test(empty_lines_and_comments_are_passed_over),
        cmocka_unit_test(extra_fields_give_quota_and_nologin),
        cmocka_unit_test(services_are_read_from_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
