/* What a session does with another's folder whose mailbox goes away. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/imap4/engine.h"
#include "mailbox-backend/mailbox/mailbox.h"

struct fixture {
    struct harness harness;
    struct arena arena;
    struct account owner;
    struct store_mailbox *mailbox; /* the owner's */
    struct session *session;       /* of somebody who may read the owner's INBOX */
    char folder[96];
};

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct account_new new = {.name = STR("carol@example.org"), .services = SERVICES_ALL};
    struct directory_settings settings = {.folder = fixture->folder};
    struct backend *backend = &fixture->harness.backend;
    struct acl_entry entry = {.rights = RIGHT_LOOKUP | RIGHT_READ};

    harness_open(&fixture->harness);
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/directory", fixture->harness.folder);
    assert_int_equal(directory_open(&backend->directory, &settings, NULL), ERR_NONE);
    assert_int_equal(
        account_add(backend->directory, &new, false, &fixture->arena, &fixture->owner, NULL),
        ERR_NONE);
    assert_int_equal(mailbox_open(backend->store, &fixture->owner, &fixture->mailbox, NULL),
                     ERR_NONE);
    entry.guid = fixture->harness.account.guid;
    assert_int_equal(
        grants_change(backend->grants, fixture->mailbox, STORE_INBOX_FOLDER, &entry, ACL_SET, NULL),
        ERR_NONE);
    fixture->session = session_open(&fixture->harness, &imap4_engine, NULL);
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    session_close(fixture->session);
    store_mailbox_unref(&fixture->mailbox);
    directory_close(&fixture->harness.backend.directory);
    arena_reset(&fixture->arena);
    harness_close(&fixture->harness);
    free(fixture);
    return 0;
}

static void expect_answer(struct session *session, const char *command, const char *answer)
{
    const char *line;

    session_send_text(session, command);
    do {
        line = session_take_line(session);
        assert_non_null(line);
    } while (line[0] == '*');
    if (strncmp(line, answer, strlen(answer)) != 0)
        fail_msg("%s", line);
}

static void remove_mailbox(struct fixture *fixture)
{
    struct store_op op = {.kind = OP_MAILBOX_REMOVE, .mailbox = fixture->mailbox};

    assert_int_equal(store_run(&op), ERR_NONE);
}

static void a_session_goes_on_elsewhere_when_the_mailbox_of_its_folder_is_removed(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    expect_answer(fixture->session, "a SELECT \"Other Users/carol@example.org/INBOX\"\r\n",
                  "a OK ");
    remove_mailbox(fixture);
    expect_answer(fixture->session, "b SELECT INBOX\r\n", "b OK ");
}

static void a_session_is_told_that_the_mailbox_of_its_folder_was_removed(void **state)
{
    struct fixture *fixture = *state;

    session_take_line(fixture->session);
    expect_answer(fixture->session, "a SELECT \"Other Users/carol@example.org/INBOX\"\r\n",
                  "a OK ");
    remove_mailbox(fixture);
    session_send_text(fixture->session, "b NOOP\r\n");
    assert_string_equal(session_take_line(fixture->session),
                        "* BYE The selected mailbox was deleted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_session_goes_on_elsewhere_when_the_mailbox_of_its_folder_is_removed, create, destroy),
        cmocka_unit_test_setup_teardown(
            a_session_is_told_that_the_mailbox_of_its_folder_was_removed, create, destroy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
