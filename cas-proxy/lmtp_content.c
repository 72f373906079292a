/* DATA and BDAT: content goes to the back ends as it comes, one chunk at a time. The next one is read
   when all of them have taken the last, so nothing is held but that. */
#include "cas-proxy/lmtp_session.h"

#include "common/log.h"

/* ---- DATA and BDAT ---- */

/* The recipients are known: back ends that have accepted none are not needed. */
static void begin_content(struct lmtp *lmtp)
{
    struct lmtp_leg **link = &lmtp->legs;

    lmtp->content.begun = true;
    while (*link != NULL) {
        struct lmtp_leg *leg = *link;

        if (leg->accepted > 0) {
            link = &leg->next;
            continue;
        }
        *link = leg->next;
        leg_close(&leg, LINK__CLOSE__REASON__NORMAL);
    }
}

void lmtp_do_data(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    if (lmtp->recipient_count == 0) {
        lmtp_say_fault(lmtp, "503 5.5.1 no valid recipients");
    } else {
        begin_content(lmtp);
        lmtp->content.by_bdat = false;
        lmtp->content.refusal = NULL;
        lmtp_say(lmtp, "354 end with <CRLF>.<CRLF>");
        lmtp->phase = LMTP_CONTENT;
    }
}

void lmtp_do_bdat(struct lmtp *lmtp, struct str argument)
{
    struct lmtp_content *content = &lmtp->content;
    enum lmtp_fault fault = lmtp_bdat(argument, &content->announced, &content->last);

    if (fault != LMTP_FINE) {
        /* Where the chunk ends cannot be known: nothing that follows would be understood. */
        lmtp_say(lmtp, lmtp_fault_reply(fault));
        lmtp_say(lmtp, "421 4.5.2 cannot tell where the chunk ends");
        client_end(lmtp->client, "BDAT without a size");
        return;
    }
    content->left = content->announced;
    content->by_bdat = true;
    content->refusal = NULL;
    if (!lmtp->has_mail)
        content->refusal = "503 5.5.1 MAIL first";
    else if (lmtp->recipient_count == 0)
        content->refusal = "503 5.5.1 no valid recipients";
    else if (!content->begun)
        begin_content(lmtp);
    lmtp->phase = LMTP_CONTENT;
}

/* ---- from the client ---- */

static void take_bdat(struct lmtp *lmtp)
{
    struct lmtp_content *content = &lmtp->content;
    struct buf *in = conn_input(lmtp->client->conn);
    size_t length = buf_length(in) < LMTP_CHUNK_MAX ? buf_length(in) : LMTP_CHUNK_MAX;

    if (length > content->left)
        length = (size_t)content->left;
    if (length > 0) {
        if (content->refusal == NULL)
            buf_append(&content->chunk, buf_bytes(in), length);
        conn_consume(lmtp->client->conn, length);
    }
    content->left -= length;
}

static void take_data(struct lmtp *lmtp)
{
    struct lmtp_content *content = &lmtp->content;
    struct buf *in = conn_input(lmtp->client->conn);

    if (buf_length(in) > 0)
        conn_consume(lmtp->client->conn, lmtp_dot_feed(&content->dot, buf_bytes(in), buf_length(in),
                                                       &content->chunk, LMTP_CHUNK_MAX));
}

/* True when there is a chunk for the back ends. */
static bool refill(struct lmtp *lmtp)
{
    struct lmtp_content *content = &lmtp->content;

    if (content->by_bdat) {
        take_bdat(lmtp);
        content->chunk_is_last = content->left == 0 && content->last;
    } else {
        take_data(lmtp);
        content->chunk_is_last = lmtp_dot_is_over(&content->dot);
    }
    content->size += buf_length(&content->chunk);
    lmtp->client->bytes_in += buf_length(&content->chunk);
    return buf_length(&content->chunk) > 0 || content->chunk_is_last;
}

/* ---- to the back ends ---- */

static bool chunk_is_sent(struct lmtp *lmtp)
{
    bool sent = true;

    for (struct lmtp_leg *leg = lmtp->legs; leg != NULL; leg = leg->next)
        sent &= leg_pump(leg);
    return sent;
}

static void send_chunk(struct lmtp *lmtp)
{
    for (struct lmtp_leg *leg = lmtp->legs; leg != NULL; leg = leg->next)
        leg_begin_chunk(leg);
}

/* The client's chunk is through, and there will be others. */
static bool end_bdat(struct lmtp *lmtp)
{
    client_printf(lmtp->client, "250 2.0.0 %llu octets received\r\n",
                  (unsigned long long)lmtp->content.announced);
    lmtp->phase = LMTP_COMMAND;
    return true;
}

/* Bytes of a BDAT that had no place. */
static bool discard_step(struct lmtp *lmtp)
{
    take_bdat(lmtp);
    if (lmtp->content.left > 0)
        return buf_length(conn_input(lmtp->client->conn)) > 0;
    lmtp->phase = LMTP_COMMAND;
    lmtp_say_fault(lmtp, lmtp->content.refusal);
    return true;
}

bool lmtp_content_step(struct lmtp *lmtp)
{
    struct lmtp_content *content = &lmtp->content;

    if (content->refusal != NULL)
        return discard_step(lmtp);
    if (!chunk_is_sent(lmtp))
        return false;
    buf_truncate(&content->chunk, 0);
    if (content->chunk_is_last) {
        buf_release(&content->chunk);
        lmtp->current = lmtp->recipients;
        lmtp->phase = LMTP_RESULTS;
        return true;
    }
    if (content->by_bdat && content->left == 0 && !content->last)
        return end_bdat(lmtp);
    if (!refill(lmtp))
        return false;
    send_chunk(lmtp);
    return true;
}

/* ---- results ---- */

static const char *result_of(const struct lmtp_recipient *recipient)
{
    if (recipient->result == NULL && leg_has_failed(recipient->leg))
        return LMTP_UNAVAILABLE;
    return recipient->result;
}

bool lmtp_results_step(struct lmtp *lmtp)
{
    for (; lmtp->current != NULL; lmtp->current = lmtp->current->next) {
        const struct lmtp_recipient *recipient = lmtp->current;
        const char *result = result_of(recipient);

        if (result == NULL)
            return false;
        lmtp_say(lmtp, result);
        log_info(lmtp->client->who, "from=<%s> to=<%s> size=%llu back=%s: %s", lmtp->mail.sender,
                 recipient->address, (unsigned long long)lmtp->content.size,
                 recipient->leg->back->name, result);
    }
    lmtp_reset(lmtp, LINK__CLOSE__REASON__NORMAL);
    return true;
}
