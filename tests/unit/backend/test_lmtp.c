#include "mailbox-backend/lmtp/engine.h"
#include "tests/unit/backend/mail.h"

static struct session *begin(struct mail *mail)
{
    struct session *session = session_open(&mail->harness, &lmtp_engine, NULL);

    session->account = NULL;
    session->room = MAIL_ROOM;
    mail_expect(mail, session, "220 back1 LMTP\r\n");
    mail_say(session, "LHLO mta.example\r\n");
    mail_hear(mail, session);
    return session;
}

/* Begins a transaction with one recipient, and forgets the answers. */
static void begin_mail(struct mail *mail, struct session *session, const char *to)
{
    char text[200];

    snprintf(text, sizeof(text), "MAIL FROM:<bob@example.net>\r\nRCPT TO:<%s>\r\n", to);
    session_send_text(session, text);
    mail_expect(mail, session, "250 2.1.0 sender accepted\r\n250 2.1.5 recipient accepted\r\n");
}

static void folder_of(struct mail *mail, const char *user, const char *path,
                      struct store_folder *folder)
{
    struct store_mailbox *mailbox = mail_mailbox(mail, user);
    struct store_read *read;
    struct err err = {0};

    assert_int_equal(store_read_begin(mailbox, &read, &err), ERR_NONE);
    assert_int_equal(path_find(read, str_of(path), folder, &err), ERR_NONE);
    store_read_end(&read);
    store_mailbox_unref(&mailbox);
}

static unsigned messages_in(struct mail *mail, const char *user, const char *path)
{
    struct store_folder folder;

    folder_of(mail, user, path, &folder);
    return folder.messages;
}

/* The content and the recipient's property of the only message in the inbox. */
static void read_message(struct mail *mail, const char *user, struct buf *content,
                         char recipient[64])
{
    struct store_mailbox *mailbox = mail_mailbox(mail, user);
    struct store_content *open;
    struct store_read *read;
    struct store_item item;
    struct err err = {0};
    size_t got;

    assert_int_equal(store_read_begin(mailbox, &read, &err), ERR_NONE);
    assert_int_equal(store_item_get(read, STORE_INBOX_FOLDER, 1, &item, &err), ERR_NONE);
    assert_int_equal(store_property_get(read, STORE_INBOX_FOLDER, item.item_id, "lmtp/recipient",
                                        (uint8_t *)recipient, 63, &got, &err),
                     ERR_NONE);
    recipient[got] = '\0';
    assert_int_equal(store_content_open(read, &item, &open, &err), ERR_NONE);
    store_read_end(&read);
    assert_int_equal(
        store_content_read(open, 0, buf_reserve(content, item.size), item.size, &got, &err),
        ERR_NONE);
    assert_int_equal(got, item.size);
    buf_commit(content, got);
    store_content_close(&open);
    store_mailbox_unref(&mailbox);
}

static void a_message_is_stored_with_its_trace_fields(void **state)
{
    struct mail *mail = *state;
    static const char body[] = "Subject: hi\r\n\r\n\0.\r\nbare\nend";
    struct session *session;
    struct buf content = {0};
    char recipient[64];
    const char *text;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    begin_mail(mail, session, "Alice@Example.org");
    mail_say(session, "BDAT 10\r\nSubject: h");
    mail_expect(mail, session, "250 2.0.0 10 octets received\r\n");
    session_send_text(session, "BDAT 17 LAST\r\n");
    session_send(session, body + 10, sizeof(body) - 1 - 10);
    mail_expect(mail, session, "250 2.0.0 delivered\r\n");
    session_close(session);

    read_message(mail, "alice", &content, recipient);
    assert_string_equal(recipient, "Alice@Example.org");
    text = (const char *)buf_bytes(&content);
    assert_memory_equal(text, "Return-Path: <bob@example.net>\r\nReceived: from mta.example", 57);
    assert_true(buf_length(&content) > sizeof(body));
    assert_memory_equal(text + buf_length(&content) - (sizeof(body) - 1), body, sizeof(body) - 1);
    buf_byte(&content, '\0');
    assert_null(strcasestr((const char *)buf_bytes(&content), "alice")); /* nobody is named */
    buf_release(&content);
}

static void recipients_that_cannot_have_it_are_told_apart(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_user(mail, "nolmtp", SERVICE_IMAP4, 0);
    mail_user(mail, "full", SERVICES_ALL, 10);
    mail_deliver(mail, "full", STR("A: b\r\n\r\n12"));
    session = begin(mail);
    mail_say(session, "MAIL FROM:<> SIZE=5\r\nRCPT TO:<nobody@example.org>\r\n"
                      "RCPT TO:<nolmtp@example.org>\r\nRCPT TO:<full@example.org>\r\n"
                      "RCPT TO:<alice@example.org>\r\nBDAT 8 LAST\r\nA: b\r\n\r\n");
    mail_expect(mail, session,
                "250 2.1.0 sender accepted\r\n550 5.1.1 no such user here\r\n"
                "550 5.2.1 mailbox does not take mail\r\n"
                "552 5.2.2 mailbox is full\r\n250 2.1.5 recipient accepted\r\n"
                "250 2.0.0 delivered\r\n");
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 1);
    session_close(session);
}

static void each_recipient_has_an_answer_in_order(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_user(mail, "small", SERVICES_ALL, 50); /* less than the trace fields take */
    mail_user(mail, "carol", SERVICES_ALL, 0);
    session = begin(mail);
    mail_say(session, "MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\n"
                      "RCPT TO:<small@example.org>\r\nRCPT TO:<carol@example.org>\r\n");
    mail_hear(mail, session);
    mail_say(session, "BDAT 8 LAST\r\nA: b\r\n\r\n");
    mail_expect(mail, session,
                "250 2.0.0 delivered\r\n552 5.2.2 mailbox is full\r\n"
                "250 2.0.0 delivered\r\n");
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 1);
    assert_int_equal(messages_in(mail, "small", "INBOX"), 0);
    assert_int_equal(messages_in(mail, "carol", "INBOX"), 1);
    session_close(session);
}

static void several_addresses_of_one_user_get_one_message(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    mail_user(mail, "carol", SERVICES_ALL, 0);
    session = begin(mail);
    begin_mail(mail, session, "alice+Archive@example.org");
    mail_say(session, "RCPT TO:<alice@example.org>\r\nRCPT TO:<ALICE@example.org>\r\n"
                      "RCPT TO:<carol@example.org>\r\nRCPT TO:<alice+nosuch@example.org>\r\n"
                      "RCPT TO:<alice+Archive@example.org>\r\n");
    mail_hear(mail, session);
    mail_say(session, "BDAT 8 LAST\r\nA: b\r\n\r\n");
    mail_expect(mail, session,
                "250 2.0.0 delivered\r\n250 2.0.0 delivered\r\n250 2.0.0 delivered\r\n"
                "250 2.0.0 delivered\r\n250 2.0.0 delivered\r\n250 2.0.0 delivered\r\n");
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 1);
    assert_int_equal(messages_in(mail, "alice", "Archive"), 1);
    assert_int_equal(messages_in(mail, "carol", "INBOX"), 1);
    session_close(session);
}

static void idleness_counts_from_the_last_bytes_of_the_content(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    begin_mail(mail, session, "alice@example.org");
    assert_false(session->busy);
    mail_say(session, "BDAT 8 LAST\r\nA: b");
    assert_true(session->busy);
    mail_say(session, "\r\n\r\n");
    mail_expect(mail, session, "250 2.0.0 delivered\r\n");
    assert_false(session->busy);
    session_close(session);
}

static void junk_and_detail_choose_the_folder(void **state)
{
    struct mail *mail = *state;
    char *junk[] = {(char *)"X-Spam-Flag: YES"};
    struct account_change change = {.detail_folders = &(bool){true}};
    struct session *session;
    struct err err;

    mail->harness.settings.lmtpbe.junk_header = (struct setting_list){junk, 1};
    mail_user(mail, "alice", SERVICES_ALL, 0);
    assert_int_equal(
        account_set(mail->harness.backend.directory, STR("alice"), &change, false, &err), ERR_NONE);
    session = begin(mail);
    begin_mail(mail, session, "alice+Archive@example.org");
    mail_say(session, "BDAT 8 LAST\r\nA: b\r\n\r\n");
    mail_expect(mail, session, "250 2.0.0 delivered\r\n");
    begin_mail(mail, session, "alice+nosuch@example.org");
    mail_say(session, "BDAT 8 LAST\r\nA: b\r\n\r\n");
    mail_expect(mail, session, "250 2.0.0 delivered\r\n");
    begin_mail(mail, session, "alice+Archive@example.org");
    mail_say(session, "BDAT 20 LAST\r\nX-Spam-Flag: yes\r\n\r\n");
    mail_expect(mail, session, "250 2.0.0 delivered\r\n");
    assert_int_equal(messages_in(mail, "alice", "Archive"), 1);
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 1);
    assert_int_equal(messages_in(mail, "alice", "Junk"), 1);
    session_close(session);
}

static void a_message_over_the_limit_is_refused(void **state)
{
    struct mail *mail = *state;
    struct session *session;
    char *block = calloc(1, 300000);

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_say(session, "MAIL FROM:<> SIZE=1048577\r\n");
    mail_expect(mail, session, "552 5.3.4 message is too big\r\n");
    begin_mail(mail, session, "alice@example.org");
    for (int i = 0; i < 4; i++) {
        mail_say(session, "BDAT 300000\r\n");
        session_send(session, block, 300000);
        if (i < 3)
            mail_expect(mail, session, "250 2.0.0 300000 octets received\r\n");
    }
    mail_expect(mail, session, "552 5.3.4 message is too big\r\n");
    mail_say(session, "BDAT 0 LAST\r\nNOOP\r\n");
    mail_expect(mail, session, "552 5.3.4 message is too big\r\n250 2.0.0 still here\r\n");
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 0);
    session_close(session);
    free(block);
}

static void content_out_of_place_passes_by(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_say(session, "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
    mail_expect(mail, session, "503 5.5.1 MAIL first\r\n250 2.0.0 still here\r\n");
    mail_say(session, "MAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n");
    mail_expect(mail, session,
                "250 2.1.0 sender accepted\r\n503 5.5.1 no valid recipients\r\n"
                "503 5.5.1 no valid recipients\r\n");
    assert_false(session->ended);
    session_close(session);
}

static void commands_have_their_order(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = session_open(&mail->harness, &lmtp_engine, NULL);
    mail_hear(mail, session);
    mail_say(session, "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nLHLO\r\nEHLO a\r\n");
    mail_expect(mail, session,
                "503 5.5.1 bad sequence of commands\r\n"
                "503 5.5.1 bad sequence of commands\r\n500 5.5.1 unknown command\r\n"
                "501 5.5.4 a domain or an address literal is wanted\r\n"
                "500 5.5.1 unknown command\r\n");
    mail_say(session, "LHLO a\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n");
    assert_non_null(strstr(mail_hear(mail, session), "503 5.5.1 bad sequence of commands\r\n"
                                                     "250 2.0.0 reset\r\n250 2.1.0"));
    mail_say(session, "RCPT TO:<alice@example.org>\r\nBDAT 1\r\nxRCPT TO:<alice@example.org>\r\n");
    mail_expect(mail, session,
                "250 2.1.5 recipient accepted\r\n250 2.0.0 1 octets received\r\n"
                "503 5.5.1 bad sequence of commands\r\n");
    mail_say(session, "BDAT x\r\n");
    mail_expect(mail, session, "501 5.5.4 bad arguments\r\n");
    assert_true(session->ended); /* where its content ends cannot be known */
    session_close(session);
}

static void there_are_not_more_recipients_than_allowed(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    mail_say(session, "MAIL FROM:<>\r\n");
    for (int i = 0; i < 10; i++)
        mail_say(session, "RCPT TO:<alice@example.org>\r\n");
    mail_hear(mail, session);
    mail_say(session, "RCPT TO:<alice@example.org>\r\n");
    mail_expect(mail, session, "452 4.5.3 too many recipients\r\n");
    session_close(session);
}

static void a_stop_says_421(void **state)
{
    struct mail *mail = *state;
    struct session *session = begin(mail);

    session_stop(session);
    assert_true(session->ended);
    mail_expect(mail, session, "421 4.3.2 server shutting down\r\n");
    session_close(session);
}

static void a_stop_in_the_middle_of_content_stores_nothing(void **state)
{
    struct mail *mail = *state;
    struct session *session;

    mail_user(mail, "alice", SERVICES_ALL, 0);
    session = begin(mail);
    begin_mail(mail, session, "alice@example.org");
    mail_say(session, "BDAT 100 LAST\r\nA: b\r\n");
    session_stop(session);
    assert_true(session->ended);
    session_close(session);
    assert_int_equal(messages_in(mail, "alice", "INBOX"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAIL_TEST(a_message_is_stored_with_its_trace_fields),
        MAIL_TEST(recipients_that_cannot_have_it_are_told_apart),
        MAIL_TEST(each_recipient_has_an_answer_in_order),
        MAIL_TEST(several_addresses_of_one_user_get_one_message),
        MAIL_TEST(idleness_counts_from_the_last_bytes_of_the_content),
        MAIL_TEST(junk_and_detail_choose_the_folder),
        MAIL_TEST(a_message_over_the_limit_is_refused),
        MAIL_TEST(content_out_of_place_passes_by),
        MAIL_TEST(commands_have_their_order),
        MAIL_TEST(there_are_not_more_recipients_than_allowed),
        MAIL_TEST(a_stop_says_421),
        MAIL_TEST(a_stop_in_the_middle_of_content_stores_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
