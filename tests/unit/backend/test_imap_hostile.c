/* Arguments of hostile shapes: sets of thousands of ranges, deep nesting, patterns of the greatest length. The
   answers are right, or BAD, and what they cost follows the text that the client sent. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

#define MESSAGES 400u

struct fixture {
    struct harness harness;
    struct session *session;
};

static const char *answer(struct session *session, const char *tag)
{
    const char *line;

    do {
        line = session_take_line(session);
        assert_non_null(line);
    } while (strncmp(line, tag, strlen(tag)) != 0);
    return line + strlen(tag);
}

static void expect(struct session *session, const char *expected)
{
    const char *line = session_take_line(session);

    assert_non_null(line);
    assert_string_equal(line, expected);
}

/* An inbox in which only odd uids are left. */
static int setup(void **state)
{
    static struct fixture fixture;
    struct buf text = {0};

    harness_open(&fixture.harness);
    fixture.session = session_open(&fixture.harness, &imap4_engine, NULL);
    buf_text(&text, "a APPEND INBOX");
    for (unsigned i = 0; i < MESSAGES; i++)
        buf_printf(&text, " %s{5+}\r\na: b\n", i % 2 == 1 ? "(\\Deleted) " : "");
    buf_text(&text, "\r\nb SELECT INBOX\r\nc EXPUNGE\r\n");
    session_send(fixture.session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    assert_int_equal(strncmp(answer(fixture.session, "c "), "OK", 2), 0);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    session_close(fixture->session);
    harness_close(&fixture->harness);
    return 0;
}

static void send_repeated(struct session *session, const char *begin, const char *piece,
                          unsigned count, const char *end)
{
    struct buf text = {0};

    buf_text(&text, begin);
    for (unsigned i = 0; i < count; i++)
        buf_text(&text, piece);
    buf_text(&text, end);
    session_send(session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
}

static void a_set_may_run_backwards_through_thousands_of_ranges(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};
    unsigned hits = 0;

    buf_text(&text, "d UID SEARCH RETURN (COUNT) UID ");
    for (unsigned uid = 20001; uid > 1; uid -= 2)
        buf_printf(&text, "%u,", uid);
    buf_text(&text, "7:1,*,4294967295:*\r\n");
    session_send(fixture->session, buf_bytes(&text), buf_length(&text));
    expect(fixture->session, "* ESEARCH (TAG \"d\") UID COUNT 200");
    expect(fixture->session, "d OK UID SEARCH completed");
    buf_release(&text);
    buf_text(&text, "e FETCH ");
    for (unsigned number = MESSAGES / 2; number > 1; number -= 2)
        buf_printf(&text, "%u,%u:%u,", number, number, number - 1);
    buf_text(&text, "* UID\r\n");
    session_send(fixture->session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    for (; hits < MESSAGES / 2; hits++) {
        char line[64];

        snprintf(line, sizeof(line), "* %u FETCH (UID %u)", hits + 1, 2 * hits + 1);
        expect(fixture->session, line);
    }
    expect(fixture->session, "e OK FETCH completed");
}

/* Each key that names all messages of a folder full of gaps would hold thousands of ranges. */
static void a_search_holds_no_more_than_its_text(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[] = {" 1:*", " UID 1:*", " $", " NOT 201:*", " OR 1:* $"};

    session_send_text(fixture->session, "d SEARCH RETURN (SAVE) ALL\r\n");
    answer(fixture->session, "d OK");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        send_repeated(fixture->session, "d SEARCH RETURN (COUNT)", keys[i], 300, "\r\n");
        expect(fixture->session,
               i == 3 ? "* ESEARCH (TAG \"d\") COUNT 199" : "* ESEARCH (TAG \"d\") COUNT 200");
        answer(fixture->session, "d OK");
    }
    send_repeated(fixture->session, "d SEARCH", " 1:*", 1000, "\r\n");
    assert_string_equal(answer(fixture->session, "d "), "BAD Too many search keys");
    session_send_text(fixture->session, "d SEARCH RETURN (COUNT) 2:1 UID 3:1 $\r\n");
    expect(fixture->session, "* ESEARCH (TAG \"d\") COUNT 2");
    answer(fixture->session, "d OK");
}

static void nesting_has_an_end(void **state)
{
    struct fixture *fixture = *state;

    send_repeated(fixture->session, "d SEARCH ", "(", 60000, "\r\n");
    assert_string_equal(answer(fixture->session, "d "), "BAD Search keys are nested too deep");
    send_repeated(fixture->session, "d SEARCH ", "NOT ", 10000, "ALL\r\n");
    assert_string_equal(answer(fixture->session, "d "), "BAD Search keys are nested too deep");
    send_repeated(fixture->session, "d SEARCH ", "OR ALL ", 5000, "ALL\r\n");
    assert_string_equal(answer(fixture->session, "d "), "BAD Search keys are nested too deep");
    send_repeated(fixture->session, "d FETCH 1 BINARY[1", ".1", 30000, "]\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "BAD", 3), 0);
    send_repeated(fixture->session, "d FETCH 1 (UID", " BODY.PEEK[1]<1.1>", 3000, ")\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "OK", 2), 0);
    send_repeated(fixture->session, "d ID (", "(", 60000, "\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "BAD", 3), 0);
}

static void patterns_of_the_greatest_length_are_matched(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};

    send_repeated(fixture->session, "d CREATE ", "a", 255, "\r\n");
    answer(fixture->session, "d OK");
    buf_text(&text, "d LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (Sent");
    for (unsigned i = 1; i < 32; i++) {
        buf_byte(&text, ' ');
        for (unsigned k = 0; k < 511; k++)
            buf_text(&text, "*a");
    }
    buf_text(&text, ") RETURN (STATUS (MESSAGES))\r\n");
    session_send(fixture->session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    expect(fixture->session, "* LIST (\\HasNoChildren \\Sent \\Subscribed) \"/\" Sent");
    expect(fixture->session, "* STATUS Sent (MESSAGES 0)");
    expect(fixture->session, "d OK LIST completed");
    send_repeated(fixture->session, "d LIST \"\" (x", " x", 32, ")\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "NO [LIMIT]", 10), 0);
    send_repeated(fixture->session, "d LSUB \"\" \"", "%*", 511, "\"\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "OK", 2), 0);
}

/* Flags of 500 messages would be held until the last one has come. */
static void flags_of_all_messages_of_an_append_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct buf flags = {0};

    buf_text(&flags, " (k");
    for (unsigned i = 0; i < 8000; i++)
        buf_text(&flags, " k");
    buf_printf(&flags, ") {1+}\r\nx%c", '\0');
    send_repeated(fixture->session, "d APPEND INBOX {1+}\r\nx", (const char *)buf_bytes(&flags), 60,
                  "\r\n");
    answer(fixture->session, "d OK");
    send_repeated(fixture->session, "d APPEND INBOX {1+}\r\nx", (const char *)buf_bytes(&flags), 70,
                  "\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "NO [LIMIT]", 10), 0);
    session_send_text(fixture->session, "e NOOP\r\n");
    answer(fixture->session, "e OK");
    buf_release(&flags);
}

static void known_sets_of_qresync_may_be_anything(void **state)
{
    struct fixture *fixture = *state;
    char select[100];
    const char *line;
    struct buf text = {0};

    session_send_text(fixture->session, "d ENABLE QRESYNC\r\nd EXAMINE INBOX\r\n");
    line = answer(fixture->session, "* OK [UIDVALIDITY ");
    snprintf(select, sizeof(select), "d SELECT INBOX (QRESYNC (%lu 1 ", strtoul(line, NULL, 10));
    answer(fixture->session, "d OK [READ-ONLY");
    buf_text(&text, select);
    for (unsigned uid = 9000; uid > 2; uid -= 2)
        buf_printf(&text, "%u,", uid);
    buf_text(&text, "2:4294967295 (1,3:4294967295 1,3:4294967295)))\r\n");
    session_send(fixture->session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    assert_int_equal(strncmp(answer(fixture->session, "* VANISHED (EARLIER) "), "2,4,6,", 6), 0);
    answer(fixture->session, "d OK");
    session_send_text(fixture->session, select);
    session_send_text(fixture->session, "1:* (1:2 1)))\r\n");
    assert_int_equal(strncmp(answer(fixture->session, "d "), "BAD", 3), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_may_run_backwards_through_thousands_of_ranges),
        TEST(a_search_holds_no_more_than_its_text),
        TEST(nesting_has_an_end),
        TEST(patterns_of_the_greatest_length_are_matched),
        TEST(flags_of_all_messages_of_an_append_have_a_limit),
        TEST(known_sets_of_qresync_may_be_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
