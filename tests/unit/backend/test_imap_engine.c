/* What the dialogues cannot show of the IMAP4 engine. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"
#include "mailbox-backend/imap4/notify_private.h"

struct fixture {
    struct harness harness;
    struct session *session;
};

static int setup(void **state)
{
    static struct fixture fixture;

    harness_open(&fixture.harness);
    fixture.session = session_open(&fixture.harness, &imap4_engine, NULL);
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

static void expect(struct session *session, const char *expected)
{
    const char *line = session_take_line(session);

    assert_non_null(line);
    assert_string_equal(line, expected);
}

static void expect_number(struct session *session, unsigned number, const char *rest)
{
    char line[64];

    snprintf(line, sizeof(line), "* %u%s", number, rest);
    expect(session, line);
}

static void expect_end(struct session *session, const char *end)
{
    const char *line = session_take_line(session);

    assert_non_null(line);
    assert_true(strlen(line) >= strlen(end));
    assert_string_equal(line + strlen(line) - strlen(end), end);
}

static void skip_to(struct session *session, const char *beginning)
{
    const char *line;

    do {
        line = session_take_line(session);
        assert_non_null(line);
    } while (strncmp(line, beginning, strlen(beginning)) != 0);
}

static void the_login_is_answered_under_its_tag(void **state)
{
    struct fixture *fixture = *state;
    const char *line = session_take_line(fixture->session);

    assert_non_null(line);
    assert_int_equal(strncmp(line, "login OK [CAPABILITY IMAP4rev1 ", 31), 0);
    assert_non_null(strstr(line, " COMPRESS=DEFLATE] Logged in"));
}

static void capabilities_before_login_have_initial_responses(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena = {0};
    const char *const *words = imap4_engine.capabilities(&fixture->harness.backend, &arena);
    bool found = false;

    for (const char *const *word = words; *word != NULL; word++)
        found |= strcmp(*word, "SASL-IR") == 0;
    assert_true(found);
    arena_reset(&arena);
}

static void a_stop_says_good_bye(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    session_stop(fixture->session);
    expect(fixture->session, "* BYE [UNAVAILABLE] server shutting down");
    assert_true(fixture->session->ended);
}

static void a_stop_in_idle_says_good_bye(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    session_send_text(fixture->session, "a SELECT INBOX\r\nb IDLE\r\n");
    skip_to(fixture->session, "+ idling");
    session_stop(fixture->session);
    expect(fixture->session, "* BYE [UNAVAILABLE] server shutting down");
}

static void credentials_are_not_logged(void **state)
{
    struct fixture *fixture = *state;

    session_send_text(fixture->session, "a LOGIN alice secret\r\n");
    assert_null(strstr(fixture->session->log, "secret"));
    assert_non_null(strstr(fixture->session->log, "LOGIN"));
}

/* The clock of idleness stands still while a command runs, and not in IDLE. */
static void idle_lets_the_idle_clock_run(void **state)
{
    struct fixture *fixture = *state;

    session_send_text(fixture->session, "a APPEND INBOX {5}\r\n");
    assert_true(fixture->session->busy);
    session_send_text(fixture->session, "a\r\n\r\n\r\n");
    assert_false(fixture->session->busy);
    session_send_text(fixture->session, "b IDLE\r\n");
    assert_false(fixture->session->busy);
    assert_int_equal(fixture->session->tick, 120);
    session_tick(fixture->session);
    assert_int_equal(fixture->session->tick, 120);
    session_send_text(fixture->session, "DONE\r\n");
    assert_int_equal(fixture->session->tick, 0);
}

static void an_append_over_quota_is_refused_before_it_comes(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    fixture->harness.account.quota_bytes = 100;
    session_send_text(fixture->session, "a APPEND INBOX {101}\r\n");
    expect(fixture->session, "a NO [OVERQUOTA] The mailbox is over its quota");
    session_send_text(fixture->session, "b APPEND INBOX {5+}\r\na\r\n\r\n\r\n");
    skip_to(fixture->session, "b OK [APPENDUID ");
    fixture->harness.account.quota_messages = 1;
    session_send_text(fixture->session, "c APPEND INBOX {5}\r\n");
    expect(fixture->session, "c NO [OVERQUOTA] The mailbox is over its quota");
    session_send_text(fixture->session, "d SELECT INBOX\r\ne COPY 1 Archive\r\n");
    skip_to(fixture->session, "e NO [OVERQUOTA] ");
}

/* Quotas and other limits have different answers: only of the one the user can make more room. */
static void headers_with_8_bit_bytes_are_taken_where_the_site_says_so(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    session_send_text(fixture->session, "a APPEND INBOX {8+}\r\na: \xe9\r\n\r\n\r\n");
    skip_to(fixture->session, "a NO [CANNOT] ");
    fixture->harness.settings.imap4be.append_8bit_headers = true;
    session_send_text(fixture->session, "b APPEND INBOX {8+}\r\na: \xe9\r\n\r\n\r\n");
    skip_to(fixture->session, "b OK [APPENDUID ");
}

static void a_folder_full_of_keywords_is_not_over_quota(void **state)
{
    struct fixture *fixture = *state;
    char keyword[64];

    session_take_line(fixture->session);
    for (unsigned i = 0; i < STORE_KEYWORDS_MAX; i++) {
        snprintf(keyword, sizeof(keyword), "a APPEND Archive (k%u) {5+}\r\na\r\n\r\n\r\n", i);
        session_send_text(fixture->session, keyword);
        skip_to(fixture->session, "a OK");
    }
    session_send_text(fixture->session, "b APPEND Archive (more) {5+}\r\na\r\n\r\n\r\n");
    expect(fixture->session, "b NO [LIMIT] the folder has 128 keywords already");
    session_send_text(fixture->session, "c APPEND INBOX (more) {5+}\r\na\r\n\r\n\r\n");
    session_send_text(fixture->session, "d SELECT INBOX\r\ne COPY 1 Archive\r\n");
    skip_to(fixture->session, "d OK");
    expect(fixture->session, "e NO [LIMIT] the folder has 128 keywords already");
}

/* Another session has filled the list meanwhile: the client is told by PERMANENTFLAGS without "\\*" (RFC 9051 section
   7.1). */
static void a_client_is_told_when_no_more_keywords_can_be_made(void **state)
{
    struct fixture *fixture = *state;
    char keyword[64];

    session_take_line(fixture->session);
    session_send_text(fixture->session,
                      "a APPEND INBOX (k0) {5+}\r\na\r\n\r\n\r\nb SELECT INBOX\r\n");
    skip_to(fixture->session,
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft k0 \\*)]");
    skip_to(fixture->session, "b OK");
    for (unsigned i = 1; i < STORE_KEYWORDS_MAX; i++) {
        snprintf(keyword, sizeof(keyword), "c APPEND INBOX (k%u) {5+}\r\na\r\n\r\n\r\n", i);
        session_send_text(fixture->session, keyword);
        skip_to(fixture->session, "c OK");
    }
    session_send_text(fixture->session, "d STORE 1 +FLAGS (more)\r\n");
    skip_to(fixture->session, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft k0 k1 ");
    expect_end(fixture->session, "k126 k127)] Kept for ever");
    expect(fixture->session, "d NO [LIMIT] The mailbox has no room for more keywords");
    session_send_text(fixture->session, "e STORE 1 +FLAGS.SILENT (K127)\r\n");
    expect(fixture->session, "e OK STORE completed");
}

/* RFC 9585 section 4. The interval is 0 here: each step tells. */
static void a_long_search_tells_how_far_it_is(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    for (unsigned i = 0; i < 130; i++) {
        session_send_text(fixture->session, "a APPEND INBOX {5+}\r\na\r\n\r\n\r\n");
        skip_to(fixture->session, "a OK");
    }
    session_send_text(fixture->session, "b SELECT INBOX\r\n");
    skip_to(fixture->session, "b OK");
    fixture->harness.settings.imap4be.progress_interval = 0;
    session_send_text(fixture->session, "c UID SEARCH RETURN (COUNT) BODY nothing\r\n");
    expect(fixture->session, "* OK [INPROGRESS (\"c\" 0 130)] Still at it");
    skip_to(fixture->session, "* ESEARCH (TAG \"c\") UID COUNT 0");
    expect(fixture->session, "c OK UID SEARCH completed");
    session_send_text(fixture->session, "d]d SEARCH BODY nothing\r\n");
    expect(fixture->session, "* OK [INPROGRESS (NIL 0 130)] Still at it");
    skip_to(fixture->session, "* SEARCH");
    expect(fixture->session, "d]d OK SEARCH completed");
    /* Not in the midst of an answer. */
    session_send_text(fixture->session, "e SEARCH ALL\r\n");
    expect(fixture->session, "* OK [INPROGRESS (\"e\" 0 130)] Still at it");
    skip_to(fixture->session, "* SEARCH 1 2 3 4");
    expect(fixture->session, "e OK SEARCH completed");
}

static void a_message_over_the_limit_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    char bytes[10000];

    session_take_line(fixture->session);
    memset(bytes, 'x', sizeof(bytes));
    session_send_text(fixture->session, "a APPEND INBOX {2000000+}\r\n");
    for (size_t sent = 0; sent < 2000000; sent += sizeof(bytes))
        session_send(fixture->session, bytes, sizeof(bytes));
    session_send_text(fixture->session, "\r\nb NOOP\r\n");
    expect(fixture->session, "a NO [TOOBIG] The message is larger than this server takes");
    expect(fixture->session, "b OK NOOP completed");
}

/* 4,096 messages: copies of copies of one. */
static void fill_inbox(struct session *session)
{
    char text[64];

    session_send_text(session, "f APPEND INBOX {5+}\r\na\r\n\r\n\r\nf SELECT INBOX\r\n");
    for (unsigned i = 0; i < 12; i++) {
        snprintf(text, sizeof(text), "f%u COPY 1:* INBOX\r\n", i);
        session_send_text(session, text);
    }
    skip_to(session, "f11 OK [COPYUID");
}

static void a_large_folder_is_selected_on_a_worker(void **state)
{
    struct fixture *fixture = *state;

    fill_inbox(fixture->session);
    assert_false(fixture->session->worked);
    session_send_text(fixture->session,
                      "a STORE 1:4000 +FLAGS.SILENT \\Seen\r\na SELECT INBOX\r\n");
    skip_to(fixture->session, "* 4096 EXISTS");
    expect(fixture->session, "* 0 RECENT");
    expect(fixture->session, "* OK [UNSEEN 4001] First unseen message");
    assert_true(fixture->session->worked);
}

/* Where UNSEEN is the only key the messages are not looked at; the answers are the same. */
static void unseen_alone_finds_what_it_finds_with_other_keys(void **state)
{
    struct fixture *fixture = *state;
    char line[4000];

    fill_inbox(fixture->session);
    session_send_text(fixture->session, "a UID STORE 1:* +FLAGS.SILENT \\Seen\r\n"
                                        "b UID SEARCH UNSEEN\r\n"
                                        "c UID STORE 5,1000:1399,4096 -FLAGS.SILENT \\Seen\r\n"
                                        "d UID SEARCH UNSEEN\r\n");
    expect(fixture->session, "a OK UID STORE completed");
    expect(fixture->session, "* SEARCH");
    expect(fixture->session, "b OK UID SEARCH completed");
    expect(fixture->session, "c OK UID STORE completed");
    snprintf(line, sizeof(line), "%s", session_take_line(fixture->session));
    assert_memory_equal(line, "* SEARCH 5 1000 1001 ", 21);
    expect(fixture->session, "d OK UID SEARCH completed");
    session_send_text(fixture->session, "e UID SEARCH UNSEEN NOT DRAFT\r\n");
    expect(fixture->session, line);
    expect(fixture->session, "e OK UID SEARCH completed");
    session_send_text(fixture->session, "f UID SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN\r\n"
                                        "g UID SEARCH RETURN (COUNT) UNSEEN MODSEQ 1\r\n");
    expect(fixture->session,
           "* ESEARCH (TAG \"f\") UID MIN 5 MAX 4096 COUNT 402 ALL 5,1000:1399,4096");
    expect(fixture->session, "f OK UID SEARCH completed");
    skip_to(fixture->session, "* ESEARCH (TAG \"g\") UID COUNT 402 MODSEQ ");
    skip_to(fixture->session, "g OK UID SEARCH completed");
}

static void a_large_silent_store_is_silent(void **state)
{
    struct fixture *fixture = *state;

    fill_inbox(fixture->session);
    session_send_text(fixture->session, "a UID STORE 1:3500,4000 +FLAGS.SILENT \\Seen\r\n");
    expect(fixture->session, "a OK UID STORE completed");
    session_send_text(fixture->session, "b STORE 2000:* +FLAGS \\Seen\r\nb NOOP\r\n");
    for (unsigned i = 2000; i <= 4096; i++)
        expect_number(fixture->session, i, " FETCH (FLAGS (\\Seen \\Recent))");
    expect(fixture->session, "b OK STORE completed");
    expect(fixture->session, "b OK NOOP completed");
}

/* Thousands of changes are told in slices, each once and whole, however little room there is. */
static void many_changes_are_told_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);

    fill_inbox(fixture->session);
    other->room = 1;
    session_send_text(other, "a SELECT INBOX\r\n");
    skip_to(other, "a OK");
    session_send_text(fixture->session, "b STORE 1:* +FLAGS.SILENT \\Deleted\r\n");
    session_send_text(fixture->session, "b UID EXPUNGE 1:2000,3001:4096\r\nb NOOP\r\n");
    session_send_text(other, "b NOOP\r\n");
    for (unsigned i = 4096; i > 3000; i--)
        expect_number(other, i, " EXPUNGE");
    for (unsigned i = 2000; i > 0; i--)
        expect_number(other, i, " EXPUNGE");
    for (unsigned i = 1; i <= 1000; i++)
        expect_number(other, i, " FETCH (FLAGS (\\Deleted))");
    expect(other, "b OK NOOP completed");
    session_close(other);
}

/* A session that ends in the middle of anything leaves nothing behind (the sanitizer looks). */
static void a_session_may_end_anywhere(void **state)
{
    static const char *const beginnings[] = {
        "a NOOP {3+}\r\nab", "a APPEND INBOX {50+}\r\nSubject: x", "a SELECT INBOX\r\nb IDLE\r\n",
        "a CREATE {5000+}\r\nab"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        struct session *session = session_open(&fixture->harness, &imap4_engine, NULL);

        session_send_text(session, beginnings[i]);
        session_close(session);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- NOTIFY ---- */

static struct store_mailbox *open_mailbox(struct fixture *fixture)
{
    struct store_mailbox *mailbox;
    struct err err;

    assert_int_equal(store_mailbox_open(fixture->harness.backend.store,
                                        &fixture->harness.account.guid, false, &mailbox, NULL,
                                        &err),
                     ERR_NONE);
    return mailbox;
}

#define MANY_FOLDERS 4200u /* more changes than a session holds */

/* Makes folders all at once, while the session is not called. */
static void make_folders(struct fixture *fixture)
{
    struct store_mailbox *mailbox = open_mailbox(fixture);
    struct store_op *ops = mem_array(MANY_FOLDERS, sizeof(*ops));
    struct store_op **list = mem_array(MANY_FOLDERS, sizeof(struct store_op *));
    char(*names)[16] = mem_array(MANY_FOLDERS, sizeof(*names));

    for (unsigned i = 0; i < MANY_FOLDERS; i++) {
        snprintf(names[i], sizeof(names[i]), "f%u", i);
        ops[i] = (struct store_op){.kind = OP_FOLDER_CREATE, .mailbox = mailbox};
        ops[i].in.create.parent = STORE_ROOT_FOLDER;
        ops[i].in.create.name = names[i];
        ops[i].in.create.class = CLASS_MAIL;
        list[i] = &ops[i];
    }
    store_run_all(list, MANY_FOLDERS);
    for (unsigned i = 0; i < MANY_FOLDERS; i++)
        assert_int_equal(ops[i].err.code, ERR_NONE);
    free(names);
    free(list);
    free(ops);
    store_mailbox_unref(&mailbox);
}

static void too_many_changes_end_what_notify_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;

    session_take_line(session);
    session_send_text(session, "a NOTIFY SET (personal (MessageNew MessageExpunge))\r\n");
    expect(session, "a OK NOTIFY completed");
    make_folders(fixture);
    expect(session,
           "* OK [NOTIFICATIONOVERFLOW] Too much has changed, NOTIFY NONE holds from here");
    assert_null(session->watchers);
    session_send_text(session, "b NOOP\r\n");
    expect(session, "b OK NOOP completed");
}

/* Appends by another session. */
static void append_to_drafts(struct session *other, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        session_send_text(other, "x APPEND Drafts {5+}\r\na\r\n\r\n\r\n");
        expect_end(other, "APPEND completed");
    }
}

static void a_burst_of_deliveries_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);

    session_take_line(session);
    session_take_line(other);
    session_send_text(session, "a NOTIFY SET (personal (MessageNew MessageExpunge))\r\n");
    expect(session, "a OK NOTIFY completed");
    append_to_drafts(other, 50);
    session_send_text(session, "b NOOP\r\n");
    assert_int_equal(
        strncmp(session_take_line(session), "* STATUS Drafts (MESSAGES 50 UIDNEXT 51 ", 40), 0);
    expect(session, "b OK NOOP completed");
    session_close(other);
}

/* Where a pause runs, changes wait for its end. */
static void changes_in_the_pause_wait_for_its_end(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);

    session_take_line(session);
    session_take_line(other);
    session_send_text(session, "a NOTIFY SET (personal (MessageNew MessageExpunge))\r\n");
    expect(session, "a OK NOTIFY completed");
    append_to_drafts(other, 1);
    assert_int_equal(strncmp(session_take_line(session), "* STATUS Drafts (MESSAGES 1 ", 28), 0);
    assert_true(session->paused);
    append_to_drafts(other, 3);
    session_send_text(session, "b CAPABILITY\r\n");
    skip_to(session, "* CAPABILITY");
    expect(session, "b OK CAPABILITY completed");
    assert_int_equal(strncmp(session_take_line(session), "* STATUS Drafts (MESSAGES 4 ", 28), 0);
    session_close(other);
}

static void news_may_come_in_the_middle_of_a_command_line(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);

    session_take_line(session);
    session_take_line(other);
    session_send_text(session, "a NOTIFY SET (mailboxes Drafts (MessageNew MessageExpunge))\r\n");
    expect(session, "a OK NOTIFY completed");
    session_send_text(session, "b STATUS ");
    append_to_drafts(other, 1);
    assert_int_equal(strncmp(session_take_line(session), "* STATUS Drafts (MESSAGES 1 ", 28), 0);
    session_send_text(session, "{6}\r\n");
    expect_end(session, "");
    session_send_text(session, "Drafts (MESSAGES)\r\n");
    expect(session, "* STATUS Drafts (MESSAGES 1)");
    expect(session, "b OK STATUS completed");
    session_close(other);
}

static void a_session_may_end_while_it_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = session_open(&fixture->harness, &imap4_engine, NULL);

    session_take_line(session);
    session_take_line(fixture->session);
    session_send_text(session,
                      "a NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))\r\n");
    expect(session, "a OK NOTIFY completed");
    session_send_text(session, "b IDLE\r\n");
    skip_to(session, "+ idling");
    append_to_drafts(fixture->session, 1);
    session->room = 1;
    session_close(session);
}

/* Another session makes f0, f1, …, renames them to g0, g1, …, or deletes them. */
static void work_on_folders(struct session *other, const char *command, unsigned count)
{
    bool renames = strcmp(command, "RENAME") == 0;
    char line[64];

    for (unsigned i = 0; i < count; i++) {
        if (renames)
            snprintf(line, sizeof(line), "x RENAME f%u g%u\r\n", i, i);
        else
            snprintf(line, sizeof(line), "x %s f%u\r\n", command, i);
        session_send_text(other, line);
        expect_end(other, "completed");
    }
}

#define LITTLE_ROOM 400u

/* Steps until there is no room for more output. */
static void fill_room(struct session *session)
{
    enum step step;

    session->room = LITTLE_ROOM;
    do
        step = session->engine->advance(session, session->state, WHY_CHANGED);
    while (step == STEP_NEXT);
    assert_int_equal(step, STEP_MORE);
    session->events |= WHY_DRAINED;
}

static struct session *watch_names(struct fixture *fixture, struct session *other, unsigned count)
{
    struct session *session = fixture->session;

    session_take_line(session);
    session_take_line(other);
    work_on_folders(other, "CREATE", count);
    session_send_text(session, "a NOTIFY SET (personal (MailboxName))\r\n");
    expect(session, "a OK NOTIFY completed");
    return session;
}

static void a_name_that_changes_while_others_are_told_is_told_as_well(void **state)
{
    struct fixture *fixture = *state;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);
    struct session *session = watch_names(fixture, other, 30);

    work_on_folders(other, "RENAME", 30);
    fill_room(session);
    session_send_text(other, "x RENAME g0 again\r\n");
    expect(other, "x OK RENAME completed");
    skip_to(session, "* LIST (\\HasNoChildren) \"/\" again (\"OLDNAME\" (g0))");
    session_close(other);
}

static void names_that_have_gone_are_told_as_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);
    struct session *session = watch_names(fixture, other, 30);

    work_on_folders(other, "DELETE", 30);
    fill_room(session);
    assert_true(buf_length(&session->output) < 2 * LITTLE_ROOM);
    skip_to(session, "* LIST (\\HasNoChildren \\NonExistent) \"/\" f29");
    session_close(other);
}

static void names_of_its_own_that_come_and_go_are_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;
    const struct imap *imap = session->state;
    size_t before;

    session_take_line(session);
    session_send_text(session, "a NOTIFY SET (personal (MailboxName))\r\n");
    expect(session, "a OK NOTIFY completed");
    before = imap->notify->names.count;
    for (unsigned i = 0; i < 5; i++) {
        session_send_text(session, "b CREATE f\r\nc DELETE f\r\n");
        expect_end(session, "CREATE completed");
        expect(session, "c OK DELETE completed");
    }
    assert_int_equal(imap->notify->names.count, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_login_is_answered_under_its_tag),
        cmocka_unit_test_setup_teardown(capabilities_before_login_have_initial_responses, setup,
                                        teardown),
        TEST(a_stop_says_good_bye),
        TEST(a_stop_in_idle_says_good_bye),
        TEST(credentials_are_not_logged),
        TEST(idle_lets_the_idle_clock_run),
        TEST(an_append_over_quota_is_refused_before_it_comes),
        TEST(headers_with_8_bit_bytes_are_taken_where_the_site_says_so),
        TEST(a_folder_full_of_keywords_is_not_over_quota),
        TEST(a_client_is_told_when_no_more_keywords_can_be_made),
        TEST(a_long_search_tells_how_far_it_is),
        TEST(a_message_over_the_limit_is_passed_over),
        TEST(a_large_folder_is_selected_on_a_worker),
        TEST(unseen_alone_finds_what_it_finds_with_other_keys),
        TEST(a_large_silent_store_is_silent),
        TEST(many_changes_are_told_in_slices),
        TEST(a_session_may_end_anywhere),
        TEST(too_many_changes_end_what_notify_asked_for),
        TEST(a_burst_of_deliveries_is_told_once),
        TEST(changes_in_the_pause_wait_for_its_end),
        TEST(news_may_come_in_the_middle_of_a_command_line),
        TEST(a_session_may_end_while_it_is_told),
        TEST(a_name_that_changes_while_others_are_told_is_told_as_well),
        TEST(names_that_have_gone_are_told_as_there_is_room),
        TEST(names_of_its_own_that_come_and_go_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
