#include "mailbox-backend/mime/header_filter.h"
#include "mailbox-backend/mime/section.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static struct mime_section parse_section(const char *text)
{
    struct mime_section section;
    size_t used;

    assert_int_equal(mime_section_parse(&arena, str_of(text), &used, &section, NULL), ERR_NONE);
    assert_int_equal(used, strlen(text));
    return section;
}

static void assert_refused(const char *text, enum err_code code)
{
    struct mime_section section;
    struct err err;
    size_t used;

    assert_int_equal(mime_section_parse(&arena, str_of(text), &used, &section, &err), code);
}

static void assert_written(const char *text, const char *expected)
{
    struct mime_section section = parse_section(text);
    struct buf out = {0};

    mime_section_write(&section, &out);
    assert_buf(&out, expected);
}

static void sections_are_read_and_written(void **state)
{
    (void)state;
    assert_written("]", "");
    assert_written("header]", "HEADER");
    assert_written("TEXT]", "TEXT");
    assert_written("1]", "1");
    assert_written("1.2.33]", "1.2.33");
    assert_written("1.MIME]", "1.MIME");
    assert_written("4.1.HEADER]", "4.1.HEADER");
    assert_written("4.TEXT]", "4.TEXT");
    assert_written("HEADER.FIELDS (Date \"From\" {2}\r\nTo {2+}\r\nCc)]",
                   "HEADER.FIELDS (Date From To Cc)");
    assert_written("3.header.fields.not (\"x]y\")]", "3.HEADER.FIELDS.NOT (\"x]y\")");
}

static void rest_behind_the_section_is_left(void **state)
{
    struct mime_section section;
    size_t used;

    (void)state;
    assert_int_equal(mime_section_parse(&arena, STR("1]<0.5>"), &used, &section, NULL), ERR_NONE);
    assert_int_equal(used, 2);
}

static void what_is_no_section_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "0]",
                                      "1.0]",
                                      "01]",
                                      "1.]",
                                      ".1]",
                                      "1..2]",
                                      "1TEXT]",
                                      "MIME]",
                                      "HEADERS]",
                                      "TEXT.1]",
                                      "4294967296]",
                                      "99999999999999999999]",
                                      "HEADER.FIELDS]",
                                      "HEADER.FIELDS ()]",
                                      "HEADER.FIELDS (a",
                                      "HEADER.FIELDS (a]",
                                      "HEADER.FIELDS (a )]",
                                      "HEADER.FIELDS (a:b)]",
                                      "HEADER.FIELDS (\"a)]",
                                      "HEADER.FIELDS (\"\")]",
                                      "HEADER.FIELDS ({9}\r\na)]",
                                      "HEADER.FIELDS(a)]",
                                      "HEADER.FIELDS.NOT (a)"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(bad[i], ERR_INVALID);
}

static void section_over_a_limit_is_refused(void **state)
{
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < MIME_SECTION_DEPTH_MAX; i++)
        buf_text(&text, "1.");
    buf_text(&text, "1]");
    buf_byte(&text, '\0');
    assert_refused((const char *)buf_bytes(&text), ERR_LIMIT);
    buf_truncate(&text, 0);
    buf_text(&text, "HEADER.FIELDS (a");
    for (int i = 0; i < MIME_SECTION_FIELDS_MAX; i++)
        buf_text(&text, " a");
    buf_text(&text, ")]");
    buf_byte(&text, '\0');
    assert_refused((const char *)buf_bytes(&text), ERR_LIMIT);
    buf_truncate(&text, 0);
    buf_printf(&text, "HEADER.FIELDS (%0*d)]", MIME_SECTION_NAME_MAX + 1, 0);
    buf_byte(&text, '\0');
    assert_refused((const char *)buf_bytes(&text), ERR_LIMIT);
    buf_release(&text);
}

/* The message of RFC 3501 section 6.4.5's example, in small. */
static const char sample[] =
    "Subject: top\n"
    "Content-Type: multipart/mixed; boundary=A\n\n"
    "--A\n\none\n"
    "--A\nContent-Type: application/octet-stream\n\ntwo\n"
    "--A\nContent-Type: message/rfc822\n\n"
    "Subject: three\nContent-Type: multipart/mixed; boundary=B\n\n"
    "--B\n\nthree.one\n--B\nContent-Type: a/b\n\nthree.two\n--B--\n"
    "--A\nContent-Type: multipart/mixed; boundary=C\n\n"
    "--C\nContent-Type: image/gif\n\nfour.one\n"
    "--C\nContent-Type: message/rfc822\n\nSubject: four.two\n\nfour.two.one\n--C--\n"
    "--A--\n";

static void assert_content(const struct mime_part *root, const char *message, const char *text,
                           const char *expected)
{
    struct mime_section section = parse_section(text);
    struct mime_range range;

    if (expected == NULL) {
        assert_false(mime_section_resolve(&section, root, &range));
        return;
    }
    assert_true(mime_section_resolve(&section, root, &range));
    assert_str(str_n(message + range.offset, range.length), expected);
}

static void parts_are_found_as_in_the_rfc(void **state)
{
    const struct mime_part *root = parse_text(&arena, sample);

    (void)state;
    assert_content(root, sample, "]", sample);
    assert_content(root, sample, "HEADER]",
                   "Subject: top\nContent-Type: multipart/mixed; boundary=A\n\n");
    assert_content(root, sample, "TEXT]", strstr(sample, "--A\n"));
    assert_content(root, sample, "1]", "one");
    assert_content(root, sample, "1.MIME]", "\n");
    assert_content(root, sample, "2]", "two");
    assert_content(root, sample, "2.MIME]", "Content-Type: application/octet-stream\n\n");
    assert_content(root, sample, "3.HEADER]",
                   "Subject: three\nContent-Type: multipart/mixed; boundary=B\n\n");
    assert_content(root, sample, "3.MIME]", "Content-Type: message/rfc822\n\n");
    assert_content(root, sample, "3.1]", "three.one");
    assert_content(root, sample, "3.2]", "three.two");
    assert_content(root, sample, "3.2.MIME]", "Content-Type: a/b\n\n");
    assert_content(root, sample, "4.1]", "four.one");
    assert_content(root, sample, "4.2.HEADER]", "Subject: four.two\n\n");
    assert_content(root, sample, "4.2.TEXT]", "four.two.one");
    assert_content(root, sample, "4.2.1]", "four.two.one");
    assert_content(root, sample, "4.2.HEADER.FIELDS (a)]", "Subject: four.two\n\n");
}

static void missing_parts_are_not_found(void **state)
{
    static const char *const missing[] = {
        "5]",          "1.1]",      "1.HEADER]",  "1.TEXT]",  "2.HEADER.FIELDS (a)]",
        "4.HEADER]",   "4.TEXT]",   "4.2.2]",     "4.2.1.1]", "3.3]",
        "4294967295]", "9.9.MIME]", "4.2.2.TEXT]"};
    const struct mime_part *root = parse_text(&arena, sample);

    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
        assert_content(root, sample, missing[i], NULL);
}

static void part_1_of_a_simple_message_is_its_body(void **state)
{
    const char *message = "Subject: s\n\nbody";
    const struct mime_part *root = parse_text(&arena, message);

    (void)state;
    assert_content(root, message, "1]", "body");
    assert_content(root, message, "1.MIME]", "Subject: s\n\n");
    assert_content(root, message, "1.1]", NULL);
    assert_content(root, message, "2]", NULL);
    assert_content(root, message, "1.HEADER]", NULL);
}

static void message_as_the_whole_body_is_part_1(void **state)
{
    const char *message = "Content-Type: message/rfc822\n\nSubject: in\n\nbody";
    const struct mime_part *root = parse_text(&arena, message);

    (void)state;
    assert_content(root, message, "1]", "Subject: in\n\nbody");
    assert_content(root, message, "1.HEADER]", "Subject: in\n\n");
    assert_content(root, message, "1.1]", "body");
    assert_content(root, message, "1.1.1]", NULL);
}

static void empty_part_of_a_multipart_without_parts_is_found(void **state)
{
    const char *message = "Content-Type: multipart/mixed\n\nx";
    const struct mime_part *root = parse_text(&arena, message);

    (void)state;
    assert_content(root, message, "1]", "");
    assert_content(root, message, "1.MIME]", "");
    assert_content(root, message, "2]", NULL);
    assert_content(root, message, "TEXT]", "x");
}

static void top_header_needs_no_tree(void **state)
{
    struct mime_section section = parse_section("HEADER.FIELDS (a)]");

    (void)state;
    assert_true(mime_section_is_top_header(&section));
    section = parse_section("1.HEADER]");
    assert_false(mime_section_is_top_header(&section));
    section = parse_section("TEXT]");
    assert_false(mime_section_is_top_header(&section));
}

/* Filters in pieces of every size, and once only counting. */
static void assert_filtered(const char *text, const void *header, size_t length,
                            const char *expected)
{
    struct mime_section section = parse_section(text);
    struct mime_header_filter filter;

    for (size_t step = 1; step <= length; step++) {
        struct buf out = {0};

        mime_header_filter_init(&filter, &section);
        for (size_t i = 0; i < length; i += step)
            mime_header_filter_feed(&filter, (const char *)header + i,
                                    length - i < step ? length - i : step, &out);
        mime_header_filter_finish(&filter, &out);
        assert_int_equal(filter.total, buf_length(&out));
        assert_buf(&out, expected);
    }
    mime_header_filter_init(&filter, &section);
    mime_header_filter_feed(&filter, header, length, NULL);
    mime_header_filter_finish(&filter, NULL);
    assert_int_equal(filter.total, strlen(expected));
}

static void fields_are_filtered(void **state)
{
    static const char header[] = "From x Mon\r\nDate: 1\r\n 2\r\nSubject : s\r\n\tt\r\n"
                                 "DATE: 3\r\nno colon\r\nDat: 4\r\n\r\nDate: body\r\n";

    (void)state;
    assert_filtered("HEADER.FIELDS (date)]", header, sizeof(header) - 1,
                    "Date: 1\r\n 2\r\nDATE: 3\r\n\r\n");
    assert_filtered("HEADER.FIELDS (subject dat)]", header, sizeof(header) - 1,
                    "Subject : s\r\n\tt\r\nDat: 4\r\n\r\n");
    assert_filtered("HEADER.FIELDS (none)]", header, sizeof(header) - 1, "\r\n");
    assert_filtered("HEADER.FIELDS.NOT (date)]", header, sizeof(header) - 1,
                    "From x Mon\r\nSubject : s\r\n\tt\r\nno colon\r\nDat: 4\r\n\r\n");
}

static void header_without_blank_line_gets_none(void **state)
{
    (void)state;
    assert_filtered("HEADER.FIELDS (a)]", "A: 1\nB: 2", 9, "A: 1\n");
    assert_filtered("HEADER.FIELDS (b)]", "A: 1\nB: 2", 9, "B: 2");
    assert_filtered("HEADER.FIELDS.NOT (b)]", "A: 1\nB", 6, "A: 1\nB");
    assert_filtered("HEADER.FIELDS.NOT (b)]", " x\nB: 1\n\r", 9, " x\n\r");
}

static void field_with_an_endless_name_is_bounded(void **state)
{
    struct buf header = {0};
    struct buf out = {0};
    struct mime_section section = parse_section("HEADER.FIELDS.NOT (a)]");
    struct mime_header_filter filter;

    (void)state;
    for (int i = 0; i < 5000; i++)
        buf_byte(&header, 'x');
    buf_text(&header, ": v\r\nA: 1\r\n\r\n");
    mime_header_filter_init(&filter, &section);
    mime_header_filter_feed(&filter, buf_bytes(&header), buf_length(&header), &out);
    assert_int_equal(buf_length(&out), 5000 + 5 + 2);
    assert_true(filter.ended);
    buf_release(&header);
    buf_release(&out);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sections_are_read_and_written),
        TEST(rest_behind_the_section_is_left),
        TEST(what_is_no_section_is_refused),
        TEST(section_over_a_limit_is_refused),
        TEST(parts_are_found_as_in_the_rfc),
        TEST(missing_parts_are_not_found),
        TEST(part_1_of_a_simple_message_is_its_body),
        TEST(message_as_the_whole_body_is_part_1),
        TEST(empty_part_of_a_multipart_without_parts_is_found),
        TEST(top_header_needs_no_tree),
        TEST(fields_are_filtered),
        TEST(header_without_blank_line_gets_none),
        TEST(field_with_an_endless_name_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
