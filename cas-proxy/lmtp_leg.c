#include "cas-proxy/lmtp_leg.h"

#include <stdlib.h>
#include <string.h>

#include "cas-proxy/lmtp.h"
#include "cas-proxy/lmtp_session.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/lmtp_syntax.h"

#define REPLY_LINE_MAX 1024u
#define FINAL_FACTOR                                                                               \
    10 /* a commit may take longer than a reply: giving up too early makes duplicates */

static const struct link_session_events events;

static void touch(struct lmtp_leg *leg)
{
    uint64_t patience = lmtp_stall(leg->lmtp) * (leg->is_last ? FINAL_FACTOR : 1);

    leg->deadline = loop_now(leg->lmtp->client->home->loop) + patience;
}

/* ---- beginning and end ---- */

/* True when the back end says that its mail service is on. */
static bool takes_mail(const struct back *back)
{
    const Link__Hello *hello = link_is_up(back->link) ? link_peer(back->link) : NULL;

    for (size_t i = 0; hello != NULL && i < hello->n_services; i++)
        if (strcmp(hello->services[i]->name, lmtp_protocol.back_service) == 0)
            return true;
    return false;
}

static void write_mail(struct lmtp_leg *leg)
{
    const struct lmtp *lmtp = leg->lmtp;

    buf_printf(&leg->out, "LHLO %s\r\nMAIL FROM:<%s>", lmtp->name, lmtp->mail.sender);
    if (lmtp->mail.size > 0)
        buf_printf(&leg->out, " SIZE=%llu", (unsigned long long)lmtp->mail.size);
    if (lmtp->mail.eight_bit)
        buf_text(&leg->out, " BODY=8BITMIME");
    if (lmtp->mail.utf8)
        buf_text(&leg->out, " SMTPUTF8");
    buf_text(&leg->out, "\r\n");
}

static struct link_session *open_session(struct lmtp_leg *leg)
{
    Link__Open open = LINK__OPEN__INIT;
    Link__Client facts = LINK__CLIENT__INIT;
    const struct client *client = leg->lmtp->client;
    struct client_facts room;

    client_fill(client, &facts, &room);
    open.service = (char *)lmtp_protocol.back_service;
    open.client = &facts;
    open.trace = client->trace;
    return link_open(leg->back->link, &open, &events, leg);
}

struct lmtp_leg *leg_open(struct lmtp *lmtp, struct back *back)
{
    struct lmtp_leg *leg;

    if (!takes_mail(back)) {
        log_warning(lmtp->client->who, "back end %s is away or has lmtpbe off", back->name);
        return NULL;
    }
    leg = mem_alloc(sizeof(*leg));
    leg->lmtp = lmtp;
    leg->back = back;
    leg->session = open_session(leg);
    if (leg->session == NULL) {
        free(leg);
        return NULL;
    }
    write_mail(leg);
    touch(leg);
    return leg;
}

void leg_close(struct lmtp_leg **leg, Link__Close__Reason reason)
{
    if ((*leg)->session != NULL)
        link_session_close((*leg)->session, reason, "");
    buf_release(&(*leg)->out);
    buf_release(&(*leg)->in);
    free(*leg);
    *leg = NULL;
}

void leg_fail(struct lmtp_leg *leg, const char *why)
{
    if (leg->stage == LEG_FAILED)
        return;
    log_warning(leg->lmtp->client->who, "back end %s: %s", leg->back->name, why);
    leg->stage = LEG_FAILED;
    if (leg->session != NULL)
        link_session_close(leg->session, LINK__CLOSE__REASON__NORMAL, "");
    leg->session = NULL;
    if (leg->pending != NULL)
        leg->pending->answer = LMTP_UNAVAILABLE;
    leg->pending = NULL;
    buf_release(&leg->out);
    buf_release(&leg->in);
}

bool leg_has_failed(const struct lmtp_leg *leg)
{
    return leg->stage == LEG_FAILED;
}

/* ---- commands and content to the back end ---- */

void leg_ask(struct lmtp_leg *leg, struct lmtp_recipient *recipient)
{
    if (leg_has_failed(leg)) {
        recipient->answer = LMTP_UNAVAILABLE;
        return;
    }
    leg->pending = recipient;
    buf_printf(&leg->out, "RCPT TO:<%s>\r\n", recipient->address);
    touch(leg);
    leg_pump(leg);
}

void leg_begin_chunk(struct lmtp_leg *leg)
{
    const struct lmtp_content *content = &leg->lmtp->content;

    if (leg_has_failed(leg) || (leg->muted && !content->chunk_is_last))
        return;
    leg->chunk_sent = 0;
    leg->chunk_open = !leg->muted;
    buf_printf(&leg->out, "BDAT %zu%s\r\n", leg->muted ? 0 : buf_length(&content->chunk),
               content->chunk_is_last ? " LAST" : "");
    if (content->chunk_is_last)
        leg->is_last = true;
    else
        leg->chunks++;
    if (leg->is_last)
        leg->next_result = leg->lmtp->recipients;
    touch(leg);
}

static void send_commands(struct lmtp_leg *leg)
{
    size_t room = link_session_room(leg->session);
    size_t length = buf_length(&leg->out);

    if (length > room)
        length = room;
    if (length == 0)
        return;
    buf_consume(&leg->out, link_session_data(leg->session, buf_bytes(&leg->out), length));
    touch(leg);
}

static void send_chunk(struct lmtp_leg *leg)
{
    const struct buf *chunk = &leg->lmtp->content.chunk;
    size_t left = buf_length(chunk) - leg->chunk_sent;
    size_t room = left > 0 ? link_session_room(leg->session) : 0;

    if (left > room)
        left = room;
    if (left == 0)
        return;
    leg->chunk_sent += link_session_data(leg->session, buf_bytes(chunk) + leg->chunk_sent, left);
    touch(leg);
}

bool leg_pump(struct lmtp_leg *leg)
{
    if (leg_has_failed(leg))
        return true;
    send_commands(leg);
    if (buf_length(&leg->out) > 0)
        return false;
    if (leg->chunk_open) {
        send_chunk(leg);
        leg->chunk_open = leg->chunk_sent < buf_length(&leg->lmtp->content.chunk);
    }
    return !leg->chunk_open;
}

/* ---- replies ---- */

/* The leg's next recipient that waits for its result. */
static struct lmtp_recipient *next_result(struct lmtp_leg *leg)
{
    struct lmtp_recipient *one = leg->next_result;

    while (one != NULL && (one->leg != leg || !one->accepted))
        one = one->next;
    return one;
}

bool leg_is_awaited(const struct lmtp_leg *leg)
{
    if (leg_has_failed(leg))
        return false;
    return leg->stage != LEG_RUNS || leg->pending != NULL || leg->chunks > 0 || leg->is_last ||
           leg->chunk_open || buf_length(&leg->out) > 0;
}

static void on_mail_reply(struct lmtp_leg *leg, struct str reply)
{
    leg->stage = LEG_RUNS;
    if (reply.data[0] != '2')
        leg->refusal = arena_copy(&leg->lmtp->arena, reply.data, reply.length);
}

static void on_rcpt_reply(struct lmtp_leg *leg, struct str reply)
{
    struct lmtp_recipient *recipient = leg->pending;

    leg->pending = NULL;
    recipient->answer = leg->refusal != NULL
                            ? leg->refusal
                            : arena_copy(&leg->lmtp->arena, reply.data, reply.length);
    recipient->accepted = recipient->answer[0] == '2';
    if (recipient->accepted)
        leg->accepted++;
}

static void on_result(struct lmtp_leg *leg, struct str reply)
{
    struct lmtp_recipient *recipient = next_result(leg);

    recipient->result = arena_copy(&leg->lmtp->arena, reply.data, reply.length);
    leg->next_result = recipient->next;
    if (next_result(leg) == NULL)
        leg->is_last = false;
}

/* The last line of a reply has come. */
static void on_reply(struct lmtp_leg *leg, struct str reply)
{
    if (leg->stage < LEG_MAIL) {
        if (reply.data[0] == '2')
            leg->stage++;
        else
            leg_fail(leg, "refuses the session");
    } else if (leg->stage == LEG_MAIL) {
        on_mail_reply(leg, reply);
    } else if (leg->pending != NULL) {
        on_rcpt_reply(leg, reply);
    } else if (leg->chunks > 0) {
        leg->chunks--;
        leg->muted |= reply.data[0] != '2';
    } else if (leg->is_last && next_result(leg) != NULL) {
        on_result(leg, reply);
    } else {
        leg_fail(leg, "says what was not asked for");
    }
}

static bool is_reply(struct str line)
{
    for (size_t i = 0; i < 3; i++)
        if (i >= line.length || line.data[i] < '0' || line.data[i] > '9')
            return false;
    return line.length > 3 && (line.data[3] == ' ' || line.data[3] == '-');
}

/* Takes one line off the input; false when there is none. */
static bool take_line(struct lmtp_leg *leg)
{
    size_t length = buf_length(&leg->in);
    const uint8_t *bytes = length == 0 ? NULL : buf_bytes(&leg->in);
    const uint8_t *newline = length == 0 ? NULL : memchr(bytes, '\n', length);
    struct str line;

    if (newline != NULL)
        length = (size_t)(newline - bytes) + 1;
    line = str_trim(str_n(bytes, length));
    if (length > REPLY_LINE_MAX || (newline != NULL && !is_reply(line))) {
        leg_fail(leg, "says what is no reply");
        return false;
    }
    if (newline == NULL)
        return false;
    if (line.data[3] == ' ')
        on_reply(leg, line);
    if (leg_has_failed(leg))
        return false;
    buf_consume(&leg->in, length);
    return true;
}

/* ---- what the link tells ---- */

static void on_message(void *context, const Link__Frame *frame)
{
    struct lmtp_leg *leg = context;

    if (frame->body_case == LINK__FRAME__BODY_OPENED)
        leg_pump(leg);
    else if (frame->body_case == LINK__FRAME__BODY_REFUSED)
        log_warning(leg->lmtp->client->who, "back end %s refuses the session: %s", leg->back->name,
                    frame->refused->text);
}

static void on_data(void *context, const uint8_t *bytes, size_t length)
{
    struct lmtp_leg *leg = context;

    touch(leg);
    buf_append(&leg->in, bytes, length);
    link_session_consumed(leg->session, length);
    while (take_line(leg))
        ;
    lmtp_run(leg->lmtp);
}

static void on_room(void *context)
{
    struct lmtp_leg *leg = context;

    leg_pump(leg);
    lmtp_run(leg->lmtp);
}

static void on_closed(void *context, Link__Close__Reason reason, const char *text)
{
    struct lmtp_leg *leg = context;

    (void)reason;
    leg->session = NULL;
    leg_fail(leg, text != NULL && text[0] != '\0' ? text : "closed the session");
    lmtp_run(leg->lmtp);
}

static const struct link_session_events events = {
    .message = on_message,
    .data = on_data,
    .room = on_room,
    .closed = on_closed,
};
