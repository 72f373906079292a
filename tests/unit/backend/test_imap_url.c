#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/imap_url.h"

static struct arena arena;

static int forget(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static struct imap_url read_url(const char *text)
{
    struct imap_url url;
    struct err err;

    if (imap_url_parse(&arena, str_of(text), &url, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    return url;
}

static void expect_refused(const char *text)
{
    struct imap_url url;
    struct err err;

    assert_int_equal(imap_url_parse(&arena, str_of(text), &url, &err), ERR_INVALID);
    assert_true(err.text[0] == 'A' || err.text[0] == 'I');
}

static void expect_mailbox(const char *text, const char *mailbox)
{
    struct imap_url url = read_url(text);

    assert_int_equal(url.mailbox.length, strlen(mailbox));
    assert_memory_equal(url.mailbox.data, mailbox, url.mailbox.length);
    assert_int_equal(url.uid, 20);
}

static void a_message_is_named_by_mailbox_and_uid(void **state)
{
    struct imap_url url = read_url("/Drafts;UIDVALIDITY=385759045/;UID=20");

    (void)state;
    assert_true(str_is(url.mailbox, "Drafts"));
    assert_int_equal(url.uid_validity, 385759045);
    assert_int_equal(url.uid, 20);
    assert_int_equal(url.section.kind, MIME_SECTION_WHOLE);
    assert_int_equal(url.section.depth, 0);
    assert_false(url.partial);
    url = read_url("/Drafts/;uid=4294967295");
    assert_int_equal(url.uid_validity, 0);
    assert_int_equal(url.uid, UINT32_MAX);
}

static void a_section_is_that_of_fetch(void **state)
{
    struct imap_url url = read_url("/Drafts;uidvalidity=1/;uid=20/;Section=1.2.MIME");

    (void)state;
    assert_int_equal(url.section.kind, MIME_SECTION_MIME);
    assert_int_equal(url.section.depth, 2);
    assert_int_equal(url.section.numbers[1], 2);
    url = read_url("/Drafts/;UID=20/;SECTION=HEADER");
    assert_int_equal(url.section.kind, MIME_SECTION_HEADER);
    url = read_url("/Drafts/;UID=20/;SECTION=HEADER.FIELDS.NOT%20(From%20%22X%2FY%22%20A/B)");
    assert_int_equal(url.section.kind, MIME_SECTION_FIELDS_NOT);
    assert_int_equal(url.section.field_count, 3);
    assert_true(str_is(url.section.fields[1], "X/Y"));
    assert_true(str_is(url.section.fields[2], "A/B"));
}

static void a_part_of_it_has_an_offset_and_may_have_a_length(void **state)
{
    struct imap_url url = read_url("/Drafts/;UID=20/;SECTION=TEXT/;PARTIAL=5.1024");

    (void)state;
    assert_int_equal(url.section.kind, MIME_SECTION_TEXT);
    assert_true(url.partial);
    assert_int_equal(url.origin, 5);
    assert_int_equal(url.length, 1024);
    url = read_url("/Drafts/;UID=20/;PARTIAL=0");
    assert_int_equal(url.section.kind, MIME_SECTION_WHOLE);
    assert_true(url.partial);
    assert_int_equal(url.origin, 0);
    assert_int_equal(url.length, INT64_MAX);
    url = read_url("/Drafts/;UID=20/;PARTIAL=9223372036854775807.9223372036854775807");
    assert_int_equal(url.origin, INT64_MAX);
}

static void names_are_percent_encoded_utf8(void **state)
{
    (void)state;
    expect_mailbox("/Sent%20Items/;UID=20", "Sent Items");
    expect_mailbox("/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/;UID=20",
                   "~peter/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
    expect_mailbox("/a%3bb&AOk-;UIDVALIDITY=3/;UID=20", "a;b&AOk-");
    expect_mailbox("/a/b/;UID=20", "a/b");
    expect_mailbox("/a//;UID=20", "a/");
}

static void dots_go_up_as_in_every_url(void **state)
{
    (void)state;
    expect_mailbox("/a/./b/../c/;UID=20", "a/c");
    expect_mailbox("/../../a/;UID=20", "a");
    expect_mailbox("/a/;UID=7/../;UID=20", "a");
    expect_mailbox("/a/..;UIDVALIDITY=385759045/;UID=20", "a/.."); /* RFC 5092 section 9.1 */
    expect_mailbox("/a/%2E%2E/;UID=20", "a/..");
    expect_refused("/foo/;UID=20/..");
    expect_refused("/..");
    expect_refused("/.");
}

static void a_uid_alone_is_of_the_selected_mailbox(void **state)
{
    struct imap_url url = read_url(";UID=20/;SECTION=1/;PARTIAL=1.1");

    (void)state;
    assert_null(url.mailbox.data);
    assert_int_equal(url.uid, 20);
    assert_int_equal(url.section.depth, 1);
    assert_int_equal(url.length, 1);
}

static void what_is_no_message_of_this_session_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "/",
        "//",
        "imap://alice@example.com/Drafts/;UID=20",
        "//example.com/Drafts/;UID=20",
        "http://example.com/",
        "Drafts/;UID=20",
        ";SECTION=1",
        ";PARTIAL=1",
        "/Drafts",
        "/Drafts/",
        "/Drafts?SUBJECT%20x",
        "/Drafts;UID=20",
        "/Drafts;UIDVALIDITY=3",
        "/Drafts;UIDVALIDITY=3/",
        "/Drafts;UIDVALIDITY=3;UID=20",
        "/Drafts;UIDVALIDITY=0/;UID=20",
        "/Drafts;UIDVALIDITY=/;UID=20",
        "/Drafts;UIDVALIDITY=4294967296/;UID=20",
        "/Drafts;TYPE=LIST/;UID=20",
        "/;UID=20",
        "/;UIDVALIDITY=3/;UID=20",
        "/Drafts/;UID=",
        "/Drafts/;UID=0",
        "/Drafts/;UID=x",
        "/Drafts/;UID=20x",
        "/Drafts/;UID=4294967296",
        "/Drafts/;UID=1:3",
        "/Drafts/;UID=20/",
        "/Drafts/;UID=20;SECTION=1",
        "/Drafts/;UID=20/;SECTION=",
        "/Drafts/;UID=20/;SECTION=0",
        "/Drafts/;UID=20/;SECTION=MIME",
        "/Drafts/;UID=20/;SECTION=1]",
        "/Drafts/;UID=20/;SECTION=1%5D",
        "/Drafts/;UID=20/;SECTION=1/",
        "/Drafts/;UID=20/;SECTION=1;PARTIAL=1",
        "/Drafts/;UID=20/;SECTION=1/;SECTION=2",
        "/Drafts/;UID=20/;PARTIAL=",
        "/Drafts/;UID=20/;PARTIAL=.1",
        "/Drafts/;UID=20/;PARTIAL=1.",
        "/Drafts/;UID=20/;PARTIAL=1.0",
        "/Drafts/;UID=20/;PARTIAL=-1.5",
        "/Drafts/;UID=20/;PARTIAL=9223372036854775808",
        "/Drafts/;UID=20/;PARTIAL=1.2/;SECTION=1",
        "/Drafts/;UID=20;URLAUTH=anonymous",
        "/Drafts/;UID=20;EXPIRE=2026-11-24T00:00:00Z;URLAUTH=anonymous:internal:00",
        "/Drafts/;UID=20#x",
        "/Sent Items/;UID=20",
        "/M\xc3\xa4rz/;UID=20",
        "/Drafts%/;UID=20",
        "/Drafts%4/;UID=20",
        "/Drafts%4g/;UID=20",
        "/Drafts/;UID=20%",
        "/Drafts/;UID=20\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_refused(texts[i]);
}

static void a_response_code_repeats_it_safely(void **state)
{
    static const char bytes[] = "/A]B\\ \r\n\xc3\xa4%5D\0;UID=1";
    struct buf out = {0};

    (void)state;
    imap_url_write_safe(str_n(bytes, sizeof(bytes) - 1), &out);
    buf_byte(&out, '\0');
    assert_string_equal(buf_bytes(&out), "/A%5DB%5C%20%0D%0A%C3%A4%5D%00;UID=1");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_message_is_named_by_mailbox_and_uid, forget),
        cmocka_unit_test_teardown(a_section_is_that_of_fetch, forget),
        cmocka_unit_test_teardown(a_part_of_it_has_an_offset_and_may_have_a_length, forget),
        cmocka_unit_test_teardown(names_are_percent_encoded_utf8, forget),
        cmocka_unit_test_teardown(dots_go_up_as_in_every_url, forget),
        cmocka_unit_test_teardown(a_uid_alone_is_of_the_selected_mailbox, forget),
        cmocka_unit_test_teardown(what_is_no_message_of_this_session_is_refused, forget),
        cmocka_unit_test_teardown(a_response_code_repeats_it_safely, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
