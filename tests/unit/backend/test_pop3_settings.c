/* What settings, of the site and of the user, make of a POP3 session; and UTF8 (RFC 6856). */
#include "mailbox-backend/pop3/engine.h"
#include "tests/unit/backend/mail.h"

static struct session *begin(struct mail *mail, bool utf8)
{
    Link__Open open = LINK__OPEN__INIT;
    struct session *session;

    open.utf8 = utf8;
    session = session_open(&mail->harness, &pop3_engine, &open);
    session->room = MAIL_ROOM;
    return session;
}

static void set(struct mail *mail, const struct account_change *change)
{
    struct directory *directory = mail->harness.backend.directory;
    struct err err;

    if (account_set(directory, STR("alice"), change, false, &err) != ERR_NONE)
        fail_msg("account_set: %s", err.text);
    assert_int_equal(
        directory_find(directory, STR("alice"), &mail->arena, &mail->harness.account, &err),
        ERR_NONE);
}

static enum err_code refused(struct mail *mail, Link__Refused__Code *code)
{
    struct session session = {.harness = &mail->harness, .account = &mail->harness.account};
    Link__Open open = LINK__OPEN__INIT;
    void *state;
    struct err err;
    enum err_code result = pop3_engine.open(&session, &open, &state, &err);

    *code = session.refusal;
    return result;
}

static void the_newest_message_may_come_first(void **state)
{
    static const char listing[] =
        "+OK 3 messages (27 octets)\r\n1 10\r\n2 9\r\n3 8\r\n.\r\n+OK 1 10\r\n"
        "+OK 8 octets\r\nA: b\r\n\r\n.\r\n";
    const bool newest_first = true;
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    mail_deliver(mail, "alice", STR("A: bc\r\n\r\n"));
    mail_deliver(mail, "alice", STR("A: bcd\r\n\r\n"));
    mail->harness.settings.pop3be.order = POP3_NEWEST_FIRST;
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "LIST\r\nLIST 1\r\nRETR 3\r\n");
    mail_expect(mail, session, listing);
    session_close(session);

    mail->harness.settings.pop3be.order = POP3_OLDEST_FIRST;
    set(mail, &(struct account_change){.pop3_newest_first = &newest_first});
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "LIST\r\nLIST 1\r\nRETR 3\r\nDELE 1\r\nQUIT\r\n");
    assert_memory_equal(mail_hear(mail, session), listing, sizeof(listing) - 1);
    session_close(session);

    set(mail, &(struct account_change){.pop3_order_default = true});
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "LIST\r\n"); /* the newest has gone */
    mail_expect(mail, session, "+OK 2 messages (17 octets)\r\n1 8\r\n2 9\r\n.\r\n");
    session_close(session);
}

/* Gaps, marks and more messages than a slice, in pieces of output. */
static void a_long_listing_is_in_the_order_of_the_numbers(void **state)
{
    struct mail *mail = *state;
    struct store_mailbox *mailbox;
    struct uidset uids = {0};
    struct store_op op;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    for (unsigned i = 1; i <= 500; i++) {
        uint32_t uid = mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));

        if (i % 7 < 2)
            uidset_add(&uids, uid);
    }
    mailbox = mail_mailbox(mail, "alice");
    op = (struct store_op){
        .kind = OP_EXPUNGE, .mailbox = mailbox, .folder = STORE_INBOX_FOLDER, .uids = &uids};
    assert_int_equal(store_run(&op), ERR_NONE);
    for (int order = POP3_OLDEST_FIRST; order <= POP3_NEWEST_FIRST; order++) {
        struct session *session;
        unsigned number = 0;
        const char *at;

        mail->harness.settings.pop3be.order = order;
        session = begin(mail, false);
        session->room = 100;
        mail_hear(mail, session);
        mail_say(session, "DELE 2\r\n");
        mail_hear(mail, session);
        mail_say(session, "LIST\r\n");
        at = strchr(mail_hear(mail, session), '\n') + 1;
        for (; *at != '.'; at = strchr(at, '\n') + 1) {
            number += number == 1 ? 2 : 1;
            assert_int_equal(strtoul(at, NULL, 10), number);
        }
        assert_int_equal(number, 500 - uidset_size(&uids));
        session_close(session);
    }
    uidset_release(&op.out.expunge.removed);
    uidset_release(&uids);
    store_mailbox_unref(&mailbox);
}

static void another_folder_may_be_shown(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    Link__Refused__Code code;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n"));
    set(mail, &(struct account_change){.pop3_folder = "Junk"});
    session = begin(mail, false);
    mail_expect(mail, session, "+OK maildrop has 0 messages (0 octets)\r\n");
    session_close(session);

    set(mail, &(struct account_change){.pop3_folder = ""});
    session = begin(mail, false);
    mail_expect(mail, session, "+OK maildrop has 1 messages (8 octets)\r\n");
    session_close(session);

    mail->harness.settings.pop3be.folder = (char *)(uintptr_t) "No/Such";
    assert_int_equal(refused(mail, &code), ERR_DENIED);
    assert_int_equal(code, LINK__REFUSED__CODE__CODE_UNSET);
}

static void a_user_who_comes_back_too_soon_has_to_wait(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    Link__Refused__Code code;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail->harness.settings.pop3be.login_delay = 3600;
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "CAPA\r\n");
    assert_non_null(strstr(mail_hear(mail, session), "\r\nLOGIN-DELAY 3600\r\n"));
    session_close(session);
    assert_int_equal(refused(mail, &code), ERR_LIMIT);
    assert_int_equal(code, LINK__REFUSED__CODE__LOGIN_DELAY);
    mail->harness.settings.pop3be.login_delay = 0;
    session = begin(mail, false);
    session_close(session);
}

/* ---- UTF8 ---- */

#define SUBJECT "Subject: caf\xc3\xa9\r\n"
#define REST "X-A: b\r\n\r\n.\xc3\xa9\r\nend\r\n"

static void utf8_gets_messages_as_they_are(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR(SUBJECT REST));
    session = begin(mail, true);
    mail_hear(mail, session);
    mail_say(session, "RETR 1\r\n");
    mail_expect(mail, session,
                "+OK 36 octets\r\n" SUBJECT "X-A: b\r\n\r\n..\xc3\xa9\r\nend\r\n.\r\n");
    session_close(session);
    mail->harness.settings.pop3be.utf8_headers = POP3_UTF8_AS_IS;
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "TOP 1 0\r\n");
    mail_expect(mail, session, "+OK top of message follows\r\n" SUBJECT "X-A: b\r\n\r\n.\r\n");
    session_close(session);
}

static void others_get_the_header_in_ascii(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("X-Gone: \xc3\xa9\r\n a\r\n" SUBJECT REST));
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "RETR 1\r\nTOP 1 1\r\n");
    mail_expect(mail, session,
                "+OK message follows, its headers in ASCII for want of UTF8\r\n"
                "Subject: =?utf-8?B?Y2Fmw6k=?=\r\nX-A: b\r\n\r\n..\xc3\xa9\r\nend\r\n.\r\n"
                "+OK top of message follows\r\n"
                "Subject: =?utf-8?B?Y2Fmw6k=?=\r\nX-A: b\r\n\r\n..\xc3\xa9\r\n.\r\n");
    session_close(session);
}

/* Headers of parts and of a message inside are converted as well, in pieces of any size; bodies are not. */
static void headers_of_parts_are_in_ascii_too(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice",
                 STR(SUBJECT
                     "Content-Type: multipart/mixed; boundary=b\r\n\r\n\xc3\xa9: preamble\r\n"
                     "--b\r\nContent-Type: text/plain; name=\"\xc3\xa9.txt\"\r\n\r\n"
                     "Subject: \xc3\xa9\r\n--b\r\nContent-Type: message/global\r\n\r\n"
                     "X-Gone: \xc3\xa9\r\nSubject: \xc3\xa9\r\n\r\n\xc3\xa9\r\n"
                     "--b\r\nX-Raw: \xff\r\n\r\n--b--\r\n\xc3\xa9"));
    session = begin(mail, false);
    mail_hear(mail, session);
    for (session->room = 1; session->room < 20; session->room++) {
        mail_say(session, "RETR 1\r\n");
        mail_expect(mail, session,
                    "+OK message follows, its headers in ASCII for want of UTF8\r\n"
                    "Subject: =?utf-8?B?Y2Fmw6k=?=\r\n"
                    "Content-Type: multipart/mixed; boundary=b\r\n\r\n\xc3\xa9: preamble\r\n"
                    "--b\r\nContent-Type: text/plain; name=\"?.txt\"\r\n\r\n"
                    "Subject: \xc3\xa9\r\n--b\r\nContent-Type: message/global\r\n\r\n"
                    "Subject: =?utf-8?B?w6k=?=\r\n\r\n\xc3\xa9\r\n"
                    "--b\r\nX-Raw: ?\r\n\r\n--b--\r\n\xc3\xa9\r\n.\r\n");
    }
    session_close(session);
}

static void or_they_are_told_what_they_lack(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR(SUBJECT REST));
    mail->harness.settings.pop3be.utf8_headers = POP3_UTF8_REFUSE;
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "RETR 1\r\nTOP 1 0\r\nNOOP\r\n");
    mail_expect(mail, session,
                "-ERR [UTF8] this message is for clients that say UTF8 before they log in\r\n"
                "-ERR [UTF8] this message is for clients that say UTF8 before they log in\r\n"
                "+OK still here\r\n");
    session_close(session);
}

/* Neither ASCII headers nor raw bytes of other charsets are internationalized messages. */
static void what_is_no_utf8_passes_as_it_is(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_deliver(mail, "alice", STR("Subject: caf\xe9\r\n\r\nx\r\n"));
    mail_deliver(mail, "alice", STR("Subject: \xc3\r\n\r\nx\r\n"));
    mail_deliver(mail, "alice", STR("A: b\r\n\r\n\xc3\xa9\r\n"));
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "RETR 1\r\nRETR 2\r\nRETR 3\r\n");
    mail_expect(mail, session,
                "+OK 20 octets\r\nSubject: caf\xe9\r\n\r\nx\r\n.\r\n"
                "+OK 17 octets\r\nSubject: \xc3\r\n\r\nx\r\n.\r\n"
                "+OK 12 octets\r\nA: b\r\n\r\n\xc3\xa9\r\n.\r\n");
    session_close(session);
}

/* Characters and fields that end anywhere in what is read at a time, and fields too long to be held. */
static void long_headers_are_converted_whole(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    struct buf text = {0};
    struct buf expected = {0};

    mail_user(mail, "alice", SERVICES_ALL, 0);
    buf_text(&expected, "+OK message follows, its headers in ASCII for want of UTF8\r\n");
    for (unsigned i = 0; i < 3000; i++) {
        buf_text(&text, "Subject: \xe2\x82\xac\r\nX-A:b\r\n");
        buf_text(&expected, "Subject: =?utf-8?B?4oKs?=\r\nX-A:b\r\n");
    }
    buf_text(&text, "X-Long: ");
    buf_text(&expected, "X-Long: ");
    for (unsigned i = 0; i < 50000; i++) {
        buf_text(&text, "\xc3\xa9\r\n ");
        buf_text(&expected, "??\r\n ");
    }
    buf_text(&text, "\r\nX-B:c\r\n\r\n");
    buf_text(&expected, "\r\nX-B:c\r\n\r\n.\r\n");
    buf_byte(&expected, '\0');
    mail_deliver(mail, "alice", str_n(buf_bytes(&text), buf_length(&text)));
    session = begin(mail, false);
    mail_hear(mail, session);
    mail_say(session, "RETR 1\r\n");
    assert_string_equal(mail_hear(mail, session), buf_bytes(&expected));
    session_close(session);
    buf_release(&text);
    buf_release(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAIL_TEST(the_newest_message_may_come_first),
        MAIL_TEST(a_long_listing_is_in_the_order_of_the_numbers),
        MAIL_TEST(another_folder_may_be_shown),
        MAIL_TEST(a_user_who_comes_back_too_soon_has_to_wait),
        MAIL_TEST(utf8_gets_messages_as_they_are),
        MAIL_TEST(others_get_the_header_in_ascii),
        MAIL_TEST(headers_of_parts_are_in_ascii_too),
        MAIL_TEST(or_they_are_told_what_they_lack),
        MAIL_TEST(what_is_no_utf8_passes_as_it_is),
        MAIL_TEST(long_headers_are_converted_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
