/* Previews, and the text of HTML. */
#include "tests/unit/mime/mime_test.h"

#include "mailbox-backend/mime/preview.h"

/* ---- HTML ---- */

/* However it is cut. */
static void assert_text(const char *html, const char *expected)
{
    size_t length = strlen(html);

    for (size_t step = 1; step <= length; step++) {
        struct html_text reader = {0};
        struct buf out = {0};

        for (size_t i = 0; i < length; i += step)
            html_text_feed(&reader, html + i, length - i < step ? length - i : step, &out);
        assert_buf(&out, expected);
    }
}

static void tags_go_and_lines_stay_apart(void **state)
{
    (void)state;
    assert_text("<p class=\"a>b\">one<br/>two</p>three", " one two three");
    assert_text("b<b>o</b>ld <A HREF='x'>link</A>s", "bold links");
    assert_text("<p title=don't>a</p>", " a ");
    assert_text("<p title = \"<b>\">a", " a");
    assert_text("1 < 2 <3 a<b", "1 < 2 <3 a");
    assert_text("<?xml version=\"1.0\"?>a", " a");
}

static void what_is_not_shown_is_left_out(void **state)
{
    (void)state;
    assert_text("<!DOCTYPE html>a<!-- <b>x</b> -- > - -->b", "ab");
    assert_text("a<style type='text/css'><!-- p > a { } --></style>b", "a b");
    assert_text("a<script>if (a<b && b>\"c\") x = '</b>';</SCRIPT >b", "a b");
    assert_text("<title>T &amp; t</title>b", " b");
    assert_text("<styles>a</styles>", " a ");
}

static void entities_become_characters(void **state)
{
    (void)state;
    assert_text("&lt;&amp;&gt;&quot;", "<&>\"");
    assert_text("&uuml;&Uuml;&euro;&#8364;&#x20AC;&#X20ac;", "üÜ€€€€");
    assert_text("a&nbspb&nbsp c", "a&nbspb\xc2\xa0 c");
    assert_text("&nosuch; & &; &#0; &#xd800; &#1114112; &#x;",
                "&nosuch; & &; &#0; &#xd800; &#1114112; &#x;");
    assert_text("&aaaaaaaaaaaaaaaaaaaaaaaa;&amp", "&aaaaaaaaaaaaaaaaaaaaaaaa;");
    assert_text("&&lt;<b>&gt", "&<");
    assert_text("&#99999999999999999999;", "&#99999999999999999999;");
}

/* ---- previews ---- */

static void assert_preview(const char *message, const char *expected)
{
    struct arena arena = {0};
    const struct mime_part *root = parse_text(&arena, message);
    const struct mime_part *part = mime_preview_part(root);

    if (expected == NULL) {
        assert_null(part);
        arena_reset(&arena);
        return;
    }
    assert_non_null(part);
    for (size_t step = 1; step < 70; step++) {
        struct mime_preview preview;
        bool whole = false;

        mime_preview_begin(&preview, part);
        for (size_t i = 0; i < part->body_length && !whole; i += step) {
            size_t left = (size_t)part->body_length - i;

            whole = mime_preview_feed(&preview, message + part->body_offset + i,
                                      left < step ? left : step);
        }
        mime_preview_end(&preview);
        mime_preview_end(&preview);
        assert_str(str_n(preview.text, preview.length), expected);
    }
    arena_reset(&arena);
}

static void white_space_is_one_space(void **state)
{
    (void)state;
    assert_preview("\r\n \r\n\tHello,\r\n\r\nworld \x01!\r\n\r\n", "Hello, world !");
    assert_preview("\r\n", "");
    assert_preview("Content-Type: text/html\r\n\r\n<div>&zwnj;&nbsp;&zwnj;&nbsp;&#8203;</div>"
                   "<b>a</b>&shy;b&nbsp;c",
                   "ab c");
    assert_preview("\r\n\xe2\x80\xaa \xe2\x80\xa8x", "\xe2\x80\xaa x");
}

static void encodings_and_charsets_are_decoded(void **state)
{
    (void)state;
    assert_preview("Content-Type: text/plain; charset=iso-8859-1\r\n"
                   "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                   "caf=E9 so=\r\nft",
                   "café soft");
    assert_preview("Content-Type: text/plain; charset=utf-16be\r\n"
                   "Content-Transfer-Encoding: base64\r\n\r\nAGEg\r\nrAA=",
                   "a€");
    assert_preview("Content-Type: text/plain; charset=none-such\r\n\r\na\xff"
                   "b",
                   "a\xef\xbf\xbd"
                   "b");
}

static void a_preview_has_200_characters_at_most(void **state)
{
    char message[1024] = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
    char expected[1024] = "";

    (void)state;
    for (unsigned i = 0; i < 201; i++) {
        strcat(message, "\xf0\x9f\x98\x80");
        if (i < 200)
            strcat(expected, "\xf0\x9f\x98\x80");
    }
    assert_preview(message, expected);
    strcpy(message, "\r\n");
    expected[0] = '\0';
    for (unsigned i = 0; i < 199; i++) {
        strcat(message, "x");
        strcat(expected, "x");
    }
    strcat(message, " yz");
    assert_preview(message, expected);
}

static void the_first_readable_part_is_taken(void **state)
{
    (void)state;
    assert_preview("Content-Type: image/png\r\n\r\nx", NULL);
    assert_preview("Content-Transfer-Encoding: x-uuencode\r\n\r\nx", NULL);
    assert_preview("Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\ninner", NULL);
    assert_preview("Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n"
                   "--x\r\nContent-Type: text/calendar\r\n\r\nno\r\n"
                   "--x\r\nContent-Disposition: ATTACHMENT\r\n\r\nno\r\n"
                   "--x\r\nContent-Type: message/rfc822\r\n\r\n\r\nno\r\n"
                   "--x\r\nContent-Type: text/html\r\n\r\n<p>yes\r\n--x--\r\n",
                   "yes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_go_and_lines_stay_apart),
        cmocka_unit_test(what_is_not_shown_is_left_out),
        cmocka_unit_test(entities_become_characters),
        cmocka_unit_test(white_space_is_one_space),
        cmocka_unit_test(encodings_and_charsets_are_decoded),
        cmocka_unit_test(a_preview_has_200_characters_at_most),
        cmocka_unit_test(the_first_readable_part_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
