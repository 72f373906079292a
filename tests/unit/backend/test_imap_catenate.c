/* CATENATE of what dialogues cannot show: large messages, limits and quotas, thousands of parts. */
#include "mailbox-backend/imap4/engine.h"
#include "tests/unit/backend/mail.h"

#define LARGE 600000u
#define PARTS 20000u

static struct session *begin(struct mail *mail, uint64_t quota_bytes)
{
    struct session *session;

    mail_user(mail, "alice@example.org", SERVICE_IMAP4, quota_bytes);
    session = session_open(&mail->harness, &imap4_engine, NULL);
    mail_hear(mail, session);
    return session;
}

static struct str bytes_of(const struct buf *buf)
{
    return str_n(buf_bytes(buf), buf_length(buf));
}

/* A multipart whose one part has size bytes, every 64 of them different. */
static void make_large(struct buf *text, struct buf *part, size_t size)
{
    for (unsigned i = 0; buf_length(part) < size; i++)
        buf_printf(part, "%010u 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJK\r\n", i);
    buf_text(text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    buf_append(text, buf_bytes(part), buf_length(part));
    buf_text(text, "\r\n--b--\r\n");
}

static void a_large_part_is_copied_by_a_worker(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 0);
    struct buf text = {0};
    struct buf part = {0};
    const char *heard;

    make_large(&text, &part, LARGE);
    mail_deliver(mail, "alice@example.org", bytes_of(&text));
    mail_say(session, "a APPEND INBOX CATENATE (TEXT {6+}\r\na: b\r\n TEXT {2+}\r\n\r\n"
                      " URL \"/INBOX/;UID=1/;SECTION=1\")\r\n");
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "a OK [APPENDUID "));
    assert_true(session->worked);
    mail_say(session, "s EXAMINE INBOX\r\n");
    mail_hear(mail, session);
    session->room = SIZE_MAX;
    mail_say(session, "f UID FETCH 2 BODY.PEEK[TEXT]\r\n");
    heard = strchr(mail_hear(mail, session), '\n');
    assert_non_null(heard);
    assert_memory_equal(heard + 1, buf_bytes(&part), buf_length(&part));
    assert_int_equal(strncmp(heard + 1 + buf_length(&part), ")\r\nf OK", 7), 0);
    session_close(session);
    buf_release(&text);
    buf_release(&part);
}

/* Its limit is 1 MB: two halves fit, a third one does not, however it comes. */
static void what_would_be_too_large_is_refused_before_it_is_copied(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 0);
    struct buf text = {0};
    struct buf part = {0};

    make_large(&text, &part, 520000);
    mail_deliver(mail, "alice@example.org", bytes_of(&text));
    mail_say(session, "a APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" URL \"/INBOX/;UID=1\")\r\n");
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "a OK [APPENDUID "));
    mail_say(session, "b APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" URL \"/INBOX/;UID=1\" URL "
                      "\"/INBOX/;UID=1\")\r\n");
    mail_expect(mail, session, "b NO [TOOBIG] The message is larger than this server takes\r\n");
    mail_say(session, "c APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" TEXT {530000}\r\n");
    mail_expect(mail, session, "c NO [TOOBIG] The message is larger than this server takes\r\n");
    mail_say(session, "d APPEND INBOX CATENATE (TEXT {18446744073709551615}\r\n");
    mail_hear(mail, session);
    mail_say(session, "e STATUS INBOX (MESSAGES)\r\n");
    mail_expect(mail, session, "* STATUS INBOX (MESSAGES 2)\r\ne OK STATUS completed\r\n");
    session_close(session);
    buf_release(&text);
    buf_release(&part);
}

static void what_is_over_the_quota_is_refused_before_it_is_copied(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 1000000);
    struct buf text = {0};
    struct buf part = {0};

    make_large(&text, &part, 300000);
    mail_deliver(mail, "alice@example.org", bytes_of(&text));
    mail_say(session, "a APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" URL \"/INBOX/;UID=1\") "
                      "CATENATE (URL \"/INBOX/;UID=1/;PARTIAL=0.100000\")\r\n");
    mail_expect(mail, session, "a NO [OVERQUOTA] The mailbox is over its quota\r\n");
    mail_say(session, "b APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\") "
                      "CATENATE (URL \"/INBOX/;UID=1/;PARTIAL=0.100000\")\r\n");
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "b OK [APPENDUID "));
    session_close(session);
    buf_release(&text);
    buf_release(&part);
}

static void thousands_of_parts_are_taken_one_after_the_other(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 0);
    struct buf text = {0};

    buf_text(&text, "a APPEND INBOX CATENATE (TEXT {6+}\r\na: b\r\n");
    for (unsigned i = 0; i < PARTS; i++)
        buf_text(&text, " TEXT {1+}\r\nx");
    buf_text(&text, ")\r\n");
    session_send(session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "a OK [APPENDUID "));
    buf_text(&text, "b APPEND INBOX CATENATE (URL /INBOX/;UID=1");
    for (unsigned i = 0; i < 2000; i++)
        buf_text(&text, " URL /INBOX/;UID=1/;PARTIAL=6.9");
    buf_text(&text, ")\r\n");
    session_send(session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "b OK [APPENDUID "));
    mail_say(session, "c EXAMINE INBOX\r\n");
    mail_hear(mail, session);
    mail_say(session, "d FETCH 1:2 RFC822.SIZE\r\n");
    mail_expect(mail, session,
                "* 1 FETCH (RFC822.SIZE 20006)\r\n* 2 FETCH (RFC822.SIZE 38006)\r\n"
                "d OK FETCH completed\r\n");
    session_close(session);
}

/* What stands between the literals is held until the command ends. */
static void what_stands_between_literals_has_a_limit(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 0);
    struct buf text = {0};

    mail_deliver(mail, "alice@example.org", STR("a: b\r\n"));
    buf_text(&text, "a APPEND INBOX CATENATE (TEXT {6+}\r\na: b\r\n");
    for (unsigned i = 0; i < 200; i++) {
        buf_text(&text, " URL {8013+}\r\n");
        for (unsigned j = 0; j < 4000; j++)
            buf_text(&text, "/.");
        buf_text(&text, "/INBOX/;UID=1");
    }
    buf_text(&text, ")\r\nb NOOP\r\n");
    session_send(session, buf_bytes(&text), buf_length(&text));
    buf_release(&text);
    assert_true(str_starts_nocase(str_of(mail_hear(mail, session)), "a NO [LIMIT] "));
    session_close(session);
}

/* It goes away while its content is being read, with a session or without. */
static void a_session_may_end_in_the_middle_of_a_copy(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail, 0);
    struct buf text = {0};
    struct buf part = {0};

    make_large(&text, &part, LARGE);
    mail_deliver(mail, "alice@example.org", bytes_of(&text));
    buf_text(&session->input, "a APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\")\r\n");
    assert_int_equal(session->engine->advance(session, session->state, WHY_INPUT), STEP_WORK);
    session_close(session);
    buf_release(&text);
    buf_release(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAIL_TEST(a_large_part_is_copied_by_a_worker),
        MAIL_TEST(what_would_be_too_large_is_refused_before_it_is_copied),
        MAIL_TEST(what_is_over_the_quota_is_refused_before_it_is_copied),
        MAIL_TEST(thousands_of_parts_are_taken_one_after_the_other),
        MAIL_TEST(what_stands_between_literals_has_a_limit),
        MAIL_TEST(a_session_may_end_in_the_middle_of_a_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
