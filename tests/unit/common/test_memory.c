/* err, mem, arena, buf, str. */
#include "tests/unit/common/unit.h"

#include <errno.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "common/str.h"

static void an_error_holds_its_code_and_text(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_LIMIT, "at most %d", 5), ERR_LIMIT);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "at most 5");
    assert_int_equal(err_set(NULL, ERR_EXISTS, "x"), ERR_EXISTS);
    assert_int_equal(err_prefix(&err, "line %d", 7), ERR_LIMIT);
    assert_string_equal(err.text, "line 7: at most 5");
}

static void a_long_error_is_cut(void **state)
{
    char text[1000];
    struct err err;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[999] = '\0';
    err_set(&err, ERR_INTERNAL, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    err_prefix(&err, "front");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "front: xxx", 10);
    err_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    err_errno(&err, ENOENT, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void errno_values_have_their_codes(void **state)
{
    static const struct {
        int error;
        enum err_code code;
    } pairs[] = {
        {ENOENT, ERR_NOT_FOUND  },
        {EEXIST, ERR_EXISTS     },
        {EACCES, ERR_DENIED     },
        {EPERM,  ERR_DENIED     },
        {EINVAL, ERR_INVALID    },
        {ENOSPC, ERR_UNAVAILABLE},
        {EIO,    ERR_UNAVAILABLE},
        {EDQUOT, ERR_UNAVAILABLE},
        {EROFS,  ERR_UNAVAILABLE},
        {EMFILE, ERR_UNAVAILABLE},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_int_equal(err_errno(NULL, pairs[i].error, "x"), pairs[i].code);
    err_errno(&err, ENOENT, "file %s", "a");
    assert_string_equal(err.text, "file a: No such file or directory");
}

static void every_code_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(err_word(ERR_NONE), "none");
    assert_string_equal(err_word(ERR_NOT_FOUND), "not-found");
    for (int code = ERR_NONE; code <= ERR_INTERNAL; code++)
        assert_non_null(err_word((enum err_code)code));
}

static void memory_is_zeroed_and_copies_end_with_nul(void **state)
{
    char *zeroed = mem_array(10, 10);
    char *copy = mem_string_n("a\0b", 3);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    assert_memory_equal(copy, "a\0b\0", 4);
    assert_null(mem_string(NULL));
    mem_wipe(copy, 3);
    assert_memory_equal(copy, "\0\0\0\0", 4);
    free(zeroed);
    free(copy);
    free(mem_alloc(0));
}

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    struct arena arena = {0};

    (void)state;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = arena_alloc(&arena, size);

        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
            memory[i] = 0xFF; /* must not show in a later piece */
        }
    }
    assert_true(arena.total >= 300 * 299 / 2);
    arena_reset(&arena);
    assert_int_equal(arena.total, 0);
    assert_null(arena.blocks);
}

static void an_arena_takes_pieces_larger_than_its_blocks(void **state)
{
    struct arena arena = {0};
    char *large = arena_array(&arena, 1000, 1000);
    char *small = arena_string(&arena, "small");

    (void)state;
    large[999999] = 'x';
    assert_string_equal(small, "small");
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 12), "a-12");
    assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b\0", 4);
    arena_reset(&arena);
}

static void a_buffer_is_a_queue(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_append(&buf, "abc", 3);
    buf_text(&buf, "de");
    buf_byte(&buf, 'f');
    buf_printf(&buf, "%d", 12345);
    assert_int_equal(buf_length(&buf), 11);
    buf_consume(&buf, 2);
    assert_memory_equal(buf_bytes(&buf), "cdef12345", 9);
    buf_truncate(&buf, 4);
    assert_memory_equal(buf_bytes(&buf), "cdef", 4);
    buf_consume(&buf, 4);
    assert_int_equal(buf_length(&buf), 0);
    buf_release(&buf);
}

static void bytes_survive_growing_and_moving_up(void **state)
{
    struct buf buf = {0};
    size_t in = 0;
    size_t out = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 37; i++)
            buf_byte(&buf, (uint8_t)in++);
        for (int i = 0; i < 33; i++) {
            assert_int_equal(*buf_bytes(&buf), (uint8_t)out++);
            buf_consume(&buf, 1);
        }
    }
    assert_int_equal(buf_length(&buf), 2000 * 4);
    assert_true(buf.size <= 32768); /* what was consumed is used again */
    buf_release(&buf);
}

static void reserved_room_counts_once_committed(void **state)
{
    struct buf buf = {0};
    uint8_t *room = buf_reserve(&buf, 1000);

    (void)state;
    memcpy(room, "xyz", 3);
    assert_int_equal(buf_length(&buf), 0);
    buf_commit(&buf, 3);
    assert_memory_equal(buf_bytes(&buf), "xyz", 3);
    buf_release_idle(&buf);
    assert_non_null(buf.memory);
    buf_consume(&buf, 3);
    buf_release_idle(&buf);
    assert_null(buf.memory);
}

static void a_long_text_is_printed_whole(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_printf(&buf, "%0500d|%s", 7, "end");
    assert_int_equal(buf_length(&buf), 504);
    assert_memory_equal(buf_bytes(&buf) + 499, "7|end", 5);
    buf_release(&buf);
}

static void numbers_are_in_decimal(void **state)
{
    struct buf buf = {0};

    (void)state;
    buf_number(&buf, 0);
    buf_byte(&buf, ' ');
    buf_number(&buf, 10);
    buf_byte(&buf, ' ');
    buf_number(&buf, UINT64_MAX);
    buf_byte(&buf, '\0');
    assert_string_equal((const char *)buf_bytes(&buf), "0 10 18446744073709551615");
    buf_release(&buf);
}

static void moving_empties_the_source(void **state)
{
    struct buf to = {0};
    struct buf from = {0};

    (void)state;
    buf_text(&from, "first");
    buf_move(&to, &from);
    assert_int_equal(buf_length(&from), 0);
    buf_text(&from, "second");
    buf_move(&to, &from);
    assert_int_equal(buf_length(&from), 0);
    assert_memory_equal(buf_bytes(&to), "firstsecond", 11);
    buf_release(&to);
    buf_release(&from);
}

static void strings_compare_by_ascii_case_only(void **state)
{
    (void)state;
    assert_true(str_equal(STR("abc"), str_of("abc")));
    assert_false(str_equal(STR("abc"), STR("abC")));
    assert_true(str_equal_nocase(STR("aBc"), STR("AbC")));
    assert_false(str_equal_nocase(STR("abc"), STR("abcd")));
    assert_false(str_equal_nocase(STR("\xc4"), STR("\xe4")));
    assert_false(str_equal_nocase(STR("[@"), STR("{`"))); /* 0x20 apart, and no letters */
    assert_true(str_is(STR("x"), "x"));
    assert_true(str_is_nocase(STR("X"), "x"));
    assert_true(str_starts_nocase(STR("LOGIN a"), "login "));
    assert_false(str_starts_nocase(STR("LOG"), "login"));
    assert_true(str_equal(str_of(NULL), STR("")));
    assert_true(str_equal(str_trim(STR(" \t\r\nx y \n")), STR("x y")));
    assert_int_equal(str_trim(STR("  ")).length, 0);
}

static void numbers_are_digits_within_the_limit(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1e3",
                                      "256",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    uint64_t number = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(str_number(str_of(bad[i]), 255, &number));
    assert_true(str_number(STR("255"), 255, &number));
    assert_int_equal(number, 255);
    assert_true(str_number(STR("000"), 255, &number));
    assert_int_equal(number, 0);
    assert_true(str_number(STR("18446744073709551615"), UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_holds_its_code_and_text),
        cmocka_unit_test(a_long_error_is_cut),
        cmocka_unit_test(errno_values_have_their_codes),
        cmocka_unit_test(every_code_has_a_word),
        cmocka_unit_test(memory_is_zeroed_and_copies_end_with_nul),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(an_arena_takes_pieces_larger_than_its_blocks),
        cmocka_unit_test(a_buffer_is_a_queue),
        cmocka_unit_test(bytes_survive_growing_and_moving_up),
        cmocka_unit_test(reserved_room_counts_once_committed),
        cmocka_unit_test(a_long_text_is_printed_whole),
        cmocka_unit_test(numbers_are_in_decimal),
        cmocka_unit_test(moving_empties_the_source),
        cmocka_unit_test(strings_compare_by_ascii_case_only),
        cmocka_unit_test(numbers_are_digits_within_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
