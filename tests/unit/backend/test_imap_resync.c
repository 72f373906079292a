/* SELECT (QRESYNC …) with what a client knows of numbers and uids (RFC 7162 section 3.2.5.2). */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

#define MESSAGES 12

static unsigned uid_validity;

/* Sends a command and gives the line of its answer that begins so, or "". */
static void ask(struct session *session, const char *begin, char found[256], const char *command)
{
    const char *line;

    session_send_text(session, command);
    found[0] = '\0';
    while ((line = session_take_line(session)) != NULL && strncmp(line, "t ", 2) != 0) {
        const char *validity = strstr(line, "[UIDVALIDITY ");

        if (validity != NULL)
            uid_validity = (unsigned)strtoul(validity + 13, NULL, 10);
        if (strncmp(line, begin, strlen(begin)) == 0)
            snprintf(found, 256, "%s", line);
    }
    assert_non_null(line);
    assert_int_equal(strncmp(line, "t OK", 4), 0);
}

/* Of the uids 1 to 12 there remain 1, 3, 4, 6, 7, 8, 9, 11 and 12. */
static struct session *begin(struct harness *harness)
{
    struct session *session;
    char line[256];

    harness_open(harness);
    session = session_open(harness, &imap4_engine, NULL);
    while (session_take_line(session) != NULL)
        continue;
    for (unsigned i = 0; i < MESSAGES; i++)
        ask(session, "t", line, "t APPEND INBOX {5+}\r\na\r\n\r\n\r\n");
    ask(session, "*", line, "t ENABLE QRESYNC\r\n");
    ask(session, "*", line, "t SELECT INBOX\r\n");
    ask(session, "*", line, "t UID STORE 2,5,10 +FLAGS.SILENT (\\Deleted)\r\n");
    ask(session, "* VANISHED", line, "t EXPUNGE\r\n");
    assert_string_equal(line, "* VANISHED 2,5,10");
    return session;
}

static void vanished_is(struct session *session, const char *known, const char *expected)
{
    char command[256];
    char line[256];

    snprintf(command, sizeof(command), "t SELECT INBOX (QRESYNC (%u 1%s))\r\n", uid_validity,
             known);
    ask(session, "* VANISHED", line, command);
    assert_string_equal(line, expected);
}

static void what_vanished_is_told_of_known_uids_only(void **state)
{
    struct harness harness;
    struct session *session = begin(&harness);

    (void)state;
    vanished_is(session, "", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " 1:12", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " 12:3", "* VANISHED (EARLIER) 5,10");
    vanished_is(session, " 1:4294967295", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " 1,3,4", "");
    session_close(session);
    harness_close(&harness);
}

static void nothing_is_told_below_a_number_that_the_client_is_right_about(void **state)
{
    struct harness harness;
    struct session *session = begin(&harness);

    (void)state;
    vanished_is(session, " (1 1)", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " (2 3)", "* VANISHED (EARLIER) 5,10");
    vanished_is(session, " (1,2,3 1,2,3)", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " (2:3 3:4)", "* VANISHED (EARLIER) 5,10");
    vanished_is(session, " 1:12 (2,4:6 3,6:8)", "* VANISHED (EARLIER) 10");
    vanished_is(session, " 1:12 (1:4294967295 1:4294967295)", "* VANISHED (EARLIER) 2,5,10");
    vanished_is(session, " 1:12 (2:100 3:101)", "* VANISHED (EARLIER) 5,10");
    vanished_is(session, " 1:12 (9 12)", "");
    vanished_is(session, " 1:12 (9,10 12,13)", "");
    vanished_is(session, " 1:12 (10 12)", "* VANISHED (EARLIER) 2,5,10");
    session_close(session);
    harness_close(&harness);
}

static void another_uid_validity_means_that_nothing_is_told(void **state)
{
    struct harness harness;
    struct session *session = begin(&harness);

    (void)state;
    uid_validity++;
    vanished_is(session, "", "");
    session_close(session);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_vanished_is_told_of_known_uids_only),
        cmocka_unit_test(nothing_is_told_below_a_number_that_the_client_is_right_about),
        cmocka_unit_test(another_uid_validity_means_that_nothing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
