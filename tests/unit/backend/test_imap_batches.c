/* UIDBATCHES (RFC 10022). */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

struct fixture {
    struct harness harness;
    struct session *session;
};

static void expect(struct session *session, const char *expected)
{
    const char *line = session_take_line(session);

    assert_non_null(line);
    assert_string_equal(line, expected);
}

static void skip_to(struct session *session, const char *beginning)
{
    const char *line;

    do {
        line = session_take_line(session);
        assert_non_null(line);
    } while (strncmp(line, beginning, strlen(beginning)) != 0);
}

static void say(struct session *session, const char *text)
{
    session_send_text(session, text);
    session_send_text(session, "\r\n");
}

static void append(struct session *session, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        say(session, "a APPEND INBOX {5+}\r\na\r\n\r\n");
        skip_to(session, "a OK");
    }
}

/* 1,600 messages from 1,700, without 1,001 to 1,100. */
static void fill(struct session *session)
{
    append(session, 1);
    for (unsigned i = 0; i < 10; i++) { /* 1,024 */
        say(session, "b SELECT INBOX\r\nc COPY 1:* INBOX");
        skip_to(session, "c OK");
    }
    say(session,
        "d UID COPY 1:676 INBOX\r\ne UID STORE 1001:1100 +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE");
    skip_to(session, "f OK");
}

static int setup(void **state)
{
    static struct fixture fixture;

    harness_open(&fixture.harness);
    fixture.session = session_open(&fixture.harness, &imap4_engine, NULL);
    session_take_line(fixture.session);
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

static void batches_have_as_many_messages_as_asked_for(void **state)
{
    struct session *session = ((struct fixture *)*state)->session;

    fill(session);
    say(session, "a1 UIDBATCHES 500");
    expect(session, "* UIDBATCHES (TAG \"a1\") 1700:1201,1200:601,600:101,100:1");
    expect(session, "a1 OK UIDBATCHES completed");
    say(session, "a2 UIDBATCHES 600"); /* the first ends where a range of the folder does */
    expect(session, "* UIDBATCHES (TAG \"a2\") 1700:1101,1100:401,400:1");
    expect(session, "a2 OK UIDBATCHES completed");
    say(session, "a3 UIDBATCHES 800"); /* none is left over */
    expect(session, "* UIDBATCHES (TAG \"a3\") 1700:801,800:1");
    expect(session, "a3 OK UIDBATCHES completed");
    say(session, "a4 uidbatches 4294967295");
    expect(session, "* UIDBATCHES (TAG \"a4\") 1700:1");
    expect(session, "a4 OK UIDBATCHES completed");
    say(session, "a5 UIDBATCHES 1600");
    expect(session, "* UIDBATCHES (TAG \"a5\") 1700:1");
    expect(session, "a5 OK UIDBATCHES completed");
}

static void only_the_batches_asked_for_are_told(void **state)
{
    struct session *session = ((struct fixture *)*state)->session;

    fill(session);
    say(session, "a1 UIDBATCHES 500 2:3");
    expect(session, "* UIDBATCHES (TAG \"a1\") 1200:601,600:101");
    expect(session, "a1 OK UIDBATCHES completed");
    say(session, "a2 UIDBATCHES 500 4:4294967295");
    expect(session, "* UIDBATCHES (TAG \"a2\") 100:1");
    expect(session, "a2 OK UIDBATCHES completed");
    say(session, "a3 UIDBATCHES 500 5:6");
    expect(session, "* UIDBATCHES (TAG \"a3\")");
    expect(session, "a3 OK UIDBATCHES completed");
}

static void a_session_without_message_numbers_has_batches(void **state)
{
    struct session *session = ((struct fixture *)*state)->session;

    fill(session);
    say(session, "a ENABLE UIDONLY\r\nb SELECT INBOX\r\nc UID SEARCH RETURN (SAVE) UID 7\r\nd "
                 "UIDBATCHES 700");
    skip_to(session, "* UIDBATCHES (TAG \"d\") 1700:901,900:201,200:1");
    expect(session, "d OK UIDBATCHES completed");
    say(session, "e UID SEARCH UID $"); /* section 3.4 */
    expect(session, "* SEARCH 7");
    skip_to(session, "e OK");
}

static void an_empty_folder_has_none(void **state)
{
    struct session *session = ((struct fixture *)*state)->session;

    say(session, "a UIDBATCHES 500");
    expect(session, "a BAD No mailbox is selected");
    say(session, "b SELECT INBOX\r\nc UIDBATCHES 500");
    skip_to(session, "b OK");
    expect(session, "* UIDBATCHES (TAG \"c\")");
    expect(session, "c OK UIDBATCHES completed");
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct session *session = ((struct fixture *)*state)->session;

    say(session, "a SELECT INBOX");
    skip_to(session, "a OK");
    say(session, "b UIDBATCHES 499");
    expect(session, "b NO [TOOFEW] A batch has at least 500 messages");
    say(session, "c UIDBATCHES 500 4:1");
    expect(session, "c BAD [CLIENTBUG] The batches run from the lower number to the higher");
    say(session, "d UIDBATCHES 500 4\r\ne UIDBATCHES\r\nf UIDBATCHES 0\r\ng UIDBATCHES 500 0:1\r\n"
                 "h UIDBATCHES 500 1:*\r\ni UIDBATCHES 500 1:2 3");
    skip_to(session, "d BAD ");
    skip_to(session, "e BAD ");
    skip_to(session, "f BAD ");
    skip_to(session, "g BAD ");
    skip_to(session, "h BAD ");
    skip_to(session, "i BAD ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(batches_have_as_many_messages_as_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_the_batches_asked_for_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_without_message_numbers_has_batches, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_empty_folder_has_none, setup, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
