#include "tests/unit/mime/mime_test.h"

static int release(void **state)
{
    arena_reset(*state);
    return 0;
}

static struct arena arena;

static int setup(void **state)
{
    *state = &arena;
    return 0;
}

static void assert_places(const struct mime_part *part, uint64_t header, uint64_t header_length,
                          uint64_t body_length, uint64_t lines)
{
    assert_int_equal(part->header_offset, header);
    assert_int_equal(part->header_length, header_length);
    assert_int_equal(part->body_offset, header + header_length);
    assert_int_equal(part->body_length, body_length);
    assert_int_equal(part->body_lines, lines);
}

static void empty_message_is_an_empty_text(void **state)
{
    const struct mime_part *root = parse_text(*state, "");

    assert_places(root, 0, 0, 0, 0);
    assert_true(mime_part_is(root, "text", "plain"));
    assert_null(root->envelope->field[MIME_SUBJECT].data);
}

static void header_and_body_are_parted_by_the_blank_line(void **state)
{
    const struct mime_part *root = parse_text(*state, "Subject: a\r\n\r\nb\r\nc\r\n");

    assert_places(root, 0, 14, 6, 2);
    assert_str(root->envelope->field[MIME_SUBJECT], "a");
}

static void bare_line_feeds_end_lines(void **state)
{
    const struct mime_part *root = parse_text(*state, "Subject: a\n\nb\nc");

    assert_places(root, 0, 12, 3, 1);
    assert_str(root->envelope->field[MIME_SUBJECT], "a");
}

static void message_may_end_in_its_header(void **state)
{
    const struct mime_part *root = parse_text(*state, "To: x@y\r\nSubject: a");

    assert_places(root, 0, 19, 0, 0);
    assert_str(root->envelope->field[MIME_SUBJECT], "a");
    assert_str(root->envelope->field[MIME_TO], "x@y");
}

static void message_may_begin_with_the_blank_line(void **state)
{
    assert_places(parse_text(*state, "\r\nbody"), 0, 2, 4, 0);
}

static void bare_carriage_return_ends_no_line(void **state)
{
    const struct mime_part *root = parse_text(*state, "Subject: a\rTo: b\r\n\r\rx");

    assert_places(root, 0, 21, 0, 0);
    assert_str(root->envelope->field[MIME_SUBJECT], "a\rTo: b");
}

static void nul_is_left_out_of_values_only(void **state)
{
    static const char text[] = "Sub\0ject: b\r\nSubject: a\0b\r\n\r\n\0\0";
    const struct mime_part *root = parse_bytes(*state, text, sizeof(text) - 1);

    assert_places(root, 0, 29, 2, 0);
    assert_str(root->envelope->field[MIME_SUBJECT], "ab");
}

static void folded_values_are_unfolded(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Subject:\r\n one\r\n\ttwo \r\n  \r\nTo: x\r\n\r\n");

    assert_str(root->envelope->field[MIME_SUBJECT], "one\ttwo");
    assert_str(root->envelope->field[MIME_TO], "x");
}

static void empty_field_is_not_an_absent_one(void **state)
{
    const struct mime_part *root = parse_text(*state, "Subject:\r\nDate: \r\n\r\n");

    assert_str(root->envelope->field[MIME_SUBJECT], "");
    assert_str(root->envelope->field[MIME_DATE], "");
    assert_null(root->envelope->field[MIME_MESSAGE_ID].data);
}

static void addresses_of_repeated_fields_are_joined(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "To: a@b\nSubject: 1\nto : c@d\nSubject: 2\n\n");

    assert_str(root->envelope->field[MIME_TO], "a@b, c@d");
    assert_str(root->envelope->field[MIME_SUBJECT], "1");
}

static void content_fields_are_kept(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Content-Type: (c) Image / PNG (x); name=\"a \\\"b\\\".png\"; x=y\n"
                           "Content-ID: <1@x>\nContent-Description: d e\n"
                           "Content-Transfer-Encoding: BASE64 (really)\nContent-MD5: Q2hl\n"
                           "Content-Disposition: attachment; filename=a.png\n"
                           "Content-Language: en, de\nContent-Location: http://x/\n\n");

    assert_str(root->type, "Image");
    assert_str(root->subtype, "PNG");
    assert_str(mime_part_param(root, "NAME"), "a \"b\".png");
    assert_str(mime_part_param(root, "x"), "y");
    assert_str(mime_part_param(root, "z"), NULL);
    assert_str(root->id, "<1@x>");
    assert_str(root->description, "d e");
    assert_str(root->encoding, "BASE64");
    assert_str(root->md5, "Q2hl");
    assert_str(root->disposition, "attachment");
    assert_str(root->disposition_params->value, "a.png");
    assert_str(root->language, "en, de");
    assert_str(root->location, "http://x/");
}

static void unreadable_content_type_is_text(void **state)
{
    const struct mime_part *root = parse_text(*state, "Content-Type: nonsense\n\n");

    assert_true(mime_part_is(root, "text", "plain"));
    assert_null(root->params);
}

static void parts_lie_between_their_boundaries(void **state)
{
    const char *text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" /* 45 */
                       "preamble\r\n"
                       "--b\r\n"               /* at 55 */
                       "\r\none\r\ntwo\r\n"    /* header at 60 */
                       "--b  \t\r\n"           /* at 72 */
                       "Content-ID: 2\r\n\r\n" /* header at 80 */
                       "x\r\n"
                       "--b--\r\n" /* at 100 */
                       "epilogue\r\n--b\r\n";
    const struct mime_part *root = parse_text(*state, text);
    const struct mime_part *one = root->children;
    const struct mime_part *two = one->next;

    assert_int_equal(root->kind, MIME_MULTIPART);
    assert_int_equal(root->body_length, strlen(text) - 45);
    assert_places(one, 60, 2, 8, 1);
    assert_places(two, 80, 17, 1, 0);
    assert_null(two->next);
    assert_null(two->envelope);
    assert_ptr_equal(two->parent, root);
}

static void only_a_whole_line_is_a_boundary(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Content-Type: multipart/mixed; boundary=b\n\n"
                           "--b\n\n--bb\n--b x\n --b\nx--b\n--b-\n-b\n--\n--b--x\n--b--\n");

    assert_non_null(root->children);
    assert_null(root->children->next);
    assert_int_equal(root->children->body_lines, 7);
}

static void boundary_may_be_the_begin_of_another(void **state)
{
    const struct mime_part *root = parse_text(
        *state, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                "Content-Type: multipart/alternative; boundary=bb\n\n--bb\n\n1\n--bb\n\n2\n--bb--\n"
                "--b\n\n3\n--b--\n");
    const struct mime_part *inner = root->children;

    assert_int_equal(inner->kind, MIME_MULTIPART);
    assert_non_null(inner->children->next);
    assert_null(inner->children->next->next);
    assert_int_equal(inner->next->body_length, 1);
}

static void outer_boundary_ends_inner_parts(void **state)
{
    const struct mime_part *root = parse_text(
        *state, "Content-Type: multipart/mixed; boundary=o\n\n--o\n"
                "Content-Type: multipart/mixed; boundary=i\n\n--i\n\ninner\n--o\n\nouter\n");
    const struct mime_part *inner = root->children;

    assert_int_equal(inner->children->body_length, 5);
    assert_null(inner->children->next);
    assert_int_equal(inner->next->body_length, 6);
}

static void boundary_in_a_header_ends_the_part(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Content-Type: multipart/mixed; boundary=b\n\n"
                           "--b\nContent-ID: 1\n--b\nContent-Type: message/rfc822\n--b--\n");
    const struct mime_part *one = root->children;

    assert_str(one->id, "1");
    assert_places(one, 47, 14, 0, 0);
    assert_int_equal(one->next->kind, MIME_MESSAGE);
    assert_non_null(one->next->children);
    assert_null(one->next->next);
}

static void close_boundary_may_be_missing(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b");

    assert_int_equal(root->children->body_length, 3);
    assert_non_null(root->children->next);
    assert_int_equal(root->children->next->body_length, 0);
}

static void multipart_without_boundary_has_no_children(void **state)
{
    const struct mime_part *root = parse_text(*state, "Content-Type: multipart/mixed\n\n--\n--b\n");

    assert_int_equal(root->kind, MIME_MULTIPART);
    assert_null(root->children);
}

static void message_in_a_message_has_its_own_envelope(void **state)
{
    const struct mime_part *root = parse_text(
        *state, "Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nbody\n");
    const struct mime_part *inner = root->children;

    assert_int_equal(root->kind, MIME_MESSAGE);
    assert_places(root, 0, 45, 21, 3);
    assert_places(inner, 45, 16, 5, 1);
    assert_str(root->envelope->field[MIME_SUBJECT], "outer");
    assert_str(inner->envelope->field[MIME_SUBJECT], "inner");
}

static void encoded_message_is_not_looked_into(void **state)
{
    const struct mime_part *root = parse_text(
        *state,
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdA==\n");

    assert_int_equal(root->kind, MIME_LEAF);
    assert_true(mime_part_is(root, "message", "rfc822"));
    assert_null(root->children);
}

static void digest_parts_are_messages(void **state)
{
    const struct mime_part *root =
        parse_text(*state, "Content-Type: multipart/digest; boundary=b\n\n"
                           "--b\n\nSubject: 1\n\nx\n--b\nContent-Type: text/html\n\nx\n--b--\n");

    assert_int_equal(root->children->kind, MIME_MESSAGE);
    assert_str(root->children->children->envelope->field[MIME_SUBJECT], "1");
    assert_true(mime_part_is(root->children->next, "text", "html"));
}

static void parts_beyond_the_limit_are_body_of_the_last(void **state)
{
    struct mime_limits limits = mime_default_limits;
    struct mime_parser parser;
    const struct mime_part *root;
    const char *text = "Content-Type: multipart/mixed; boundary=b\n\n"
                       "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b--\n";

    limits.parts = 3;
    mime_parser_init(&parser, *state, &limits);
    mime_parser_feed(&parser, text, strlen(text));
    root = mime_parser_finish(&parser);
    assert_null(root->children->next->next);
    assert_int_equal(root->children->next->body_length, strlen("2\n--b\n\n3\n--b--\n"));
}

static void nesting_beyond_the_limit_is_a_leaf(void **state)
{
    struct mime_limits limits = mime_default_limits;
    struct mime_parser parser;
    const struct mime_part *part;

    limits.depth = 5;
    mime_parser_init(&parser, *state, &limits);
    for (int i = 0; i < 20; i++)
        mime_parser_feed(&parser, "Content-Type: message/rfc822\n\n", 30);
    part = mime_parser_finish(&parser);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(part->kind, MIME_MESSAGE);
        part = part->children;
    }
    assert_int_equal(part->kind, MIME_LEAF);
    assert_null(part->children);
    assert_int_equal(part->body_length, 14 * 30);
}

static void long_value_is_cut_behind_a_whole_address(void **state)
{
    struct mime_limits limits = mime_default_limits;
    struct mime_parser parser;
    const struct mime_part *root;
    const char *text = "To: a@b, c@d, e@f\nSubject: 12345678901234567890\n\n";

    limits.field_bytes = 12;
    mime_parser_init(&parser, *state, &limits);
    mime_parser_feed(&parser, text, strlen(text));
    root = mime_parser_finish(&parser);
    assert_str(root->envelope->field[MIME_TO], "a@b, c@d");
    assert_str(root->envelope->field[MIME_SUBJECT], "123456789012");
}

static void many_small_fields_reach_the_limit_too(void **state)
{
    struct mime_limits limits = mime_default_limits;
    struct mime_parser parser;
    const struct mime_part *root;
    const char *text = "To: a@b\nTo: c@d\nCc: e@f\n\n";

    limits.part_bytes = 100;
    mime_parser_init(&parser, *state, &limits);
    mime_parser_feed(&parser, text, strlen(text));
    root = mime_parser_finish(&parser);
    assert_str(root->envelope->field[MIME_TO], "a@b");
    assert_str(root->envelope->field[MIME_CC], NULL);
}

static void boundary_of_the_greatest_length_is_found(void **state)
{
    char boundary[MIME_BOUNDARY_MAX + 2];

    for (size_t length = MIME_BOUNDARY_MAX; length <= MIME_BOUNDARY_MAX + 1; length++) {
        const struct mime_part *root;

        memset(boundary, 'x', length);
        boundary[length] = '\0';
        root = parse_text(*state, arena_printf(*state,
                                               "Content-Type: multipart/mixed; boundary=\"%s\"\n\n"
                                               "--%s\n\n1\n--%s--%500s\n--%s\n\n2\n",
                                               boundary, boundary, boundary, " ", boundary));
        if (length > MIME_BOUNDARY_MAX) {
            assert_null(root->children);
            continue;
        }
        assert_int_equal(root->children->body_length, 1);
        assert_null(root->children->next);
    }
}

static void parser_tells_when_it_has_the_header(void **state)
{
    struct mime_parser parser;

    mime_parser_init(&parser, *state, NULL);
    mime_parser_feed(&parser, "Subject: a\r\n\r", 13);
    assert_false(mime_parser_has_header(&parser));
    mime_parser_feed(&parser, "\n", 1);
    assert_true(mime_parser_has_header(&parser));
}

static void parts_come_in_the_order_of_the_message(void **state)
{
    const struct mime_part *part =
        parse_text(*state, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                           "Content-Type: message/rfc822\n\n\n--b\n\n--b--\n");
    unsigned count = 0;
    uint64_t offset = 0;

    for (; part != NULL; part = mime_part_next(part)) {
        assert_true(part->header_offset >= offset);
        offset = part->header_offset;
        count++;
    }
    assert_int_equal(count, 4);
}

static void thread_source_is_the_oldest_known_message(void **state)
{
    assert_str(mime_thread_source(parse_text(*state, "References: <1@a>\n <2@b>\nMessage-ID: "
                                                     "<3@c>\n\n")),
               "1@a");
    assert_str(mime_thread_source(parse_text(*state, "In-Reply-To: your mail of \"x\" "
                                                     "<4@d>\nReferences:\n\n")),
               "4@d");
    assert_str(mime_thread_source(parse_text(*state, "Message-ID: (c) bare@id extra\n\n")),
               "bare@id");
    assert_str(mime_thread_source(parse_text(*state, "Message-ID: <>\n\n")), NULL);
    assert_str(mime_thread_source(parse_text(*state, "\n\n")), NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_message_is_an_empty_text),
        TEST(header_and_body_are_parted_by_the_blank_line),
        TEST(bare_line_feeds_end_lines),
        TEST(message_may_end_in_its_header),
        TEST(message_may_begin_with_the_blank_line),
        TEST(bare_carriage_return_ends_no_line),
        TEST(nul_is_left_out_of_values_only),
        TEST(folded_values_are_unfolded),
        TEST(empty_field_is_not_an_absent_one),
        TEST(addresses_of_repeated_fields_are_joined),
        TEST(content_fields_are_kept),
        TEST(unreadable_content_type_is_text),
        TEST(parts_lie_between_their_boundaries),
        TEST(only_a_whole_line_is_a_boundary),
        TEST(boundary_may_be_the_begin_of_another),
        TEST(outer_boundary_ends_inner_parts),
        TEST(boundary_in_a_header_ends_the_part),
        TEST(close_boundary_may_be_missing),
        TEST(multipart_without_boundary_has_no_children),
        TEST(message_in_a_message_has_its_own_envelope),
        TEST(encoded_message_is_not_looked_into),
        TEST(digest_parts_are_messages),
        TEST(parts_beyond_the_limit_are_body_of_the_last),
        TEST(nesting_beyond_the_limit_is_a_leaf),
        TEST(long_value_is_cut_behind_a_whole_address),
        TEST(many_small_fields_reach_the_limit_too),
        TEST(boundary_of_the_greatest_length_is_found),
        TEST(parser_tells_when_it_has_the_header),
        TEST(parts_come_in_the_order_of_the_message),
        TEST(thread_source_is_the_oldest_known_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
