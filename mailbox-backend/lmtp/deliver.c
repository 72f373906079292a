/* After the last chunk: one message for every database, one operation for every recipient, one answer
   for every recipient when its commit is durable (RFC 2033 section 4.2). */
#include <string.h>
#include <time.h>

#include "mailbox-backend/lmtp/lmtp.h"
#include "mailbox-backend/mailbox/filing.h"

static bool is_junk(const struct backend *backend, struct intake *intake)
{
    const struct setting_list *headers = &backend->settings->lmtpbe.junk_header;

    for (size_t i = 0; i < headers->count; i++)
        if (intake_has_header(intake, headers->items[i]))
            return true;
    return false;
}

static uint32_t choose_folder(const struct recipient *recipient, bool junk)
{
    struct store_read *read;
    struct err err;
    uint32_t folder;

    if (store_read_begin(recipient->mailbox, &read, &err) != ERR_NONE)
        return STORE_INBOX_FOLDER;
    folder = filing_folder(read, junk, recipient->detail);
    store_read_end(&read);
    return folder;
}

static void prepare(struct recipient *recipient, bool junk)
{
    struct store_op *op = &recipient->op;
    time_t now = time(NULL);
    struct tm tm;

    intake_fill(recipient->target->intake, op);
    localtime_r(&now, &tm);
    recipient->property = (struct store_property){
        .name = "lmtp/recipient",
        .value = recipient->address,
        .length = strlen(recipient->address),
    };
    op->mailbox = recipient->mailbox;
    op->folder = choose_folder(recipient, junk);
    op->in.append.internal_date = now;
    op->in.append.zone = (int16_t)(tm.tm_gmtoff / 60);
    op->in.append.properties = &recipient->property;
    op->in.append.property_count = 1;
    op->in.append.quota_bytes = recipient->quota_bytes;
    op->in.append.quota_messages = recipient->quota_messages;
}

/* Several addresses of one user, or one twice, that lead to one folder: the message is put there
   once. All recipients before this one are prepared, or of other targets. */
static const struct recipient *find_same(const struct transaction *transaction,
                                         const struct recipient *one)
{
    for (const struct recipient *other = transaction->recipients; other != one; other = other->next)
        if (other->target == one->target && other->same == NULL &&
            other->op.folder == one->op.folder &&
            memcmp(store_mailbox_guid(other->mailbox), store_mailbox_guid(one->mailbox),
                   sizeof(struct store_guid)) == 0)
            return other;
    return NULL;
}

static void submit_target(struct session *session, struct transaction *transaction,
                          const struct target *target)
{
    bool junk = is_junk(session_backend(session), target->intake);
    struct store_op **ops =
        arena_array(&transaction->arena, transaction->recipient_count, sizeof(struct store_op *));
    size_t count = 0;

    for (struct recipient *one = transaction->recipients; one != NULL; one = one->next) {
        if (one->target != target)
            continue;
        prepare(one, junk);
        one->same = find_same(transaction, one);
        if (one->same == NULL)
            ops[count++] = &one->op;
    }
    session_submit_all(session, ops, count, false);
}

/* The folder went away between the choice and the commit: mail is not lost for that. */
static void submit_again(struct session *session, struct transaction *transaction)
{
    for (struct recipient *one = transaction->recipients; one != NULL; one = one->next) {
        if (one->target->intake == NULL || one->op.err.code != ERR_NOT_FOUND ||
            one->op.folder == STORE_INBOX_FOLDER)
            continue;
        one->op.folder = STORE_INBOX_FOLDER;
        session_submit(session, &one->op);
    }
}

static void log_delivery(struct session *session, const struct transaction *transaction,
                         const struct recipient *recipient, const struct err *err,
                         const char *reply)
{
    bool failed = err->code != ERR_NONE;

    session_log_command(session, "delivery id=%s from=<%s> to=<%s> user=%s size=%llu: %s%s%s%s",
                        transaction->id, transaction->mail.sender, recipient->address,
                        recipient->user, (unsigned long long)transaction->size, reply,
                        failed ? " (" : "", failed ? err->text : "", failed ? ")" : "");
}

static void answer(struct session *session, const struct transaction *transaction,
                   const struct recipient *recipient)
{
    uint64_t limit = session_backend(session)->settings->store.message_size_limit;
    const struct target *target = recipient->target;
    const struct recipient *stored = recipient->same != NULL ? recipient->same : recipient;
    bool taken = target->intake != NULL;
    const struct err *err = taken ? &stored->op.err : &target->err;
    const char *reply =
        taken ? lmtp_store_reply(err) : lmtp_content_reply(err, transaction->size, limit);

    lmtp_reply(session, reply);
    log_delivery(session, transaction, recipient, err, reply);
}

static enum step answer_step(struct session *session, struct lmtp *lmtp, unsigned why)
{
    (void)why;
    for (; lmtp->answered != NULL; lmtp->answered = lmtp->answered->next) {
        if (session_room(session) == 0)
            return STEP_MORE;
        answer(session, &lmtp->transaction, lmtp->answered);
    }
    transaction_reset(&lmtp->transaction);
    return lmtp_done(lmtp);
}

static enum step settle_step(struct session *session, struct lmtp *lmtp, unsigned why)
{
    submit_again(session, &lmtp->transaction);
    if (session_is_waiting(session))
        return STEP_WAIT;
    lmtp->answered = lmtp->transaction.recipients;
    lmtp->running = answer_step;
    return answer_step(session, lmtp, why);
}

enum step lmtp_deliver_step(struct session *session, struct lmtp *lmtp, unsigned why)
{
    struct transaction *transaction = &lmtp->transaction;

    for (struct target *target = transaction->targets; target != NULL; target = target->next) {
        if (target->intake != NULL && intake_finish(target->intake, &target->err) != ERR_NONE)
            intake_destroy(&target->intake);
        if (target->intake != NULL)
            submit_target(session, transaction, target);
    }
    lmtp->running = settle_step;
    return session_is_waiting(session) ? STEP_WAIT : settle_step(session, lmtp, why);
}
