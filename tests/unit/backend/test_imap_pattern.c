#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/pattern.h"

static bool matches(const char *pattern, const char *path)
{
    struct pattern_places places;

    pattern_begin(str_of(pattern), &places);
    pattern_feed(str_of(pattern), &places, str_of(path), false);
    return pattern_matches(str_of(pattern), &places);
}

static void percent_stays_within_a_level(void **state)
{
    (void)state;
    assert_true(matches("%", "Work"));
    assert_true(matches("%", ""));
    assert_false(matches("%", "Work/2026"));
    assert_true(matches("%/%", "Work/2026"));
    assert_false(matches("%/%", "Work/2026/June"));
    assert_true(matches("W%k", "Work"));
    assert_false(matches("W%k", "Works"));
}

static void star_goes_across_levels(void **state)
{
    (void)state;
    assert_true(matches("*", "Work/2026/June"));
    assert_true(matches("W*e", "Work/2026/June"));
    assert_true(matches("*/%", "Work/2026/June"));
    assert_true(matches("%*%", "Work/2026"));
    assert_false(matches("*/x", "Work/2026"));
}

static void case_counts_unless_told_otherwise(void **state)
{
    struct pattern_places places;

    (void)state;
    assert_false(matches("work", "Work"));
    pattern_begin(STR("inb%"), &places);
    pattern_feed(STR("inb%"), &places, STR("INBOX"), true);
    assert_true(pattern_matches(STR("inb%"), &places));
}

static void a_place_that_leads_nowhere_is_known(void **state)
{
    struct pattern_places places;

    (void)state;
    pattern_begin(STR("a/%"), &places);
    pattern_feed(STR("a/%"), &places, STR("a/"), false);
    assert_false(pattern_is_dead(&places));
    pattern_feed(STR("a/%"), &places, STR("b/"), false);
    assert_true(pattern_is_dead(&places));
}

/* With backtracking this would take longer than the universe has. */
static void many_stars_do_no_harm(void **state)
{
    char pattern[PATTERN_MAX + 1];
    char path[1025];

    (void)state;
    for (size_t i = 0; i < PATTERN_MAX; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    pattern[PATTERN_MAX - 1] = 'b';
    pattern[PATTERN_MAX] = '\0';
    memset(path, 'a', 1024);
    path[1024] = '\0';
    assert_false(matches(pattern, path));
    path[1023] = 'b';
    assert_true(matches(pattern, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_stays_within_a_level),
        cmocka_unit_test(star_goes_across_levels),
        cmocka_unit_test(case_counts_unless_told_otherwise),
        cmocka_unit_test(a_place_that_leads_nowhere_is_known),
        cmocka_unit_test(many_stars_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
