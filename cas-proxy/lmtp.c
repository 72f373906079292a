#include "cas-proxy/lmtp.h"

#include <stdlib.h>
#include <string.h>

#include "cas-proxy/lmtp_access.h"
#include "cas-proxy/lmtp_session.h"
#include "common/mem.h"

#define FAULTS_MAX 20

void lmtp_say(struct lmtp *lmtp, const char *text)
{
    client_printf(lmtp->client, "%s\r\n", text);
}

void lmtp_say_fault(struct lmtp *lmtp, const char *text)
{
    lmtp_say(lmtp, text);
    if (++lmtp->faults < FAULTS_MAX)
        return;
    lmtp_say(lmtp, "421 4.7.0 too many errors");
    client_end(lmtp->client, "too many bad commands");
}

uint64_t lmtp_stall(const struct lmtp *lmtp)
{
    return lmtp->client->home->front->settings->lmtp.stall_timeout * 1000;
}

void lmtp_reset(struct lmtp *lmtp, Link__Close__Reason reason)
{
    struct lmtp_leg *leg;

    route_cancel(&lmtp->query);
    while ((leg = lmtp->legs) != NULL) {
        lmtp->legs = leg->next;
        leg_close(&leg, reason);
    }
    buf_release(&lmtp->content.chunk);
    lmtp->content = (struct lmtp_content){0};
    lmtp->has_mail = false;
    lmtp->recipients = lmtp->current = NULL;
    lmtp->recipient_end = &lmtp->recipients;
    lmtp->recipient_count = lmtp->asked = 0;
    lmtp->phase = LMTP_COMMAND;
    arena_reset(&lmtp->arena);
}

/* ---- lines ---- */

/* Takes the next command line; false when there is none. */
static bool command_step(struct lmtp *lmtp)
{
    struct conn *conn = lmtp->client->conn;
    size_t length = buf_length(conn_input(conn));
    const uint8_t *bytes = buf_bytes(conn_input(conn));
    const uint8_t *newline = length == 0 ? NULL : memchr(bytes, '\n', length);
    char line[LMTP_LINE_MAX];
    bool too_long;

    if (length == 0 || conn_is_full(conn))
        return false;
    if (newline != NULL)
        length = (size_t)(newline - bytes) + 1;
    lmtp->discarding |= length > LMTP_LINE_MAX;
    too_long = lmtp->discarding;
    if (newline == NULL && !too_long)
        return false;
    if (!too_long)
        memcpy(line, bytes, length);
    conn_consume(conn, length);
    lmtp->discarding = newline == NULL;
    if (newline == NULL)
        return false;
    if (too_long)
        lmtp_say_fault(lmtp, "500 5.5.2 line too long");
    else
        lmtp_dispatch(lmtp, str_trim(str_n(line, length)));
    return true;
}

static bool wait_step(struct lmtp *lmtp)
{
    (void)lmtp;
    return false;
}

static bool (*const steps[])(struct lmtp *lmtp) = {
    [LMTP_COMMAND] = command_step,      [LMTP_ROUTE] = wait_step,
    [LMTP_ASK] = lmtp_recipient_step,   [LMTP_CONTENT] = lmtp_content_step,
    [LMTP_RESULTS] = lmtp_results_step,
};

/* ---- time ---- */

static uint64_t now(const struct lmtp *lmtp)
{
    return loop_now(lmtp->client->home->loop);
}

/* True when it is the client's turn to send something. */
static bool awaits_client(const struct lmtp *lmtp)
{
    if (lmtp->phase != LMTP_CONTENT)
        return lmtp->phase == LMTP_COMMAND;
    for (const struct lmtp_leg *leg = lmtp->legs; leg != NULL; leg = leg->next)
        if (leg->chunk_open && !leg_has_failed(leg))
            return false;
    return true;
}

static void set_timer(struct lmtp *lmtp)
{
    uint64_t first = awaits_client(lmtp) ? lmtp->deadline : UINT64_MAX;
    uint64_t present = now(lmtp);

    for (const struct lmtp_leg *leg = lmtp->legs; leg != NULL; leg = leg->next)
        if (leg_is_awaited(leg) && leg->deadline < first)
            first = leg->deadline;
    if (first == UINT64_MAX)
        client_set_timeout(lmtp->client, 0);
    else
        client_set_timeout(lmtp->client, first > present ? (first - present + 999) / 1000 : 1);
}

static void on_timeout(struct lmtp *lmtp)
{
    uint64_t present = now(lmtp);

    for (struct lmtp_leg *leg = lmtp->legs; leg != NULL; leg = leg->next)
        if (leg_is_awaited(leg) && leg->deadline <= present)
            leg_fail(leg, "stalls");
    if (awaits_client(lmtp) && lmtp->deadline <= present) {
        lmtp_say(lmtp, "421 4.4.2 nothing came for too long");
        client_end(lmtp->client, "timed out");
    }
}

/* ---- the decider ---- */

void lmtp_run(struct lmtp *lmtp)
{
    struct client *client = lmtp->client;

    if (lmtp->running)
        return;
    lmtp->running = true;
    while (!client->ended && steps[lmtp->phase](lmtp))
        ;
    if (client->ended)
        return;
    lmtp->running = false;
    set_timer(lmtp);
}

static void greet(struct lmtp *lmtp)
{
    struct client *client = lmtp->client;

    if (lmtp_access(client) == LMTP_REFUSED) {
        lmtp_say(lmtp, "554 5.7.1 no mail is taken from your address");
        client_end(client, "refused: not in lmtp_networks");
        return;
    }
    client_printf(client, "220 %s LMTP %s\r\n", client->home->front->settings->front.name,
                  client->settings->banner != NULL ? client->settings->banner : "");
}

/* What was said in clear does not count (RFC 3207 section 4.2). */
static void on_secured(struct lmtp *lmtp)
{
    lmtp_reset(lmtp, LINK__CLOSE__REASON__NORMAL);
    lmtp->name[0] = '\0';
}

static void on_stop(struct lmtp *lmtp)
{
    lmtp_say(lmtp, "421 4.3.2 service stops, try again later");
    client_end(lmtp->client, "the service stops");
}

static void advance(struct client *client, enum client_event event)
{
    struct lmtp *lmtp = client->state;

    if (event == CLIENT_TIMEOUT)
        on_timeout(lmtp);
    else
        lmtp->deadline = now(lmtp) + client->settings->login_timeout * 1000;
    if (event == CLIENT_START)
        greet(lmtp);
    else if (event == CLIENT_SECURED)
        on_secured(lmtp);
    else if (event == CLIENT_STOP)
        on_stop(lmtp);
    if (!client->ended)
        lmtp_run(lmtp);
}

static void open_session(struct client *client)
{
    struct lmtp *lmtp = mem_alloc(sizeof(*lmtp));

    lmtp->client = client;
    lmtp->recipient_end = &lmtp->recipients;
    client->state = lmtp;
}

static void close_session(struct client *client)
{
    struct lmtp *lmtp = client->state;

    lmtp_reset(lmtp, LINK__CLOSE__REASON__CLIENT_GONE);
    free(lmtp);
    client->state = NULL;
}

const struct client_protocol lmtp_protocol = {
    .service = "lmtp",
    .back_service = "lmtpbe",
    .number = 2,
    .busy = "421 4.3.2 too many connections, try again later\r\n",
    .open = open_session,
    .advance = advance,
    .close = close_session,
};
