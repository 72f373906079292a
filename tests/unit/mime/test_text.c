/* Charsets, transfer encodings, encoded words, parameters, header fields. */
#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/header.h"
#include "mailbox-backend/mime/parameter.h"
#include "mailbox-backend/mime/transfer.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

/* Converts in pieces of every size. */
static void assert_converted(const char *charset, struct str text, const char *expected)
{
    for (size_t step = 1; step <= text.length; step++) {
        struct charset_stream stream;
        struct buf out = {0};

        assert_int_equal(charset_open(&stream, str_of(charset), NULL), ERR_NONE);
        for (size_t i = 0; i < text.length; i += step)
            charset_feed(&stream, text.data + i, text.length - i < step ? text.length - i : step,
                         &out);
        charset_finish(&stream, &out);
        charset_close(&stream);
        assert_buf(&out, expected);
    }
}

static void every_charset_of_the_list_can_be_opened(void **state)
{
    struct err err = {0};
    const char *last = NULL;

    (void)state;
    assert_int_equal(charset_init(&err), ERR_NONE);
    for (unsigned i = 0; charset_name(i) != NULL; i++) {
        last = charset_name(i);
        assert_true(charset_known(str_of(last)));
    }
    assert_string_equal(last, "utf-16be");
}

static void charsets_have_many_spellings(void **state)
{
    (void)state;
    assert_true(charset_known(STR("UTF-8")));
    assert_true(charset_known(STR("utf8")));
    assert_true(charset_known(STR("ISO_8859-1")));
    assert_true(charset_known(STR("Shift-JIS")));
    assert_true(charset_known(STR("")));
    assert_false(charset_known(STR("utf-9")));
    assert_false(charset_known(STR("utf-8//TRANSLIT")));
    assert_false(charset_known(STR("iso-8859-1x")));
}

static void text_is_converted_in_pieces(void **state)
{
    (void)state;
    assert_converted("iso-8859-1", STR("caf\xe9 \x80"), "caf\xc3\xa9 \xe2\x82\xac");
    assert_converted("koi8-r", STR("\xf0\xd2"), "\xd0\x9f\xd1\x80");
    assert_converted("shift_jis", STR("\x83\x65\x83\x58"), "\xe3\x83\x86\xe3\x82\xb9");
    assert_converted("gb2312", STR("\xc4\xe3\xba\xc3"), "\xe4\xbd\xa0\xe5\xa5\xbd");
    assert_converted("iso-2022-jp", STR("\x1b$B%F\x1b(B!"), "\xe3\x83\x86!");
    assert_converted("utf-7", STR("a+AOk-b"),
                     "a\xc3\xa9"
                     "b");
    assert_converted("utf-16be", STR("\0a\xd8\x3d\xde\x00"), "a\xf0\x9f\x98\x80");
    assert_converted("utf-8", STR("\xf0\x9f\x98\x80x"), "\xf0\x9f\x98\x80x");
}

static void invalid_bytes_become_replacement_characters(void **state)
{
    (void)state;
    assert_converted("utf-8",
                     STR("a\xff"
                         "b\xe2\x82"
                         "c\xe2\x82"),
                     "a\xef\xbf\xbd"
                     "b\xef\xbf\xbd\xef\xbf\xbd"
                     "c\xef\xbf\xbd");
    assert_converted("utf-8", STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_converted("us-ascii", STR("\xe9"), "\xef\xbf\xbd");
    assert_converted("shift_jis", STR("a\x83"), "a\xef\xbf\xbd");
    assert_converted("windows-1252", STR("\x81"), "\xef\xbf\xbd");
}

static void unknown_charset_is_told(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_int_equal(charset_convert(STR("klingon"), STR("x"), &out, NULL), ERR_NOT_FOUND);
    assert_int_equal(buf_length(&out), 0);
}

static void assert_decoded(const char *encoding, struct str text, const char *expected,
                           bool damaged)
{
    for (size_t step = 1; step <= text.length; step++) {
        struct transfer_stream stream;
        struct buf out = {0};

        transfer_init(&stream, transfer_encoding_of(str_of(encoding)));
        for (size_t i = 0; i < text.length; i += step)
            transfer_feed(&stream, text.data + i, text.length - i < step ? text.length - i : step,
                          &out);
        transfer_finish(&stream, &out);
        assert_int_equal(stream.damaged, damaged);
        assert_buf(&out, expected);
    }
}

static void base64_is_decoded(void **state)
{
    (void)state;
    assert_decoded("base64", STR("SGVs\r\nbG8="), "Hello", false);
    assert_decoded("BASE64", STR("SGVsbA=="), "Hell", false);
    assert_decoded("base64", STR("SGVs"), "Hel", false);
    assert_decoded("base64", STR("+/+/"), "\xfb\xff\xbf", false);
}

static void damaged_base64_gives_what_it_can(void **state)
{
    (void)state;
    assert_decoded("base64", STR("SG*Vs!"), "Hel", true);
    assert_decoded("base64", STR("SGVsbG8"), "Hello", false);
    assert_decoded("base64", STR("SGVsb"), "Hel", true);
    assert_decoded("base64", STR("SGVsbA==garbage"), "Hell", true);
}

static void quoted_printable_is_decoded(void **state)
{
    (void)state;
    assert_decoded("quoted-printable", STR("caf=C3=a9=3D"), "caf\xc3\xa9=", false);
    assert_decoded("quoted-printable", STR("a=\r\nb=\nc= \t\r\nd="), "abcd", false);
    assert_decoded("quoted-printable", STR("a \t\r\nb \nc  "), "a\r\nb\nc", false);
    assert_decoded("quoted-printable", STR("a\rb c\r\n"), "a\rb c\r\n", false);
}

static void damaged_quoted_printable_stays_as_written(void **state)
{
    (void)state;
    assert_decoded("quoted-printable", STR("a=XYb"), "a=XYb", true);
    assert_decoded("quoted-printable", STR("a=4Xb"), "a=4Xb", true);
    assert_decoded("quoted-printable", STR("a==41"), "a=A", true);
    assert_decoded("quoted-printable", STR("a= b"), "a= b", true);
    assert_decoded("quoted-printable", STR("a=4\r\nb"), "a=4\r\nb", true);
    assert_decoded("quoted-printable", STR("a=4"), "a=4", true);
}

static void long_white_space_is_bounded(void **state)
{
    struct transfer_stream stream;
    struct buf out = {0};

    (void)state;
    transfer_init(&stream, TRANSFER_QUOTED_PRINTABLE);
    for (int i = 0; i < 10000; i++)
        transfer_feed(&stream, " ", 1, &out);
    transfer_feed(&stream, "x", 1, &out);
    assert_int_equal(buf_length(&out), 10001);
    buf_release(&out);
}

static void other_encodings_pass_through(void **state)
{
    (void)state;
    assert_int_equal(transfer_encoding_of(STR(" 8BIT ")), TRANSFER_IDENTITY);
    assert_int_equal(transfer_encoding_of(STR("x-uuencode")), TRANSFER_UNKNOWN);
    assert_decoded("", STR("a=41"), "a=41", false);
    assert_decoded("x", STR("a=41"), "a=41", false);
}

static void assert_words(const char *text, const char *expected)
{
    struct buf out = {0};

    mime_words_decode(str_of(text), &out);
    assert_buf(&out, expected);
}

static void encoded_words_are_decoded(void **state)
{
    (void)state;
    assert_words("plain text", "plain text");
    assert_words("=?ISO-8859-1?Q?Keld_J=F8rn?= Simonsen", "Keld J\xc3\xb8rn Simonsen");
    assert_words("=?utf-8?B?w6k=?=", "\xc3\xa9");
    assert_words("=?us-ascii*en?q?a?=", "a");
    assert_words("\"=?utf-8?q?a?=\" <a@b>", "\"a\" <a@b>");
    assert_words("x=?utf-8?q?a?=y", "xay");
}

static void space_between_encoded_words_is_dropped(void **state)
{
    (void)state;
    assert_words("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)");
    assert_words("=?ISO-8859-1?Q?a_b?= =?utf-8?Q?_c?=", "a b c");
    assert_words(" =?utf-8?q?a?=", " a");
    assert_words("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b");
    assert_words("=?utf-8?q?a?= =?klingon?q?b?= c", "a =?klingon?q?b?= c");
}

static void character_cut_between_words_is_made_whole(void **state)
{
    (void)state;
    assert_words("=?utf-8?q?=C3?= =?UTF-8?b?qQ==?=", "\xc3\xa9");
    assert_words("=?utf-8?q?=C3?= =?iso-8859-1?q?=A9?=", "\xef\xbf\xbd\xc2\xa9");
}

static void what_is_no_encoded_word_stays(void **state)
{
    (void)state;
    assert_words("=?utf-8?x?a?=", "=?utf-8?x?a?=");
    assert_words("=?utf-8?q?a", "=?utf-8?q?a");
    assert_words("=?utf-8?b?!!?=", "=?utf-8?b?!!?=");
    assert_words("=??q?a?=", "=??q?a?=");
    assert_words("=?=?utf-8?q?a?=", "=?a");
    assert_words("a=b \xc3\xa9 \xe9", "a=b \xc3\xa9 \xef\xbf\xbd");
}

static const struct mime_param *params_of(const char *text)
{
    return mime_params_parse(&arena, str_of(text), 10);
}

static void assert_params(const struct mime_param *params, const char *expected)
{
    struct buf out = {0};

    for (; params != NULL; params = params->next)
        buf_printf(&out, "%.*s=%.*s|", (int)params->name.length, params->name.data,
                   (int)params->value.length, params->value.data);
    assert_buf(&out, expected);
}

static void parameters_are_read(void **state)
{
    (void)state;
    assert_params(params_of("; a=b; C = \"d;\\\"e\" (x;y=z) ;f="), "a=b|C=d;\"e|f=|");
    assert_params(params_of("; name=my file.pdf; x=y=z (c)"), "name=my file.pdf|x=y=z|");
    assert_params(params_of("; name=Report (1).pdf; charset=us-ascii (Plain (7 bit)) (text)"),
                  "name=Report (1).pdf|charset=us-ascii|");
    assert_params(params_of("junk; ;;a;=b;\"c=d;\";e=f"), "e=f|");
    assert_params(params_of("; a=\"open; b=c"), "a=open; b=c|");
    assert_params(params_of(";a=1;a=1;a=1;a=1;a=1;a=1;a=1;a=1;a=1;a=1;b=2"),
                  "a=1|a=1|a=1|a=1|a=1|a=1|a=1|a=1|a=1|a=1|");
}

static void continuations_are_joined(void **state)
{
    (void)state;
    assert_params(mime_params_join(&arena, params_of("; a*1=y; b=c; A*0=\"x \"; a*3=gap")),
                  "b=c|A=x y|a*3=gap|");
    assert_params(
        mime_params_join(&arena, params_of("; t*0*=us-ascii'en'This%20is; t*1*=%2A; t*2=\"it's\"")),
        "t*=us-ascii'en'This%20is%2Ait%27s|");
    assert_params(mime_params_join(&arena, params_of("; t*0=\"a b\"; t*1*=%20c")),
                  "t*=''a%20b%20c|");
    assert_params(
        mime_params_join(&arena, params_of("; t*=utf-8''x; u*01=y; v*0*0=z; w*0=q;w*0=r")),
        "t*=utf-8''x|u*01=y|v*0*0=z|w=q|w*0=r|");
}

static void assert_param(const char *text, const char *expected)
{
    struct buf out = {0};

    if (expected == NULL) {
        assert_false(mime_param_decode(params_of(text), "filename", &out));
        return;
    }
    assert_true(mime_param_decode(params_of(text), "filename", &out));
    assert_buf(&out, expected);
}

static void parameter_values_are_decoded(void **state)
{
    (void)state;
    assert_param("; filename=a", "a");
    assert_param("; filename=a; filename*=iso-8859-1''%e9", "\xc3\xa9");
    assert_param("; filename*0*=utf-8''%c3; filename*1*=%a9", "\xc3\xa9");
    assert_param("; filename=\"=?utf-8?q?=C3=A9?=\"", "\xc3\xa9");
    assert_param("; filename*=klingon''%41", "A");
    assert_param("; filename*=100%", "100%");
    assert_param("; name=a", NULL);
}

static void header_fields_come_one_by_one(void **state)
{
    struct str rest = STR("A: 1\r\n 2\r\nno colon\nB\t:\n\nbody: x\n");
    struct mime_field field;

    (void)state;
    assert_true(mime_field_next(&rest, &field));
    assert_str(field.name, "A");
    assert_str(field.value, " 1\r\n 2\r\n");
    assert_str(mime_unfold(&arena, field.value), "1 2");
    assert_true(mime_field_next(&rest, &field));
    assert_int_equal(field.name.length, 0);
    assert_true(mime_field_next(&rest, &field));
    assert_str(field.name, "B");
    assert_str(field.raw, "B\t:\n");
    assert_false(mime_field_next(&rest, &field));
    assert_str(rest, "\nbody: x\n");
}

static void header_field_is_found_by_name(void **state)
{
    struct mime_field field;

    (void)state;
    assert_true(mime_field_find(STR("A: 1\nb: 2\nB: 3\n"), "B", &field));
    assert_str(mime_unfold(&arena, field.value), "2");
    assert_false(mime_field_find(STR("A: 1\n\nb: 2\n"), "b", &field));
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_charset_of_the_list_can_be_opened),
        TEST(charsets_have_many_spellings),
        TEST(text_is_converted_in_pieces),
        TEST(invalid_bytes_become_replacement_characters),
        TEST(unknown_charset_is_told),
        TEST(base64_is_decoded),
        TEST(damaged_base64_gives_what_it_can),
        TEST(quoted_printable_is_decoded),
        TEST(damaged_quoted_printable_stays_as_written),
        TEST(long_white_space_is_bounded),
        TEST(other_encodings_pass_through),
        TEST(encoded_words_are_decoded),
        TEST(space_between_encoded_words_is_dropped),
        TEST(character_cut_between_words_is_made_whole),
        TEST(what_is_no_encoded_word_stays),
        TEST(parameters_are_read),
        TEST(continuations_are_joined),
        TEST(parameter_values_are_decoded),
        TEST(header_fields_come_one_by_one),
        TEST(header_field_is_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
