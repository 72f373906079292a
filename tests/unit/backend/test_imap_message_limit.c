/* MESSAGELIMIT and SAVELIMIT (RFC 9738), with limits so low that few messages show them. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

struct fixture {
    struct harness harness;
    struct session *session;
    const char *greeting;
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

static void say(struct fixture *fixture, const char *text)
{
    session_send_text(fixture->session, text);
    session_send_text(fixture->session, "\r\n");
}

/* Five messages in INBOX, uids 1 to 5. */
static void begin(struct fixture *fixture, uint64_t message_limit, uint64_t save_limit)
{
    fixture->harness.settings.imap4be.message_limit = message_limit;
    fixture->harness.settings.imap4be.save_limit = save_limit;
    fixture->session = session_open(&fixture->harness, &imap4_engine, NULL);
    fixture->greeting = session_take_line(fixture->session);
    assert_non_null(fixture->greeting);
}

static void fill(struct fixture *fixture)
{
    for (unsigned i = 0; i < 5; i++) {
        say(fixture, "a APPEND INBOX {5+}\r\na\r\n\r\n");
        skip_to(fixture->session, "a OK");
    }
    say(fixture, "s SELECT INBOX");
    skip_to(fixture->session, "s OK");
}

static int setup(void **state)
{
    static struct fixture fixture;

    harness_open(&fixture.harness);
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

static void only_what_is_set_is_advertised(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 0);
    assert_null(strstr(fixture->greeting, "LIMIT="));
    session_close(fixture->session);
    begin(fixture, 0, 7);
    assert_non_null(strstr(fixture->greeting, " SAVELIMIT=7 "));
    assert_null(strstr(fixture->greeting, "MESSAGELIMIT="));
    session_close(fixture->session);
    begin(fixture, 3, 7);
    assert_non_null(strstr(fixture->greeting, " MESSAGELIMIT=3 "));
    assert_null(strstr(fixture->greeting, "SAVELIMIT="));
}

static void the_newest_messages_are_fetched(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 3, 0);
    fill(fixture);
    say(fixture, "b FETCH 1:* UID");
    expect(fixture->session, "* 3 FETCH (UID 3)");
    expect(fixture->session, "* 4 FETCH (UID 4)");
    expect(fixture->session, "* 5 FETCH (UID 5)");
    expect(fixture->session, "b OK [MESSAGELIMIT 3 3] FETCH completed");
    say(fixture, "c UID FETCH 1:2,5 UID");
    skip_to(fixture->session, "c OK UID FETCH completed");
    say(fixture, "d UID FETCH 1:* (UID) (PARTIAL -1:-4)");
    expect(fixture->session, "d NO [MESSAGELIMIT 3] There are too many messages for one command");
    say(fixture, "e UID FETCH 1:* (UID) (PARTIAL 2:4)");
    expect(fixture->session, "* 2 FETCH (UID 2)");
    skip_to(fixture->session, "e OK UID FETCH completed");
}

static void the_newest_messages_are_searched_and_saved(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 3, 0);
    fill(fixture);
    say(fixture, "b UID SEARCH UNDELETED");
    expect(fixture->session, "* SEARCH 3 4 5");
    expect(fixture->session, "b OK [MESSAGELIMIT 3 3] UID SEARCH completed");
    say(fixture, "c UID SEARCH RETURN (SAVE COUNT) NOT UID 5");
    expect(fixture->session, "* ESEARCH (TAG \"c\") UID COUNT 2");
    expect(fixture->session, "c OK [MESSAGELIMIT 3 3] UID SEARCH completed");
    say(fixture, "d UID SEARCH UID $");
    expect(fixture->session, "* SEARCH 3 4");
    expect(fixture->session, "d OK UID SEARCH completed");
    say(fixture, "e UID SEARCH UIDBEFORE 3");
    expect(fixture->session, "* SEARCH 1 2");
    expect(fixture->session, "e OK UID SEARCH completed");
    say(fixture, "f THREAD REFS UTF-8 ALL");
    expect(fixture->session, "f NO [MESSAGELIMIT 3] There are too many messages for one command");
    say(fixture, "g UID SORT (ARRIVAL) UTF-8 ALL");
    expect(fixture->session, "* SORT 1 2 3 4 5");
    expect(fixture->session, "g OK UID SORT completed");
}

static void uids_on_one_side_of_a_uid_are_found(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 0);
    fill(fixture);
    say(fixture, "b SEARCH UIDAFTER 3");
    expect(fixture->session, "* SEARCH 4 5");
    expect(fixture->session, "b OK SEARCH completed");
    say(fixture, "c UID SEARCH UIDBEFORE 4 NOT UIDBEFORE 3");
    expect(fixture->session, "* SEARCH 3");
    expect(fixture->session, "c OK UID SEARCH completed");
    say(fixture, "d UID SEARCH OR UIDBEFORE 1 UIDAFTER 4294967295");
    expect(fixture->session, "* SEARCH");
    expect(fixture->session, "d OK UID SEARCH completed");
    say(fixture, "e UID SEARCH UIDAFTER 5"); /* not "6:*", which has the last one always */
    expect(fixture->session, "* SEARCH");
    expect(fixture->session, "e OK UID SEARCH completed");
    say(fixture, "f UID SEARCH UIDAFTER 0");
    skip_to(fixture->session, "f BAD ");
}

static void the_newest_messages_are_changed(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 3, 0);
    fill(fixture);
    say(fixture, "b UID STORE 1:5 +FLAGS.SILENT (\\Seen)");
    expect(fixture->session, "b OK [MESSAGELIMIT 3 3] UID STORE completed");
    say(fixture, "c UID SEARCH UNSEEN UID 1:3");
    expect(fixture->session, "* SEARCH 1 2");
    expect(fixture->session, "c OK UID SEARCH completed");
    /* MODIFIED takes the tagged line. */
    say(fixture, "d UID STORE 1:5 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Flagged)");
    skip_to(fixture->session, "* NO [MESSAGELIMIT 3 3] Only the newest messages were worked on");
    expect(fixture->session, "d OK [MODIFIED 3:5] Some were changed meanwhile");
}

static void the_newest_messages_are_moved_and_none_is_copied(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 3, 0);
    fill(fixture);
    say(fixture, "b UID COPY 1:5 Archive");
    expect(fixture->session, "b NO [MESSAGELIMIT 3 3] There are too many messages for one command");
    say(fixture, "c STATUS Archive (MESSAGES)");
    expect(fixture->session, "* STATUS Archive (MESSAGES 0)");
    expect(fixture->session, "c OK STATUS completed");
    say(fixture, "d UID MOVE 1:5 Archive");
    skip_to(fixture->session, "* 3 EXPUNGE");
    expect(fixture->session, "d OK [MESSAGELIMIT 3 3] UID MOVE completed");
    say(fixture, "e UID MOVE 1:5 Archive");
    skip_to(fixture->session, "e OK UID MOVE completed");
}

static void uid_expunge_counts_deleted_messages_and_expunge_none(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 2, 0);
    fill(fixture);
    say(fixture, "b UID STORE 2,4 +FLAGS.SILENT (\\Deleted)");
    expect(fixture->session, "b OK UID STORE completed");
    say(fixture, "c UID EXPUNGE 1:5");
    expect(fixture->session, "* 4 EXPUNGE");
    expect(fixture->session, "* 2 EXPUNGE");
    expect(fixture->session, "c OK UID EXPUNGE completed");
    say(fixture, "d UID STORE 3,5 +FLAGS.SILENT (\\Deleted)");
    expect(fixture->session, "d OK UID STORE completed");
    say(fixture, "e UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    expect(fixture->session, "e OK UID STORE completed");
    say(fixture, "f UID EXPUNGE 1:5");
    expect(fixture->session, "* 3 EXPUNGE");
    expect(fixture->session, "* 2 EXPUNGE");
    expect(fixture->session, "f OK [MESSAGELIMIT 2 3] UID EXPUNGE completed");
    say(fixture, "g UID EXPUNGE 1:5");
    expect(fixture->session, "* 1 EXPUNGE");
    expect(fixture->session, "g OK UID EXPUNGE completed");
}

static void expunge_has_no_limit(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 2, 0);
    fill(fixture);
    fixture->harness.settings.imap4be.message_limit = 0;
    say(fixture, "b STORE 1:* +FLAGS.SILENT (\\Deleted)");
    expect(fixture->session, "b OK STORE completed");
    fixture->harness.settings.imap4be.message_limit = 2;
    say(fixture, "c EXPUNGE");
    skip_to(fixture->session, "* 1 EXPUNGE");
    expect(fixture->session, "c OK EXPUNGE completed");
}

/* HIGHESTMODSEQ stays where RFC 7162 section 3.2.7 has it; a message that has gone comes before both. */
static void a_tagged_line_with_a_code_leaves_the_limit_to_another(void **state)
{
    struct fixture *fixture = *state;
    struct session *other;

    begin(fixture, 3, 0);
    fill(fixture);
    other = session_open(&fixture->harness, &imap4_engine, NULL);
    session_send_text(other, "o SELECT INBOX\r\no UID STORE 4 +FLAGS (\\Deleted)\r\no EXPUNGE\r\n");
    skip_to(other, "* 4 EXPUNGE");
    say(fixture, "b FETCH 1:* UID");
    skip_to(fixture->session, "* NO [MESSAGELIMIT 3 3] ");
    skip_to(fixture->session, "b NO [EXPUNGEISSUED] ");
    session_close(other);
    say(fixture, "c ENABLE QRESYNC");
    skip_to(fixture->session, "c OK");
    fixture->harness.settings.imap4be.message_limit = 2;
    say(fixture, "d UID MOVE 1:5 Archive");
    skip_to(fixture->session, "* VANISHED 3,5");
    skip_to(fixture->session, "* NO [MESSAGELIMIT 2 3] ");
    skip_to(fixture->session, "d OK [HIGHESTMODSEQ ");
}

static void an_append_of_too_many_messages_leaves_none(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 2);
    say(fixture, "a APPEND INBOX {5+}\r\na\r\n\r\n {5+}\r\na\r\n\r\n {5+}\r\na\r\n\r\n");
    skip_to(fixture->session, "a NO [MESSAGELIMIT 2] ");
    say(fixture, "b STATUS INBOX (MESSAGES)");
    expect(fixture->session, "* STATUS INBOX (MESSAGES 0)");
    skip_to(fixture->session, "b OK");
    fill(fixture);
    say(fixture, "c COPY 1:3 Archive");
    expect(fixture->session, "c NO [MESSAGELIMIT 2 2] There are too many messages for one command");
    say(fixture, "d SEARCH ALL");
    expect(fixture->session, "* SEARCH 1 2 3 4 5");
    expect(fixture->session, "d OK SEARCH completed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_set_is_advertised, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_messages_are_fetched, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_messages_are_searched_and_saved, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(uids_on_one_side_of_a_uid_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_messages_are_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_messages_are_moved_and_none_is_copied, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(uid_expunge_counts_deleted_messages_and_expunge_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(expunge_has_no_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tagged_line_with_a_code_leaves_the_limit_to_another,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_append_of_too_many_messages_leaves_none, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
