/* Names of another server's folders, and what is remembered between two runs of a migration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/migrate_private.h"

static void becomes(const char *name, char delimiter, const char *prefix, const char *expected)
{
    char path[200];

    assert_true(migrate_path(name, delimiter, prefix, path, sizeof(path)));
    assert_string_equal(path, expected);
}

static void names_become_paths(void **state)
{
    (void)state;
    becomes("INBOX", '.', "INBOX.", "INBOX");
    becomes("INBOX.Sent", '.', "INBOX.", "Sent");
    becomes("inbox.Lists.A", '.', "INBOX.", "Lists/A");
    becomes("INBOX.", '.', "INBOX.", "INBOX");
    becomes("A\\B", '\\', "", "A/B");
    becomes("A/B", '\\', "", "A_B");
    becomes("A/B", '/', "", "A/B");
    becomes("A/B", '\0', "", "A_B");
    becomes("B&APw-cher.&ZeVnLIqe-", '.', "", "Bücher/日本語");
    becomes("R&-D", '.', "", "R&D");
    becomes("R&D", '.', "", "R&D");
    becomes("B\xc3\xbc", '.', "", "Bü");
    becomes("a//b/", '/', "", "a/b");
    becomes("../x/.", '/', "", "_/x/_");
    becomes("a\tb", '/', "", "a_b");
}

static void a_name_that_cannot_be_a_path_is_refused(void **state)
{
    char path[10];

    (void)state;
    assert_false(migrate_path("\xff", '/', "", path, sizeof(path)));
    assert_string_equal(path, "");
    assert_false(migrate_path("longer than ten", '/', "", path, sizeof(path)));
    assert_false(migrate_path("///", '/', "", path, sizeof(path)));
    assert_false(migrate_path("", '/', "", path, sizeof(path)));
}

static void a_folder_is_below_itself_and_its_parents(void **state)
{
    (void)state;
    assert_true(migrate_is_below("Lists", "Lists"));
    assert_true(migrate_is_below("Lists/C", "Lists"));
    assert_false(migrate_is_below("Lists2", "Lists"));
    assert_false(migrate_is_below("List", "Lists"));
}

static void a_state_is_read_as_it_was_written(void **state)
{
    struct migrate_state before = {7, UINT32_MAX, 100, 90, UINT64_MAX, 99, {0}}, after;
    char text[MIGRATE_STATE_SIZE];
    size_t length;

    (void)state;
    uidset_add_range(&before.refused, 5, 9);
    uidset_add(&before.refused, 4294967295u);
    length = migrate_state_print(&before, text);
    assert_int_equal(length, strlen(text));
    assert_true(migrate_state_parse(&after, text));
    assert_int_equal(after.folder, 7);
    assert_true(after.uid_validity == UINT32_MAX && after.modseq == UINT64_MAX);
    assert_true(after.uid_next == 100 && after.messages == 90 && after.taken == 99);
    assert_int_equal(uidset_size(&after.refused), 6);
    assert_true(uidset_has(&after.refused, 4294967295u));
    uidset_release(&before.refused);
    uidset_release(&after.refused);
}

static void refused_uids_that_do_not_fit_are_kept_with_those_between_them(void **state)
{
    struct migrate_state before = {.folder = 7, .taken = UINT32_MAX}, after;
    char text[MIGRATE_STATE_SIZE];

    (void)state;
    for (uint32_t uid = 1; uid < 10000; uid += 2)
        uidset_add(&before.refused, uid);
    assert_true(migrate_state_print(&before, text) < MIGRATE_STATE_SIZE);
    assert_true(migrate_state_parse(&after, text));
    assert_true(uidset_has(&after.refused, 1) && !uidset_has(&after.refused, 2));
    for (uint32_t uid = 1; uid < 10000; uid += 2)
        assert_true(uidset_has(&after.refused, uid));
    assert_int_equal(uidset_last(&after.refused), 9999);
    uidset_release(&before.refused);
    uidset_release(&after.refused);
}

static void a_login_that_is_refused_in_the_end_leaves_the_source_away(void **state)
{
    const struct migrate_request request = {0};
    struct migrate migrate = {.request = &request, .failures = 1000};
    struct err err = {ERR_DENIED, "the other server says: no"};

    (void)state;
    assert_int_equal(migrate_reconnect(&migrate, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "says: no"));
    assert_null(migrate.client);
}

static void a_damaged_state_is_none(void **state)
{
    static const char *const texts[] = {"", "1 2 3", "1 2 3 4 5 6 7", "1 2 3 4 5 6 9:7", "x"};
    struct migrate_state after;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(migrate_state_parse(&after, texts[i]));
        assert_int_equal(after.folder, 0);
    }
}

static void an_origin_is_read_as_it_was_written(void **state)
{
    const struct migrate_origin before = {UINT64_MAX - 1, UINT32_MAX, 3};
    struct migrate_origin after;
    char text[IMPORT_SOURCE_SIZE];

    (void)state;
    migrate_origin_print(&before, text, sizeof(text));
    assert_true(migrate_origin_parse(&after, text));
    assert_memory_equal(&before.key, &after.key, sizeof(before.key));
    assert_true(after.uid == UINT32_MAX && after.mark == 3);
    assert_false(migrate_origin_parse(&after, "1234.M1P2.host:2,S"));
}

static void a_mark_tells_flags_and_keywords_in_any_order_and_case(void **state)
{
    uint64_t none = migrate_mark(FLAG_SEEN);
    uint64_t both = migrate_mark_keyword(migrate_mark_keyword(none, "Work"), "$Forwarded");

    (void)state;
    assert_true(both == migrate_mark_keyword(migrate_mark_keyword(none, "$forwarded"), "WORK"));
    assert_true(both != none && both != migrate_mark_keyword(none, "Work"));
    assert_true(none != migrate_mark(FLAG_SEEN | FLAG_DRAFT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_paths),
        cmocka_unit_test(a_name_that_cannot_be_a_path_is_refused),
        cmocka_unit_test(a_folder_is_below_itself_and_its_parents),
        cmocka_unit_test(a_state_is_read_as_it_was_written),
        cmocka_unit_test(refused_uids_that_do_not_fit_are_kept_with_those_between_them),
        cmocka_unit_test(a_login_that_is_refused_in_the_end_leaves_the_source_away),
        cmocka_unit_test(a_damaged_state_is_none),
        cmocka_unit_test(an_origin_is_read_as_it_was_written),
        cmocka_unit_test(a_mark_tells_flags_and_keywords_in_any_order_and_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
