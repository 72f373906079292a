#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/mailbox.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void becomes(const char *path, const char *expected)
{
    struct str normal;
    struct err err;

    if (path_normalise(&arena, str_of(path), &normal, &err) != ERR_NONE)
        fail_msg("%s: %s", path, err.text);
    if (!str_is(normal, expected))
        fail_msg("%s became %.*s", path, (int)normal.length, normal.data);
}

static void refused(struct str path)
{
    struct str normal;
    struct err err;

    if (path_normalise(&arena, path, &normal, &err) != ERR_INVALID)
        fail_msg("taken: %.*s", (int)path.length, path.data);
}

static void a_path_has_one_form(void **state)
{
    (void)state;
    becomes("Work", "Work");
    becomes("Work/2026", "Work/2026");
    becomes("Work/", "Work");
    becomes("Mu\xcc\x88ll", "M\xc3\xbcll"); /* decomposed */
    becomes("a b&c", "a b&c");
    becomes("\xe2\x80\xa7\xe2\x80\xaa", "\xe2\x80\xa7\xe2\x80\xaa");
}

static void the_inbox_has_any_case_at_the_top_only(void **state)
{
    (void)state;
    becomes("inbox", "INBOX");
    becomes("InBox/Child", "INBOX/Child");
    becomes("Work/inbox", "Work/inbox");
    becomes("inboxes", "inboxes");
}

static void names_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refused(STR(""));
    refused(STR("/"));
    refused(STR("/a"));
    refused(STR("a//b"));
    refused(STR("a//"));
    refused(STR("."));
    refused(STR("a/.."));
    refused(STR("a\nb"));
    refused(STR("a\0b"));
    refused(STR("a\x7f"));
    refused(STR("a\xc2\x85"));
    refused(STR("a\xe2\x80\xa8"));
    refused(STR("\xe2\x80\xa9z"));
    refused(STR("\xff"));
    refused(STR("\xed\xa0\x80"));
}

static void lengths_and_depth_have_limits(void **state)
{
    char text[PATH_MAX_BYTES + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    refused(str_n(text, STORE_NAME_MAX + 1));
    text[STORE_NAME_MAX] = '\0';
    becomes(text, text);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 0 ? 'a' : '/';
    refused(str_n(text, 2 * (STORE_DEPTH_MAX + 1) - 1));
    text[2 * STORE_DEPTH_MAX - 1] = '\0';
    becomes(text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_path_has_one_form, teardown),
        cmocka_unit_test_teardown(the_inbox_has_any_case_at_the_top_only, teardown),
        cmocka_unit_test_teardown(names_that_make_no_sense_are_refused, teardown),
        cmocka_unit_test_teardown(lengths_and_depth_have_limits, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
