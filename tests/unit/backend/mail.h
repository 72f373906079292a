/* POP3 and LMTP in the harness: accounts in a real directory, messages in their inboxes, and what a
   client says and hears as plain text. */
#ifndef UNIT_BACKEND_MAIL_H
#define UNIT_BACKEND_MAIL_H

#include <sys/stat.h>

#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/mailbox/delivery.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "tests/unit/backend/harness.h"

#define MAIL_ROOM 4096u /* of output: small, so that engines have to stop and go on */

struct mail {
    struct harness harness;
    struct arena arena;
    struct buf told; /* what mail_hear() gave */
};

static inline int mail_create(void **state)
{
    struct mail *mail = mem_alloc(sizeof(*mail));
    struct directory_settings settings = {.default_domain = "example.org", .delimiter = "+"};
    struct err err;
    char path[96];

    harness_open(&mail->harness);
    snprintf(path, sizeof(path), "%s/directory", mail->harness.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    settings.folder = path;
    if (directory_open(&mail->harness.backend.directory, &settings, &err) != ERR_NONE)
        fail_msg("directory_open: %s", err.text);
    mail->harness.settings.backend.name = (char *)(uintptr_t) "back1";
    mail->harness.settings.pop3be.lock = true;
    mail->harness.settings.lmtpbe.max_recipients = 10;
    *state = mail;
    return 0;
}

static inline int mail_destroy(void **state)
{
    struct mail *mail = *state;

    directory_close(&mail->harness.backend.directory);
    harness_close(&mail->harness);
    arena_reset(&mail->arena);
    buf_release(&mail->told);
    free(mail);
    return 0;
}

#define MAIL_TEST(name) cmocka_unit_test_setup_teardown(name, mail_create, mail_destroy)

/* Makes an account without a password. quota_bytes 0: no limit. */
static inline void mail_user(struct mail *mail, const char *name, unsigned services,
                             uint64_t quota_bytes)
{
    struct account_new new = {
        .name = str_of(name),
        .services = services,
        .quota_is_set = true,
        .quota_bytes = quota_bytes,
    };
    struct err err;

    assert_int_equal(account_add(mail->harness.backend.directory, &new, false, &mail->arena,
                                 &mail->harness.account, &err),
                     ERR_NONE);
}

/* The mailbox of an account, made if need be. */
static inline struct store_mailbox *mail_mailbox(struct mail *mail, const char *name)
{
    struct backend *backend = &mail->harness.backend;
    struct store_mailbox *mailbox;
    struct account account;
    struct err err;

    assert_int_equal(directory_find(backend->directory, str_of(name), &mail->arena, &account, &err),
                     ERR_NONE);
    assert_int_equal(mailbox_open(backend->store, &account, &mailbox, &err), ERR_NONE);
    return mailbox;
}

/* Puts a message into the inbox; returns its uid. */
static inline uint32_t mail_deliver(struct mail *mail, const char *name, struct str text)
{
    struct store_mailbox *mailbox = mail_mailbox(mail, name);
    struct store_op op = {.mailbox = mailbox, .folder = STORE_INBOX_FOLDER};
    struct intake *intake;
    struct err err;

    assert_int_equal(intake_create(mail->harness.backend.store, store_mailbox_database(mailbox), 0,
                                   &intake, &err),
                     ERR_NONE);
    assert_int_equal(intake_append(intake, text.data, text.length, &err), ERR_NONE);
    assert_int_equal(intake_finish(intake, &err), ERR_NONE);
    intake_fill(intake, &op);
    assert_int_equal(store_run(&op), ERR_NONE);
    intake_destroy(&intake);
    store_mailbox_unref(&mailbox);
    return op.out.append.uid;
}

/* What the client has heard since the last look; good until the next call. */
static inline const char *mail_hear(struct mail *mail, struct session *session)
{
    session_run(session);
    buf_release(&mail->told);
    buf_move(&mail->told, &session->sent);
    buf_byte(&mail->told, '\0');
    return (const char *)buf_bytes(&mail->told);
}

#define mail_say(session, literal) session_send(session, literal, sizeof(literal) - 1)
#define mail_expect(mail, session, text) assert_string_equal(mail_hear(mail, session), text)

#endif
