#include "mailbox-backend/pop3/engine.h"
#include "tests/unit/backend/mail.h"

static struct session *begin(struct mail *mail)
{
    struct session *session = session_open(&mail->harness, &pop3_engine, NULL);

    session->room = MAIL_ROOM;
    return session;
}

static void an_empty_maildrop_is_welcomed(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_expect(mail, session, "+OK maildrop has 0 messages (0 octets)\r\n");
    mail_say(session, "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\n");
    mail_expect(mail, session,
                "+OK 0 0\r\n+OK 0 messages (0 octets)\r\n.\r\n+OK unique ids follow\r\n"
                ".\r\n-ERR no such message, maildrop has 0\r\n");
    mail_say(session, "QUIT\r\n");
    mail_expect(mail, session, "+OK bye\r\n");
    assert_true(session->ended);
    session_close(session);
}

static void sizes_count_the_line_end_that_retr_adds(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n.dot\r\nend"));
    mail_deliver(mail, "alice", STR("A: b\r\n\r\nend\r\n"));
    session = begin(mail);
    mail_expect(mail, session, "+OK maildrop has 2 messages (32 octets)\r\n");
    mail_say(session, "LIST\r\n");
    mail_expect(mail, session, "+OK 2 messages (32 octets)\r\n1 19\r\n2 13\r\n.\r\n");
    mail_say(session, "LIST 2\r\nRETR 1\r\n");
    mail_expect(mail, session, "+OK 2 13\r\n+OK 19 octets\r\nA: b\r\n\r\n..dot\r\nend\r\n.\r\n");
    session_close(session);
}

static void top_gives_the_header_and_so_many_lines(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\nC: d\r\n\r\n1\r\n2\n3\r\n"));
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "TOP 1 0\r\n");
    mail_expect(mail, session, "+OK top of message follows\r\nA: b\r\nC: d\r\n\r\n.\r\n");
    mail_say(session, "TOP 1 2\r\n");
    mail_expect(mail, session,
                "+OK top of message follows\r\nA: b\r\nC: d\r\n\r\n1\r\n2\n\r\n.\r\n");
    mail_say(session, "TOP 1 99\r\n");
    mail_expect(mail, session,
                "+OK top of message follows\r\nA: b\r\nC: d\r\n\r\n1\r\n2\n3\r\n.\r\n");
    mail_say(session, "TOP 1\r\nTOP 1 x\r\n");
    mail_expect(mail, session,
                "-ERR wrong number of arguments for TOP\r\n"
                "-ERR the second argument is a number of lines\r\n");
    session_close(session);
}

static void only_marked_messages_go_at_quit(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    for (int i = 0; i < 3; i++)
        mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "DELE 2\r\nDELE 2\r\nRETR 2\r\nSTAT\r\nLIST\r\n");
    mail_expect(mail, session,
                "+OK message marked for deletion\r\n"
                "-ERR message 2 is marked for deletion\r\n"
                "-ERR message 2 is marked for deletion\r\n"
                "+OK 2 16\r\n+OK 2 messages (16 octets)\r\n1 8\r\n3 8\r\n.\r\n");
    mail_deliver(mail, "alice", STR("X: new\r\n\r\n"));
    mail_say(session, "QUIT\r\n");
    mail_expect(mail, session, "+OK 1 messages deleted, bye\r\n");
    session_close(session);
    session = begin(mail);
    mail_expect(mail, session, "+OK maildrop has 3 messages (26 octets)\r\n");
    session_close(session);
}

static void marks_go_with_rset_and_with_the_session(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "DELE 1\r\nRSET\r\nDELE 1\r\n");
    mail_expect(mail, session,
                "+OK message marked for deletion\r\n"
                "+OK maildrop has 1 messages (8 octets)\r\n"
                "+OK message marked for deletion\r\n");
    session_close(session); /* without QUIT */
    session = begin(mail);
    mail_expect(mail, session, "+OK maildrop has 1 messages (8 octets)\r\n");
    session_close(session);
}

static void a_message_expunged_by_others_is_an_error(void **state)
{
    struct mail *mail = *state;
    struct store_mailbox *mailbox;
    struct uidset uids = {0};
    struct store_op op;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    uidset_add(&uids, mail_deliver(mail, "alice", STR("A: b\r\n\r\n")));
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    session = begin(mail);
    mail_hear(mail, session);
    mailbox = mail_mailbox(mail, "alice");
    op = (struct store_op){
        .kind = OP_EXPUNGE, .mailbox = mailbox, .folder = STORE_INBOX_FOLDER, .uids = &uids};
    assert_int_equal(store_run(&op), ERR_NONE);
    mail_say(session, "RETR 1\r\nDELE 1\r\nLIST\r\n");
    mail_expect(mail, session,
                "-ERR message was expunged by another session\r\n"
                "-ERR message was expunged by another session\r\n"
                "+OK 2 messages (16 octets)\r\n2 8\r\n.\r\n");
    session_close(session);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&uids);
    store_mailbox_unref(&mailbox);
}

static void a_second_session_finds_the_maildrop_in_use(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    struct session second = {.harness = &mail->harness, .account = &mail->harness.account};
    Link__Open open = LINK__OPEN__INIT;
    void *second_state;
    struct err err;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    assert_int_equal(pop3_engine.open(&second, &open, &second_state, &err), ERR_EXISTS);
    session_close(session);
    session = begin(mail);
    session_close(session);
}

static void unique_ids_are_stable_and_an_import_may_set_them(void **state)
{
    struct mail *mail = *state;
    struct store_mailbox *mailbox;
    struct session *session;
    struct store_op op;
    char first[200];

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "UIDL 1\r\n");
    snprintf(first, sizeof(first), "%s", mail_hear(mail, session));
    assert_int_equal(strlen(first), strlen("+OK 1 ") + 20 + 2);
    session_close(session);

    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "UIDL 1\r\n");
    mail_expect(mail, session, first);
    mailbox = mail_mailbox(mail, "alice");
    op = (struct store_op){
        .kind = OP_PROPERTY_SET, .mailbox = mailbox, .folder = STORE_INBOX_FOLDER};
    op.in.property.item_id = strtoull(first + strlen("+OK 1 ") + 8, NULL, 16);
    op.in.property.property = (struct store_property){"pop3/uidl", "old-id", 6};
    assert_int_equal(store_run(&op), ERR_NONE);
    mail_say(session, "UIDL\r\n");
    mail_expect(mail, session, "+OK unique ids follow\r\n1 old-id\r\n.\r\n");
    session_close(session);
    store_mailbox_unref(&mailbox);
}

/* A listing longer than the window, and a message that is: both come in pieces, and whole. */
static void long_answers_come_in_pieces(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    struct buf text = {0};
    const char *heard;
    unsigned lines = 0;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    for (int i = 0; i < 300; i++)
        mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    buf_text(&text, "A: b\r\n\r\n");
    for (int i = 0; i < 30000; i++)
        buf_printf(&text, ".%d\r\n", i);
    mail_deliver(mail, "alice", str_n(buf_bytes(&text), buf_length(&text)));
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "UIDL\r\n");
    for (heard = mail_hear(mail, session); (heard = strchr(heard, '\n')) != NULL; heard++)
        lines++;
    assert_int_equal(lines, 303);
    mail_say(session, "RETR 301\r\n");
    heard = strchr(mail_hear(mail, session), '\n') + 1;
    assert_int_equal(strlen(heard), buf_length(&text) + 30000 + strlen(".\r\n"));
    assert_non_null(strstr(heard, "\r\n..29999\r\n.\r\n"));
    session_close(session);
    buf_release(&text);
}

static void bad_lines_are_refused_and_the_session_goes_on(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    struct buf line = {0};

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "FOO\r\n\r\nSTAT 1\r\nRETR\r\nRETR 0\r\nRETR x\r\nretr 99999999999\r\n");
    mail_expect(mail, session,
                "-ERR unknown command\r\n-ERR unknown command\r\n"
                "-ERR wrong number of arguments for STAT\r\n"
                "-ERR wrong number of arguments for RETR\r\n"
                "-ERR no such message, maildrop has 0\r\n"
                "-ERR no such message, maildrop has 0\r\n"
                "-ERR no such message, maildrop has 0\r\n");
    for (int i = 0; i < 1000; i++)
        buf_byte(&line, 'x');
    session_send(session, buf_bytes(&line), buf_length(&line));
    assert_int_equal(buf_length(&session->input), 0); /* nothing is held of it */
    session_send(session, buf_bytes(&line), buf_length(&line));
    mail_say(session, "\r\nNOOP\nno");
    mail_expect(mail, session, "-ERR line too long\r\n+OK still here\r\n");
    mail_say(session, "op\r\n");
    mail_expect(mail, session, "+OK still here\r\n");
    session_close(session);
    buf_release(&line);
}

static void capa_tells_what_there_is(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_hear(mail, session);
    mail_say(session, "CAPA\r\n");
    mail_expect(
        mail, session,
        "+OK capabilities follow\r\nTOP\r\nUIDL\r\nUSER\r\n"
        "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nLANG\r\nUTF8 USER\r\n"
        "IMPLEMENTATION mailbox-backend\r\nSASL PLAIN LOGIN\r\n.\r\n");
    session_close(session);
}

static void a_stop_ends_the_session_without_a_word(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_hear(mail, session);
    session_stop(session);
    assert_true(session->ended);
    mail_expect(mail, session, "");
    session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAIL_TEST(an_empty_maildrop_is_welcomed),
        MAIL_TEST(sizes_count_the_line_end_that_retr_adds),
        MAIL_TEST(top_gives_the_header_and_so_many_lines),
        MAIL_TEST(only_marked_messages_go_at_quit),
        MAIL_TEST(marks_go_with_rset_and_with_the_session),
        MAIL_TEST(a_message_expunged_by_others_is_an_error),
        MAIL_TEST(a_second_session_finds_the_maildrop_in_use),
        MAIL_TEST(unique_ids_are_stable_and_an_import_may_set_them),
        MAIL_TEST(long_answers_come_in_pieces),
        MAIL_TEST(bad_lines_are_refused_and_the_session_goes_on),
        MAIL_TEST(capa_tells_what_there_is),
        MAIL_TEST(a_stop_ends_the_session_without_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
