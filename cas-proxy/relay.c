#include "cas-proxy/relay.h"

#include <stdio.h>

#define INPUT_LIMIT ((size_t)64 << 10)
#define CHECK_SECONDS 60
#define STILL_MOST 10 /* checks in a row in which the client took nothing */
#define REST_MS 1000  /* without a byte for the client: no answer is on its way */

/* Passes on what the session has room for; the rest waits in the connection, which then stops
   reading by itself. */
static void pump(struct relay *relay)
{
    struct client *client = relay->client;
    struct buf *input = conn_input(client->conn);
    size_t taken;

    if (buf_length(input) == 0)
        return;
    taken = link_session_data(relay->session, buf_bytes(input), buf_length(input));
    client->bytes_in += taken;
    if (taken > 0)
        conn_consume(client->conn, taken);
}

/* Looks once a minute, as long as there is output, whether the client takes any of it. */
static void wind_clock(struct relay *relay)
{
    if (relay->clock_runs)
        return;
    relay->clock_runs = true;
    relay->still = 0;
    relay->taken = relay->client->bytes_out - conn_pending(relay->client->conn);
    client_set_timeout(relay->client, CHECK_SECONDS);
}

static void check_clock(struct relay *relay)
{
    struct client *client = relay->client;
    size_t pending = conn_pending(client->conn);
    uint64_t taken = client->bytes_out - pending;

    relay->clock_runs = false;
    if (pending == 0)
        return;
    if (taken == relay->taken && ++relay->still == STILL_MOST) {
        client_end(client, "cut off: took no output for 10 minutes");
        return;
    }
    if (taken != relay->taken)
        relay->still = 0;
    relay->taken = taken;
    relay->clock_runs = true;
    client_set_timeout(client, CHECK_SECONDS);
}

static void give_credit(struct relay *relay)
{
    size_t owed = relay->owed;

    if (owed == 0 || conn_is_full(relay->client->conn))
        return;
    relay->owed = 0;
    link_session_consumed(relay->session, owed);
}

void relay_start(struct relay *relay, struct client *client, struct link_session *session)
{
    relay->client = client;
    relay->session = session;
    relay->at_line_end = true;
    client_set_timeout(client, 0);
    conn_set_input_limit(client->conn, INPUT_LIMIT);
    pump(relay);
}

/* Within a literal a line of ours would be taken for a part of the message. What the bytes mean is not
   known here, so a line is said only to a client that has had all of them, for some time. */
static bool is_at_rest(const struct relay *relay)
{
    const struct client *client = relay->client;

    return relay->at_line_end && conn_pending(client->conn) == 0 &&
           loop_now(client->home->loop) >= relay->spoken + REST_MS;
}

static void say(struct relay *relay, const char *line)
{
    if (is_at_rest(relay))
        client_write(relay->client, line);
}

static void stop(struct relay *relay)
{
    struct link_session *session = relay->session;

    relay->session = NULL;
    link_session_close(session, LINK__CLOSE__REASON__SHUTDOWN, "the front stops");
    say(relay, relay->stopping);
    client_end(relay->client, "ended: the service stops");
}

void relay_advance(struct relay *relay, enum client_event event)
{
    switch (event) {
    case CLIENT_INPUT:
        pump(relay);
        break;
    case CLIENT_DRAINED:
        give_credit(relay);
        break;
    case CLIENT_TIMEOUT:
        check_clock(relay);
        break;
    case CLIENT_STOP:
        stop(relay);
        break;
    default:
        break;
    }
}

void relay_data(struct relay *relay, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return;
    conn_write(relay->client->conn, bytes, length);
    relay->client->bytes_out += length;
    relay->owed += length;
    relay->at_line_end = bytes[length - 1] == '\n';
    relay->spoken = loop_now(relay->client->home->loop);
    wind_clock(relay);
    give_credit(relay);
}

void relay_room(struct relay *relay)
{
    pump(relay);
}

/* A back end that ends a session in an orderly way has said so to the client; when it is lost, the
   front does. */
void relay_closed(struct relay *relay, Link__Close__Reason reason, const char *text)
{
    struct client *client = relay->client;
    char why[200];

    relay->session = NULL;
    if (reason == LINK__CLOSE__REASON__NORMAL) {
        client_end(client, "logged out");
        return;
    }
    if (reason == LINK__CLOSE__REASON__INTERNAL || reason == LINK__CLOSE__REASON__PROTOCOL ||
        reason == LINK__CLOSE__REASON__UNSUPPORTED)
        say(relay, relay->goodbye);
    snprintf(why, sizeof(why), "ended by the back end: %s",
             text != NULL && *text != '\0' ? text : "no reason given");
    client_end(client, why);
}

void relay_close(struct relay *relay)
{
    struct link_session *session = relay->session;

    relay->session = NULL;
    if (session != NULL)
        link_session_close(session, LINK__CLOSE__REASON__CLIENT_GONE, "the client is gone");
}
