/* BDAT (RFC 3030): the content, chunk by chunk. */
#include <string.h>
#include <time.h>

#include "mailbox-backend/lmtp/lmtp.h"
#include "mailbox-backend/lmtp/trace.h"

#define SLICE 65536u        /* bytes taken at a time */
#define FAIR_SHARE 262144u  /* bytes in one call */
#define BIG_CONTENT 131072u /* from here on content is compressed and written on workers */

static int zone_now(time_t now)
{
    struct tm tm;

    localtime_r(&now, &tm);
    return (int)(tm.tm_gmtoff / 60);
}

static void append_trace(struct session *session, struct lmtp *lmtp)
{
    struct transaction *transaction = &lmtp->transaction;
    const Link__Client *client = session_client(session);
    time_t now = time(NULL);
    struct buf fields = {0};
    struct trace trace = {
        .sender = transaction->mail.sender,
        .client_name = lmtp->client_name,
        .client_address = client == NULL ? NULL : client->address,
        .host = session_backend(session)->settings->backend.name,
        .secured = client != NULL && client->secured,
        .utf8 = transaction->mail.utf8,
        .id = transaction->id,
        .time = now,
        .zone = zone_now(now),
    };

    trace_write(&trace, &fields);
    transaction_append(transaction, buf_bytes(&fields), buf_length(&fields));
    buf_release(&fields);
}

/* The whole chunk has come. */
static enum step end_chunk(struct session *session, struct lmtp *lmtp, unsigned why)
{
    struct transaction *transaction = &lmtp->transaction;
    uint64_t limit = session_backend(session)->settings->store.message_size_limit;

    if (lmtp->chunk_refusal != NULL) {
        lmtp_reply(session, lmtp->chunk_refusal);
        return lmtp_done(lmtp);
    }
    if (lmtp->chunk_last) {
        lmtp->running = lmtp_deliver_step;
        return lmtp_deliver_step(session, lmtp, why);
    }
    if (transaction_has_failed(transaction))
        lmtp_reply(session,
                   lmtp_content_reply(&transaction->targets->err, transaction->size, limit));
    else
        buf_printf(session_output(session), "250 2.0.0 %llu octets received\r\n",
                   (unsigned long long)lmtp->chunk);
    return lmtp_done(lmtp);
}

static void take_bytes(struct session *session, struct lmtp *lmtp, size_t length)
{
    struct buf *in = session_input(session);

    if (lmtp->chunk_refusal == NULL)
        transaction_append(&lmtp->transaction, buf_bytes(in), length);
    buf_consume(in, length);
    lmtp->chunk_left -= length;
}

static enum step chunk_step(struct session *session, struct lmtp *lmtp, unsigned why)
{
    struct buf *in = session_input(session);
    size_t length;

    for (size_t done = 0; lmtp->chunk_left > 0; done += length) {
        if (done >= FAIR_SHARE)
            return STEP_NEXT;
        length = buf_length(in) < SLICE ? buf_length(in) : SLICE;
        if (length > lmtp->chunk_left)
            length = (size_t)lmtp->chunk_left;
        if (length == 0)
            return STEP_IDLE;
        if (lmtp->transaction.size + length > BIG_CONTENT && lmtp->chunk_refusal == NULL &&
            !(why & WHY_WORKER))
            return STEP_WORK;
        take_bytes(session, lmtp, length);
    }
    return end_chunk(session, lmtp, why);
}

void lmtp_do_bdat(struct session *session, struct lmtp *lmtp, struct str argument)
{
    struct transaction *transaction = &lmtp->transaction;
    enum lmtp_fault fault = lmtp_bdat(argument, &lmtp->chunk, &lmtp->chunk_last);
    uint64_t expected = transaction->mail.size;

    if (fault != LMTP_FINE) {
        /* Where the chunk ends cannot be known: nothing that follows would be understood. */
        lmtp_reply(session, lmtp_fault_reply(fault));
        lmtp->ending = true;
        return;
    }
    lmtp->chunk_left = lmtp->chunk;
    lmtp->chunk_refusal = NULL;
    if (!transaction->begun)
        lmtp->chunk_refusal = "503 5.5.1 MAIL first";
    else if (transaction->recipient_count == 0)
        lmtp->chunk_refusal = "503 5.5.1 no valid recipients";
    else if (!transaction->has_content) {
        if (lmtp->chunk_last && expected < lmtp->chunk)
            expected = lmtp->chunk;
        transaction_open_content(transaction, session_backend(session), expected);
        append_trace(session, lmtp);
    }
    lmtp->running = chunk_step;
}
