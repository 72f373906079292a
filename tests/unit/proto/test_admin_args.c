#include "proto/admin_args.h"
#include "proto/admin_follow.h"
#include "proto/admin_help.h"
#include "proto/admin_table.h"
#include "tests/unit/proto/admin_program.h"

struct line {
    struct arena arena;
    struct admin_args args;
    char hint[200];
    struct err err;
};

/* words: NULL-terminated, without the program */
static enum err_code parse(struct line *line, const char *const *words)
{
    char *argv[16] = {(char *)(uintptr_t) "program"};
    int argc = 1;

    for (; *words != NULL; words++)
        argv[argc++] = arena_string(&line->arena, *words);
    line->err = (struct err){0};
    return admin_args_parse(&test_program, argc, argv, &line->arena, &line->args, line->hint,
                            sizeof(line->hint), &line->err);
}

#define PARSE(line, ...) parse(line, (const char *const[]){__VA_ARGS__, NULL})

static void flags_may_stand_anywhere_behind_their_command(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(PARSE(&line, "--config", "file", "user", "add", "--quota=5", "alice", "--json",
                           "--quota", "6"),
                     ERR_NONE);
    assert_string_equal(line.args.config, "file");
    assert_true(line.args.json);
    assert_false(line.args.yes);
    assert_string_equal(line.args.request.noun, "user");
    assert_string_equal(line.args.request.verb, "add");
    assert_int_equal(line.args.request.n_names, 1);
    assert_string_equal(line.args.request.names[0], "alice");
    assert_int_equal(line.args.request.n_flags, 2);
    assert_string_equal(line.args.request.flags[1]->value, "6");
    arena_reset(&line.arena);
}

static void a_value_in_brackets_may_be_left_out(void **state)
{
    struct line line = {0};
    struct err err;
    unsigned seconds;

    (void)state;
    assert_int_equal(PARSE(&line, "user", "list", "--follow", "--json"), ERR_NONE);
    assert_false(line.args.request.flags[0]->has_value);
    assert_int_equal(admin_follow_seconds(&line.args, &seconds, &err), ERR_NONE);
    assert_int_equal(seconds, 900);
    assert_int_equal(PARSE(&line, "user", "list", "--follow=2h"), ERR_NONE);
    assert_int_equal(admin_follow_seconds(&line.args, &seconds, &err), ERR_NONE);
    assert_int_equal(seconds, 7200);
    assert_int_equal(PARSE(&line, "user", "list", "--follow=0"), ERR_NONE);
    assert_int_equal(admin_follow_seconds(&line.args, &seconds, &err), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "list"), ERR_NONE);
    assert_int_equal(admin_follow_seconds(&line.args, &seconds, &err), ERR_NONE);
    assert_int_equal(seconds, 0);
    arena_reset(&line.arena);
}

static void two_dashes_end_the_flags(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(PARSE(&line, "user", "add", "--", "--alice"), ERR_NONE);
    assert_string_equal(line.args.request.names[0], "--alice");
    arena_reset(&line.arena);
}

static void a_noun_may_be_a_command_by_itself(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(PARSE(&line, "size", "list"), ERR_NONE);
    assert_string_equal(line.args.request.verb, "");
    assert_string_equal(line.args.request.names[0], "list");
    arena_reset(&line.arena);
}

static void wrong_words_are_refused_with_the_nearest_right_one(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(PARSE(&line, "usr", "list"), ERR_INVALID);
    assert_string_equal(line.hint, "did you mean user?");
    assert_int_equal(PARSE(&line, "user", "lsit"), ERR_INVALID);
    assert_string_equal(line.hint, "did you mean user list?");
    assert_int_equal(PARSE(&line, "user", "add", "x", "--qouta=1"), ERR_INVALID);
    assert_string_equal(line.hint, "did you mean --quota?");
    assert_int_equal(PARSE(&line, "elephant"), ERR_INVALID);
    assert_string_equal(line.hint, "see program --help");
    arena_reset(&line.arena);
}

static void incomplete_and_overfull_lines_are_refused(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(parse(&line, (const char *const[]){NULL}), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "add"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "add", "a", "b"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "add", "a", "--quota"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "add", "a", "--generate=yes"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "--quota=1", "user", "add", "a"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "list", "--dry-run"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "list", "--password-stdin"), ERR_INVALID);
    assert_int_equal(PARSE(&line, "user", "list", "--config"), ERR_INVALID);
    arena_reset(&line.arena);
}

static void help_needs_no_whole_command(void **state)
{
    struct line line = {0};

    (void)state;
    assert_int_equal(PARSE(&line, "--help"), ERR_NONE);
    assert_int_equal(PARSE(&line, "user", "--help"), ERR_NONE);
    assert_true(line.args.help);
    assert_null(line.args.command);
    assert_int_equal(PARSE(&line, "user", "add", "-h"), ERR_NONE);
    assert_non_null(line.args.command);
    arena_reset(&line.arena);
}

static void help_of_each_level_shows_what_is_in_the_table(void **state)
{
    struct line line = {0};
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    PARSE(&line, "user", "add", "--help");
    admin_help(&test_program, &line.args, to);
    fflush(to);
    assert_non_null(strstr(text, "--quota=BYTES"));
    assert_non_null(strstr(text, "--password-stdin"));
    rewind(to);
    PARSE(&line, "user", "list", "--help");
    admin_help(&test_program, &line.args, to);
    fflush(to);
    assert_non_null(strstr(text, "--follow[=TIME] "));
    assert_null(strstr(text, "--dry-run")); /* which it refuses */
    rewind(to);
    PARSE(&line, "user", "--help");
    admin_help(&test_program, &line.args, to);
    fflush(to);
    assert_non_null(strstr(text, "user list"));
    assert_non_null(strstr(text, "--dry-run"));
    assert_null(strstr(text, "size of a file"));
    fclose(to);
    free(text);
    arena_reset(&line.arena);
}

static void the_distance_of_words_counts_typing_errors(void **state)
{
    (void)state;
    assert_int_equal(admin_word_distance("user", "user"), 0);
    assert_int_equal(admin_word_distance("user", "usr"), 1);
    assert_int_equal(admin_word_distance("user", "uesr"), 1);
    assert_int_equal(admin_word_distance("", "abc"), 3);
    assert_int_equal(admin_word_distance("kitten", "sitting"), 3);
    assert_true(admin_word_distance("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a") > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_may_stand_anywhere_behind_their_command),
        cmocka_unit_test(a_value_in_brackets_may_be_left_out),
        cmocka_unit_test(two_dashes_end_the_flags),
        cmocka_unit_test(a_noun_may_be_a_command_by_itself),
        cmocka_unit_test(wrong_words_are_refused_with_the_nearest_right_one),
        cmocka_unit_test(incomplete_and_overfull_lines_are_refused),
        cmocka_unit_test(help_needs_no_whole_command),
        cmocka_unit_test(help_of_each_level_shows_what_is_in_the_table),
        cmocka_unit_test(the_distance_of_words_counts_typing_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
