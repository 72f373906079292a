/* LHLO, MAIL, RCPT. */
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/lmtp/lmtp.h"
#include "mailbox-backend/lmtp/trace.h"
#include "mailbox-backend/mailbox/mailbox.h"

void lmtp_do_lhlo(struct session *session, struct lmtp *lmtp, struct str argument)
{
    const struct backend_settings *settings = session_backend(session)->settings;
    struct buf *out = session_output(session);
    struct str name;
    enum lmtp_fault fault = lmtp_lhlo(argument, &name);

    if (fault != LMTP_FINE) {
        lmtp_reply(session, lmtp_fault_reply(fault));
        return;
    }
    transaction_reset(&lmtp->transaction);
    snprintf(lmtp->client_name, sizeof(lmtp->client_name), "%.*s", (int)name.length, name.data);
    buf_printf(out, "250-%s\r\n", settings->backend.name);
    buf_printf(out, "250-SIZE %llu\r\n", (unsigned long long)settings->store.message_size_limit);
    buf_text(out, "250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250-CHUNKING\r\n"
                  "250 ENHANCEDSTATUSCODES\r\n");
}

void lmtp_do_mail(struct session *session, struct lmtp *lmtp, struct str argument)
{
    const struct backend_settings *settings = session_backend(session)->settings;
    struct lmtp_mail mail;
    enum lmtp_fault fault = lmtp_mail(argument, &mail);

    if (fault != LMTP_FINE) {
        lmtp_reply(session, lmtp_fault_reply(fault));
    } else if (mail.size + TRACE_MAX > settings->store.message_size_limit) {
        lmtp_reply(session, "552 5.3.4 message is too big");
    } else {
        transaction_begin(&lmtp->transaction, &mail);
        lmtp_reply(session, "250 2.1.0 sender accepted");
    }
}

/* ERR_LIMIT when the mailbox is full, or would be with a message of the size that MAIL declared. The
   writer looks again when the message is there. */
static enum err_code check_quota(const struct account *account, struct store_mailbox *mailbox,
                                 uint64_t size, struct err *err)
{
    struct store_usage usage;
    struct store_read *read;
    enum err_code code;

    if (account->quota_bytes == 0 && account->quota_messages == 0)
        return ERR_NONE;
    if (store_read_begin(mailbox, &read, err) != ERR_NONE)
        return err->code;
    code = store_usage(read, &usage, err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return code;
    if (account->quota_bytes > 0 &&
        (usage.bytes >= account->quota_bytes || account->quota_bytes - usage.bytes < size))
        return err_set(err, ERR_LIMIT, "mailbox is full");
    if (account->quota_messages > 0 && usage.messages >= account->quota_messages)
        return err_set(err, ERR_LIMIT, "mailbox has too many messages");
    return ERR_NONE;
}

/* *again is true when the mailbox has to be made first, which waits for a commit. */
static enum err_code open_mailbox(struct store *store, const struct account *account, bool may_wait,
                                  struct store_mailbox **mailbox, bool *again, struct err *err)
{
    enum err_code code = store_mailbox_open(store, &account->guid, false, mailbox, NULL, err);

    *again = code == ERR_NOT_FOUND && !may_wait;
    if (code == ERR_NOT_FOUND && may_wait)
        return mailbox_open(store, account, mailbox, err);
    return code;
}

/* Finds the pending address's mailbox and adds it to the transaction. */
static enum err_code add_recipient(struct session *session, struct lmtp *lmtp, struct arena *arena,
                                   bool may_wait, bool *again, struct err *err)
{
    const struct backend *backend = session_backend(session);
    struct store_mailbox *mailbox;
    struct account account;
    const char *detail;

    if (directory_resolve(backend->directory, str_of(lmtp->pending), arena, &account, &detail,
                          err) != ERR_NONE)
        return err->code;
    if (!account.enabled || !(account.services & SERVICE_LMTP))
        return err_set(err, ERR_DENIED, "lmtp is off for %s", account.name);
    if (open_mailbox(backend->store, &account, may_wait, &mailbox, again, err) != ERR_NONE) {
        err->code = ERR_UNAVAILABLE; /* the user is there, so it is not for good */
        return err->code;
    }
    if (check_quota(&account, mailbox, lmtp->transaction.mail.size, err) != ERR_NONE) {
        store_mailbox_unref(&mailbox);
        return err->code;
    }
    transaction_add(&lmtp->transaction, lmtp->pending, &account, detail, mailbox);
    return ERR_NONE;
}

static enum step rcpt_step(struct session *session, struct lmtp *lmtp, unsigned why)
{
    struct arena arena = {0};
    struct err err = {0};
    bool again = false;
    enum err_code code = add_recipient(session, lmtp, &arena, why & WHY_WORKER, &again, &err);

    arena_reset(&arena);
    if (again)
        return STEP_WORK;
    if (code == ERR_NONE) {
        lmtp_reply(session, "250 2.1.5 recipient accepted");
    } else {
        lmtp_reply(session, lmtp_recipient_reply(&err));
        session_log_command(session, "RCPT <%s> refused: %s", lmtp->pending, err.text);
    }
    return lmtp_done(lmtp);
}

void lmtp_do_rcpt(struct session *session, struct lmtp *lmtp, struct str argument)
{
    const struct transaction *transaction = &lmtp->transaction;
    enum lmtp_fault fault = lmtp_rcpt(argument, transaction->mail.utf8, lmtp->pending);

    if (fault != LMTP_FINE)
        lmtp_reply(session, lmtp_fault_reply(fault));
    else if (transaction->recipient_count >=
             session_backend(session)->settings->lmtpbe.max_recipients)
        lmtp_reply(session, "452 4.5.3 too many recipients");
    else
        lmtp->running = rcpt_step;
}
