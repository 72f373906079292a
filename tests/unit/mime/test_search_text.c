#include "mailbox-backend/mime/search_text.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

/* Searches in pieces of every size. */
static void assert_match(const char *needle, const char *text, bool expected)
{
    size_t length = strlen(text);

    for (size_t step = 1; step <= length; step++) {
        struct text_match match;

        text_match_init(&match, &arena, str_of(needle));
        for (size_t i = 0; i < length; i += step)
            text_match_feed(&match, text + i, length - i < step ? length - i : step);
        assert_int_equal(match.found, expected);
    }
}

static void case_makes_no_difference(void **state)
{
    (void)state;
    assert_match("HeLLo", "say hello!", true);
    assert_match("hello", "HELL O", false);
    assert_match("\xc3\x84ther", "\xc3\xa4THER", true);
    assert_match("stra\xc3\x9f"
                 "e",
                 "STRASSE", true);
    assert_match("STRASSE",
                 "stra\xc3\x9f"
                 "e",
                 true);
    assert_match("\xd0\xbf\xd1\x80", "\xd0\x9f\xd0\xa0", true);
    assert_match("\xce\xa3", "\xcf\x82", true);
}

static void composed_and_decomposed_are_the_same(void **state)
{
    (void)state;
    assert_match("caf\xc3\xa9", "cafe\xcc\x81", true);
    assert_match("cafe\xcc\x81", "CAF\xc3\x89", true);
}

static void search_goes_on_after_a_partial_match(void **state)
{
    (void)state;
    assert_match("aab", "aaab", true);
    assert_match("abab", "abaabab", true);
    assert_match("ababac", "abababac", true);
    assert_match("aab", "aa", false);
}

static void invalid_text_does_not_stop_the_search(void **state)
{
    (void)state;
    assert_match("x", "\xff\xe2\x82x", true);
    assert_match("\xe2\x82\xac", "\xe2\xe2\x82\xac", true);
}

static void long_folding_is_found_again(void **state)
{
    (void)state;
    assert_match("\xef\xb7\xba", "a \xef\xb7\xba b", true);
    assert_match("a \xef\xb7\xba b", "a \xef\xb7\xba b", true);
}

static void nothing_is_found_across_a_break(void **state)
{
    struct text_match match;

    (void)state;
    text_match_init(&match, &arena, STR("ab"));
    text_match_feed(&match, "a", 1);
    text_match_break(&match);
    assert_false(text_match_feed(&match, "b", 1));
    assert_true(text_match_feed(&match, "ab", 2));
}

static bool search_one(const char *message, size_t step, enum mime_search_scope scope,
                       const char *field, const char *needle)
{
    struct mime_search_key key = {.scope = scope, .field = str_of(field)};
    const struct mime_part *root = parse_text(&arena, message);
    struct mime_search *search;
    size_t length = strlen(message);

    text_match_init(&key.match, &arena, str_of(needle));
    search = mime_search_begin(&arena, root, &key, 1);
    for (size_t i = 0; i < length; i += step) {
        if (mime_search_feed(search, message + i, length - i < step ? length - i : step))
            break;
    }
    mime_search_end(&search);
    assert_null(search);
    return key.match.found;
}

static void assert_search(const char *message, enum mime_search_scope scope, const char *field,
                          const char *needle, bool expected)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 100000};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        assert_int_equal(search_one(message, steps[i], scope, field, needle), expected);
    arena_reset(&arena);
}

static const char sample[] =
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus Wien\r\n"
    "X-Empty:\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "preamble\r\n"
    "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6ne Gr=\r\n=FC=DFe!\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nPGI+Zm/D\r\ntjwvYj4=\r\n"
    "--b\r\nContent-Type: image/png\r\n"
    "Content-Disposition: attachment; filename*0*=utf-8''rech; filename*1*=n%C3%BCng.png\r\n"
    "\r\npixels\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n"
    "--b--\r\nepilogue\r\n";

static void header_search_sees_decoded_values(void **state)
{
    (void)state;
    assert_search(sample, MIME_SEARCH_FIELD, "subject", "GR\xc3\x9cSSE AUS", true);
    assert_search(sample, MIME_SEARCH_FIELD, "subject", "Subject", false);
    assert_search(sample, MIME_SEARCH_FIELD, "subject", "inner", false);
    assert_search(sample, MIME_SEARCH_FIELD, "to", "gr\xc3\xbc", false);
    assert_search(sample, MIME_SEARCH_FIELD, "Content-Type", "multipart", true);
}

static void empty_needle_asks_whether_the_field_is_there(void **state)
{
    (void)state;
    assert_search(sample, MIME_SEARCH_FIELD, "x-empty", "", true);
    assert_search(sample, MIME_SEARCH_FIELD, "x-none", "", false);
    assert_search("", MIME_SEARCH_TEXT, NULL, "", true);
    assert_search("", MIME_SEARCH_BODY, NULL, "", true);
    assert_search("", MIME_SEARCH_BODY, NULL, "x", false);
}

static void body_search_sees_decoded_text(void **state)
{
    (void)state;
    assert_search(sample, MIME_SEARCH_BODY, NULL,
                  "sch\xc3\xb6ne gr\xc3\xbc\xc3\x9f"
                  "e!",
                  true);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "fo\xc3\xb6</b>", true);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "inside", true);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "inner", true);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "rechn\xc3\xbcng.PNG", true);
}

static void body_search_leaves_out_what_is_not_text(void **state)
{
    (void)state;
    assert_search(sample, MIME_SEARCH_BODY, NULL, "aus wien", false);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "pixels", false);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "preamble", false);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "epilogue", false);
    assert_search(sample, MIME_SEARCH_BODY, NULL, "!<b>", false);
}

static void text_search_sees_header_and_body(void **state)
{
    (void)state;
    assert_search(sample, MIME_SEARCH_TEXT, NULL, "subject: gr\xc3\xbc", true);
    assert_search(sample, MIME_SEARCH_TEXT, NULL, "inside", true);
    assert_search(sample, MIME_SEARCH_TEXT, NULL, "outside", false);
}

static void several_keys_are_decided_in_one_pass(void **state)
{
    struct mime_search_key keys[3] = {
        {.scope = MIME_SEARCH_FIELD, .field = STR("subject")},
        {.scope = MIME_SEARCH_BODY                         },
        {.scope = MIME_SEARCH_TEXT}
    };
    const struct mime_part *root = parse_text(&arena, sample);
    struct mime_search *search;

    (void)state;
    text_match_init(&keys[0].match, &arena, STR("wien"));
    text_match_init(&keys[1].match, &arena, STR("wien"));
    text_match_init(&keys[2].match, &arena, STR("wien"));
    search = mime_search_begin(&arena, root, keys, 3);
    assert_int_equal(mime_search_need(search), sizeof(sample) - 1);
    assert_false(mime_search_feed(search, sample, sizeof(sample) - 1));
    mime_search_end(&search);
    assert_true(keys[0].match.found);
    assert_false(keys[1].match.found);
    assert_true(keys[2].match.found);
    search = mime_search_begin(&arena, root, keys, 1);
    assert_int_equal(mime_search_need(search), root->header_length);
    mime_search_end(&search);
}

static void giant_header_field_is_searched_to_its_end(void **state)
{
    struct buf message = {0};

    (void)state;
    buf_text(&message, "Subject: begin");
    for (int i = 0; i < 50000; i++)
        buf_text(&message, "\r\n word");
    buf_text(&message, " finish\r\nX: y\r\n\r\n");
    buf_byte(&message, '\0');
    assert_true(search_one((const char *)buf_bytes(&message), 1000, MIME_SEARCH_FIELD, "subject",
                           "word finish"));
    assert_false(
        search_one((const char *)buf_bytes(&message), 1000, MIME_SEARCH_FIELD, "subject", "y"));
    buf_release(&message);
}

static void unknown_charset_is_searched_as_utf_8(void **state)
{
    (void)state;
    assert_search("Content-Type: text/plain; charset=klingon\n\nq\xc3\xa9", MIME_SEARCH_BODY, NULL,
                  "Q\xc3\x89", true);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(case_makes_no_difference),
        TEST(composed_and_decomposed_are_the_same),
        TEST(search_goes_on_after_a_partial_match),
        TEST(invalid_text_does_not_stop_the_search),
        TEST(long_folding_is_found_again),
        TEST(nothing_is_found_across_a_break),
        TEST(header_search_sees_decoded_values),
        TEST(empty_needle_asks_whether_the_field_is_there),
        TEST(body_search_sees_decoded_text),
        TEST(body_search_leaves_out_what_is_not_text),
        TEST(text_search_sees_header_and_body),
        TEST(several_keys_are_decided_in_one_pass),
        TEST(giant_header_field_is_searched_to_its_end),
        TEST(unknown_charset_is_searched_as_utf_8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
