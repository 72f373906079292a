/* ENVELOPE, BODY, BODYSTRUCTURE and the summary of them. */
#include "mailbox-backend/mime/bodystructure.h"
#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/imap_string.h"
#include "mailbox-backend/mime/summary.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void assert_envelope(const char *message, const char *expected)
{
    struct buf out = {0};

    mime_envelope_write(parse_text(&arena, message), &out);
    assert_buf(&out, expected);
}

static void assert_body(const char *message, const char *expected)
{
    struct buf out = {0};

    mime_body_write(parse_text(&arena, message), &out);
    assert_buf(&out, expected);
}

static void assert_structure(const char *message, const char *expected)
{
    struct buf out = {0};

    mime_bodystructure_write(parse_text(&arena, message), &out);
    assert_buf(&out, expected);
}

static void encoded_message_is_told_as_a_file(void **state)
{
    (void)state;
    assert_structure(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"
        "U3ViamVjdA==\r\n",
        "(\"application\" \"octet-stream\" NIL NIL NIL \"BASE64\" 14 NIL NIL NIL NIL)");
}

static void strings_are_quoted_or_literal(void **state)
{
    struct buf out = {0};

    (void)state;
    imap_string_write(&out, STR("a \"b\" \\ c\t"));
    assert_buf(&out, "\"a \\\"b\\\" \\\\ c\t\"");
    imap_string_write(&out, STR("caf\xc3\xa9"));
    assert_buf(&out, "{5}\r\ncaf\xc3\xa9");
    imap_string_write(&out, STR("a\rb\0c\nd"));
    assert_buf(&out, "{6}\r\na\rbc\nd");
    imap_string_write(&out, STR("a\0b"));
    assert_buf(&out, "\"ab\"");
    imap_string_write(&out, STR(""));
    assert_buf(&out, "\"\"");
    imap_nstring_write(&out, (struct str){NULL, 0});
    assert_buf(&out, "NIL");
}

static void clients_of_utf8_get_it_quoted(void **state)
{
    char text[1001];
    struct buf out = {0};

    (void)state;
    imap_utf8_string_write(&out, STR("caf\xc3\xa9 \"q\" \\"));
    assert_buf(&out, "\"caf\xc3\xa9 \\\"q\\\" \\\\\"");
    imap_utf8_string_write(&out, STR("a\nb"));
    assert_buf(&out, "{3}\r\na\nb");
    memset(text, 'x', sizeof(text));
    imap_utf8_string_write(&out, str_n(text, sizeof(text)));
    assert_memory_equal(buf_bytes(&out), "{1001}\r\nxx", 10);
    buf_release(&out);
}

static void rfc_3501_example_envelope_is_written(void **state)
{
    (void)state;
    assert_envelope("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
                    "From: Terry Gray <gray@cac.washington.edu>\r\n"
                    "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
                    "To: imap@cac.washington.edu\r\n"
                    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
                    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n",
                    "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
                    "\"IMAP4rev1 WG mtg summary and minutes\" "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((NIL NIL \"imap\" \"cac.washington.edu\")) "
                    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
                    "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
                    "\"<B27397-0100000@cac.washington.edu>\")");
}

static void absent_fields_are_nil_and_empty_ones_are_empty(void **state)
{
    (void)state;
    assert_envelope("\r\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("Date:\nSubject:\nFrom:\nTo: ,\nCc:\nBcc:\nIn-Reply-To:\nMessage-ID:\n\n",
                    "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")");
}

static void sender_and_reply_to_of_their_own_are_told(void **state)
{
    (void)state;
    assert_envelope("From: a@x\nSender: b@x\nReply-To: c@x, d@x\n\n",
                    "(NIL NIL ((NIL NIL \"a\" \"x\")) ((NIL NIL \"b\" \"x\")) "
                    "((NIL NIL \"c\" \"x\")(NIL NIL \"d\" \"x\")) NIL NIL NIL NIL NIL)");
}

static void group_is_written_with_its_marks(void **state)
{
    (void)state;
    assert_envelope("To: G: a@x;\n\n",
                    "(NIL NIL NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"x\")(NIL NIL NIL "
                    "NIL)) NIL NIL NIL NIL)");
}

static void raw_8bit_subject_is_a_literal(void **state)
{
    (void)state;
    assert_envelope("Subject: \xe9t\xe9\n\n",
                    "(NIL {3}\r\n\xe9t\xe9 NIL NIL NIL NIL NIL NIL NIL NIL)");
}

static void text_tells_its_lines(void **state)
{
    (void)state;
    assert_body("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\na\r\nb\r\n",
                "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 6 2)");
    assert_structure("\r\n", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 "
                             "NIL NIL NIL NIL)");
}

static void extension_data_is_in_bodystructure_only(void **state)
{
    const char *message = "Content-Type: image/png; name=a.png\nContent-ID: <1@x>\n"
                          "Content-Description: d\nContent-Transfer-Encoding: base64\n"
                          "Content-MD5: Q2hl\nContent-Disposition: attachment; filename=a.png\n"
                          "Content-Language: en, de\nContent-Location: u\n\nAAAA";

    (void)state;
    assert_body(message, "(\"image\" \"png\" (\"name\" \"a.png\") \"<1@x>\" \"d\" \"base64\" 4)");
    assert_structure(message,
                     "(\"image\" \"png\" (\"name\" \"a.png\") \"<1@x>\" \"d\" \"base64\" 4 "
                     "\"Q2hl\" (\"attachment\" (\"filename\" \"a.png\")) (\"en\" \"de\") \"u\")");
    assert_structure("Content-Type: a/b\nContent-Disposition: inline\nContent-Language: en\n\n",
                     "(\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL (\"inline\" NIL) \"en\" NIL)");
}

static void multipart_lists_its_parts(void **state)
{
    const char *message = "Content-Type: multipart/mixed; boundary=b\n"
                          "Content-Language: en\n\n--b\n\nx\n--b\nContent-Type: a/b\n\ny\n--b--\n";

    (void)state;
    assert_body(message, "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)"
                         "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) \"mixed\")");
    assert_structure(message,
                     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 NIL NIL "
                     "NIL NIL)(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL) \"mixed\" "
                     "(\"boundary\" \"b\") NIL \"en\" NIL)");
}

static void multipart_without_parts_shows_an_empty_text(void **state)
{
    (void)state;
    assert_body("Content-Type: multipart/mixed\n\nx",
                "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")");
}

static void message_shows_what_is_inside(void **state)
{
    (void)state;
    assert_body("Content-Type: message/rfc822\n\nSubject: s\nContent-Type: a/b\n\nxyz\n",
                "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 34 "
                "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
                "(\"a\" \"b\" NIL NIL NIL \"7bit\" 4) 4)");
}

static void continued_parameters_are_joined(void **state)
{
    (void)state;
    assert_body(
        "Content-Type: a/b; URL*0=\"ftp://\"; URL*1=\"x/y\"; t*=utf-8''%c3%a9\n\n",
        "(\"a\" \"b\" (\"URL\" \"ftp://x/y\" \"t*\" \"utf-8''%c3%a9\") NIL NIL \"7bit\" 0)");
}

static void what_is_nested_too_deep_is_an_octet_stream(void **state)
{
    struct mime_limits limits = mime_default_limits;
    const char *text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n";
    struct mime_parser parser;
    struct buf out = {0};

    (void)state;
    limits.depth = 0;
    mime_parser_init(&parser, &arena, &limits);
    mime_parser_feed(&parser, text, strlen(text));
    mime_body_write(mime_parser_finish(&parser), &out);
    assert_buf(&out, "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 13)");
}

/* RFC 9051 section 9, body-type-msg; in IMAP4rev1 it is a leaf. */
static void message_global_is_a_message_where_it_is_asked_for(void **state)
{
    struct mime_limits limits = mime_default_limits;
    const char *text = "Content-Type: Message/Global\n\nSubject: h\xc3\xa9\n\nx";
    const char *encoded = "Content-Type: message/global\nContent-Transfer-Encoding: base64\n\neA==";
    struct mime_parser parser;
    struct mime_summary summary;
    struct buf out = {0};

    (void)state;
    limits.global = true;
    mime_parser_init(&parser, &arena, &limits);
    mime_parser_feed(&parser, text, strlen(text));
    mime_body_write(mime_parser_finish(&parser), &out);
    assert_buf(&out,
               "(\"Message\" \"Global\" NIL NIL NIL \"7bit\" 15 (NIL {3}\r\nh\xc3\xa9 NIL NIL NIL "
               "NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
               "\"7bit\" 1 0) 2)");
    mime_parser_init(&parser, &arena, &limits);
    mime_parser_feed(&parser, encoded, strlen(encoded));
    mime_body_write(mime_parser_finish(&parser), &out);
    assert_buf(&out, "(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 4)");
    assert_body(text, "(\"Message\" \"Global\" NIL NIL NIL \"7bit\" 15)");
    assert_true(mime_summary_build(parse_text(&arena, text), &out));
    mime_summary_open(buf_bytes(&out), buf_length(&out), &summary, NULL);
    assert_true(mime_summary_has_global(&summary));
    buf_truncate(&out, 0);
    assert_true(mime_summary_build(parse_text(&arena, "Subject: global\n\nx"), &out));
    mime_summary_open(buf_bytes(&out), buf_length(&out), &summary, NULL);
    assert_false(mime_summary_has_global(&summary));
    buf_release(&out);
}

static void summary_gives_back_what_it_was_built_from(void **state)
{
    const struct mime_part *root = parse_text(&arena, "Subject: \xe9\n\nx");
    struct mime_summary summary;
    struct buf out = {0};
    struct buf envelope = {0};

    (void)state;
    assert_true(mime_summary_build(root, &out));
    assert_int_equal(mime_summary_open(buf_bytes(&out), buf_length(&out), &summary, NULL),
                     ERR_NONE);
    buf_append(&envelope, summary.envelope.data, summary.envelope.length);
    assert_buf(&envelope, "(NIL {1}\r\n\xe9 NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_str(summary.bodystructure, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
                                      "\"7bit\" 1 0 NIL NIL NIL NIL)");
    buf_release(&out);
}

static void summary_is_never_longer_than_its_limit(void **state)
{
    size_t longest = 0;

    (void)state;
    for (int i = 1700; i < 1900; i++) {
        struct buf out = {0};
        char *text = arena_printf(&arena, "Subject: %0*d\n\nx", i, 1);

        if (mime_summary_build(parse_text(&arena, text), &out))
            longest = buf_length(&out);
        else
            assert_int_equal(buf_length(&out), 0);
        buf_release(&out);
        arena_reset(&arena);
    }
    assert_int_equal(longest, MIME_SUMMARY_MAX);
}

static void damaged_summary_is_refused(void **state)
{
    struct mime_summary summary;
    struct err err;

    (void)state;
    assert_int_equal(mime_summary_open("", 0, &summary, &err), ERR_CORRUPT);
    assert_int_equal(mime_summary_open("\1\0", 2, &summary, &err), ERR_CORRUPT);
    assert_int_equal(mime_summary_open("\1\0\2x", 4, &summary, &err), ERR_CORRUPT);
    assert_int_equal(mime_summary_open("\2\0\1xy", 5, &summary, &err), ERR_NOT_FOUND);
    assert_int_equal(mime_summary_open("\1\0\1xy", 5, &summary, &err), ERR_NONE);
}

static void body_of_a_damaged_structure_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "(",
                                      "()",
                                      "(\"a\" \"b\")",
                                      "((\"a\") \"x\")",
                                      "(\"a",
                                      "({9}\r\n",
                                      "({9",
                                      "x",
                                      "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1)",
                                      "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) "};
    struct mime_summary summary = {0};
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        summary.bodystructure = str_of(bad[i]);
        assert_int_equal(mime_summary_body(&summary, &out, NULL), ERR_CORRUPT);
    }
    buf_release(&out);
}

static void body_leaves_the_extension_data_out(void **state)
{
    struct mime_summary summary = {0};
    struct buf out = {0};

    (void)state;
    summary.bodystructure =
        STR("((\"a\" \"b\" NIL NIL {3}\r\n) ( \"7bit\" 1 NIL (\"x\" NIL) NIL NIL)"
            " \"mixed\" (\"b\" \"\\\")\") NIL NIL NIL)");
    assert_int_equal(mime_summary_body(&summary, &out, NULL), ERR_NONE);
    assert_buf(&out, "((\"a\" \"b\" NIL NIL {3}\r\n) ( \"7bit\" 1) \"mixed\")");
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(strings_are_quoted_or_literal),
        TEST(clients_of_utf8_get_it_quoted),
        TEST(encoded_message_is_told_as_a_file),
        TEST(rfc_3501_example_envelope_is_written),
        TEST(absent_fields_are_nil_and_empty_ones_are_empty),
        TEST(sender_and_reply_to_of_their_own_are_told),
        TEST(group_is_written_with_its_marks),
        TEST(raw_8bit_subject_is_a_literal),
        TEST(text_tells_its_lines),
        TEST(extension_data_is_in_bodystructure_only),
        TEST(multipart_lists_its_parts),
        TEST(multipart_without_parts_shows_an_empty_text),
        TEST(message_shows_what_is_inside),
        TEST(continued_parameters_are_joined),
        TEST(what_is_nested_too_deep_is_an_octet_stream),
        TEST(message_global_is_a_message_where_it_is_asked_for),
        TEST(summary_gives_back_what_it_was_built_from),
        TEST(summary_is_never_longer_than_its_limit),
        TEST(damaged_summary_is_refused),
        TEST(body_of_a_damaged_structure_is_refused),
        TEST(body_leaves_the_extension_data_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
