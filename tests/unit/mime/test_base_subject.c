#include "tests/unit/mime/mime_test.h"

#include "mailbox-backend/mime/base_subject.h"
#include "tests/unit/mime/plain_subject.h"

static void base_is(const char *subject, const char *expected, bool is_reply)
{
    struct arena arena = {0};
    struct str base;

    assert_int_equal(mime_base_subject(&arena, str_of(subject), &base), is_reply);
    assert_int_equal(base.length, strlen(expected));
    assert_memory_equal(base.data, expected, base.length);
    arena_reset(&arena);
}

static void key_is(const char *text, const char *expected)
{
    struct buf key = {0};

    mime_collation_key(str_of(text), 100, &key);
    buf_byte(&key, 0);
    assert_string_equal(buf_bytes(&key), expected);
    buf_release(&key);
}

static void what_replies_and_forwards_add_is_taken_off(void **state)
{
    (void)state;
    base_is("", "", false);
    base_is("  plain   subject\twith  spaces ", "plain subject with spaces", false);
    base_is("Re: RE : re:x", "x", true);
    base_is("Fwd: Fw: FWD : x", "x", true);
    base_is("x (fwd) (FWD)  ", "x", true);
    base_is("[Fwd: Re: x (fwd)]", "x", true);
    base_is("[fwd:]", "", true);
    base_is("Re: [Fwd: [list] x]", "x", true);
}

static void blobs_are_taken_off_unless_they_are_all_there_is(void **state)
{
    (void)state;
    base_is("[list] x", "x", false);
    base_is("[a] [b]x", "x", false);
    base_is("[list]", "[list]", false);
    base_is("[a] [b]", "[b]", false);
    base_is("[list] Re: x", "x", true);
    base_is("Re[2]: x", "x", true);
    base_is("re [list] : [more] x", "x", true);
    base_is("[un[closed] x", "[un[closed] x", false);
    base_is("[open", "[open", false);
    base_is("Rex: y", "Rex: y", false);
    base_is("fwd x", "fwd x", false);
}

/* Of pieces that matter, in every order that comes up. */
static void any_subject_has_the_base_that_the_steps_make(void **state)
{
    static const char *const pieces[] = {"[a]",   "[",     "]", "re",   ":",    "fwd",
                                         "(fwd)", "[fwd:", " ", "[b ]", "Re: ", "x"};
    unsigned random_state = 1;

    (void)state;
    for (unsigned game = 0; game < 200000; game++) {
        struct arena arena = {0};
        char text[64] = "";
        struct str base;
        struct str expected;

        for (unsigned count = random_state >> 16 & 7; count > 0; count--) {
            random_state = random_state * 1103515245 + 12345;
            strcat(text, pieces[(random_state >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        random_state = random_state * 1103515245 + 12345;
        if (strstr(text, "  ") != NULL)
            continue;
        mime_base_subject(&arena, str_of(text), &base);
        expected = plain_subject(str_of(text));
        if (!str_equal(base, expected))
            fail_msg("%s: %.*s, not %.*s", text, (int)base.length, base.data, (int)expected.length,
                     expected.data);
        arena_reset(&arena);
    }
}

/* Two million blobs: looking at each of them again for every other one takes hours. */
static void many_blobs_are_looked_at_once(void **state)
{
    static const char *const ends[] = {"", "x", "re [b] x", "[", "[b"};
    const size_t blobs = 2000000;
    char *text = malloc(3 * blobs + 16);

    (void)state;
    for (size_t i = 0; i < blobs; i++)
        memcpy(text + 3 * i, "[a]", 3);
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct arena arena = {0};
        struct str base;

        strcpy(text + 3 * blobs, ends[i]);
        assert_false(mime_base_subject(&arena, str_n(text, 3 * blobs + strlen(ends[i])), &base));
        assert_str(base, i == 0 ? "[a]" : ends[i]);
        arena_reset(&arena);
    }
    free(text);
}

static void encoded_words_are_decoded_before(void **state)
{
    (void)state;
    base_is("=?utf-8?q?Re=3A_gr=C3=BCn?=", "gr\xc3\xbcn", true);
    base_is("=?utf-8?b?UmU6IA==?= =?utf-8?q?x?=", "x", true);
}

static void keys_know_no_case_and_no_composition(void **state)
{
    (void)state;
    key_is("aZ9[", "AZ9[");
    key_is("\xc3\xa9", "E\xcc\x81");
    key_is("e\xcc\x81", "E\xcc\x81");
    key_is("\xef\xac\x81", "fi");     /* a ligature has no title case of its own */
    key_is("\xc7\x86", "Dz\xcc\x8c"); /* the title case of U+01C6 is U+01C5 */
}

static void keys_end_at_a_character(void **state)
{
    struct buf key = {0};

    (void)state;
    mime_collation_key(STR("ab\xc3\xa9"), 4, &key);
    assert_int_equal(buf_length(&key), 2);
    buf_release(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_replies_and_forwards_add_is_taken_off),
        cmocka_unit_test(blobs_are_taken_off_unless_they_are_all_there_is),
        cmocka_unit_test(any_subject_has_the_base_that_the_steps_make),
        cmocka_unit_test(many_blobs_are_looked_at_once),
        cmocka_unit_test(encoded_words_are_decoded_before),
        cmocka_unit_test(keys_know_no_case_and_no_composition),
        cmocka_unit_test(keys_end_at_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
