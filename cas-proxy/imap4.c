#include "cas-proxy/imap4.h"

#include <stdlib.h>

#include "cas-proxy/imap4_inside.h"
#include "cas-proxy/line.h"
#include "common/mem.h"

#define COMMANDS_MOST 100 /* before login; each of them restarts the clock */

static void advance(struct client *client, enum client_event event);

static void say_bye(struct client *client, const char *line, const char *why)
{
    client_write(client, line);
    client_end(client, why);
}

static struct str input_of(const struct client *client)
{
    const struct buf *input = conn_input(client->conn);

    return str_n(buf_bytes(input), buf_length(input));
}

/* The command, which is this long, has been answered or goes to the back end. */
static void command_ended(struct client *client, size_t length)
{
    struct imap4 *imap4 = client->state;

    if (client->ended)
        return;
    client_consume(client, length);
    imap4->scan = (struct imap4_scan){0};
    if (imap4->login.stage == LOGIN_OFF)
        client_set_timeout(client, client->settings->login_timeout);
    if (imap4->starts_tls)
        client_start_tls(client);
    else if (++imap4->commands >= COMMANDS_MOST && imap4->login.stage == LOGIN_OFF)
        say_bye(client, "* BYE too many commands without a login\r\n",
                "cut off: too many commands without a login");
}

static void whole_command(struct client *client, size_t length)
{
    imap4_run(client, str_n(input_of(client).data, length));
    command_ended(client, length);
}

/* The literal is not sent by a client that waits: where it is not wanted, the command ends here. */
static void literal_announced(struct client *client, size_t length)
{
    if (imap4_wants_literal(client, str_n(input_of(client).data, length)))
        client_write(client, "+ go on\r\n");
    else
        command_ended(client, length);
}

static void literal_too_big(struct client *client, size_t length)
{
    struct imap4_command parts;

    imap4_command(&parts, str_n(input_of(client).data, length));
    imap4_bad(client, parts.tag, "[TOOBIG] the literal is too long");
    command_ended(client, length);
}

/* True when there may be more to do. */
static bool take_command(struct client *client)
{
    struct imap4 *imap4 = client->state;

    switch (imap4_scan(&imap4->scan, input_of(client))) {
    case IMAP4_WHOLE:
        whole_command(client, imap4->scan.seen);
        return true;
    case IMAP4_CONTINUE:
        literal_announced(client, imap4->scan.seen + 1);
        return true;
    case IMAP4_TOO_BIG:
        literal_too_big(client, imap4->scan.seen);
        return true;
    case IMAP4_TOO_LONG:
        say_bye(client, "* BYE the command is too long\r\n", "cut off: the command is too long");
        return false;
    default:
        return false;
    }
}

static bool take_sasl_answer(struct client *client)
{
    struct imap4 *imap4 = client->state;
    struct str input = input_of(client);
    size_t length;

    switch (line_find(input, IMAP4_SASL_MAX, &imap4->line_seen, &length)) {
    case LINE_WHOLE:
        imap4->line_seen = 0;
        imap4_sasl_answer(client, str_n(input.data, length));
        if (!client->ended)
            client_consume(client, length);
        return true;
    case LINE_TOO_LONG:
        say_bye(client, "* BYE the line is too long\r\n", "cut off: the SASL line is too long");
        return false;
    default:
        return false;
    }
}

/* Commands are taken one by one until one has to wait for somebody else. */
static void take_input(struct client *client)
{
    struct imap4 *imap4 = client->state;
    bool more = true;

    while (more && !client->ended && !imap4->starts_tls && !login_is_busy(&imap4->login) &&
           !conn_is_full(client->conn))
        more = imap4->is_answering ? take_sasl_answer(client) : take_command(client);
}

static void on_refused(struct client *client, Link__Refused__Code code, const char *text)
{
    struct imap4 *imap4 = client->state;

    imap4->is_answering = false; /* whatever was asked */
    imap4_refused(client, code, text);
    if (login_is_hopeless(&imap4->login)) {
        say_bye(client, "* BYE too many failed logins\r\n", "cut off: too many failed logins");
        return;
    }
    client_set_timeout(client, client->settings->login_timeout);
    take_input(client);
}

static void on_challenged(struct client *client, const char *challenge)
{
    imap4_challenged(client, challenge);
    take_input(client);
}

static void greet(struct client *client)
{
    imap4_say_capability(client, "* OK [CAPABILITY ", "] ");
    client_printf(client, "%s\r\n", client->settings->banner);
    client_set_timeout(client, client->settings->login_timeout);
}

/* What was said in clear may have been said by somebody else. */
static void secured(struct client *client)
{
    struct imap4 *imap4 = client->state;

    imap4->starts_tls = false;
    buf_release(&imap4->id);
    imap4->id_count = 0;
}

static void advance(struct client *client, enum client_event event)
{
    struct imap4 *imap4 = client->state;

    if (event == CLIENT_STOP && imap4->login.stage != LOGIN_RELAYS) {
        say_bye(client, "* BYE [UNAVAILABLE] the service stops\r\n", "ended: the service stops");
    } else if (login_is_busy(&imap4->login)) {
        login_advance(&imap4->login, event);
    } else if (event == CLIENT_TIMEOUT) {
        say_bye(client, "* BYE timed out waiting for a login\r\n", "timed out without a login");
    } else if (event == CLIENT_START) {
        greet(client);
    } else {
        if (event == CLIENT_SECURED)
            secured(client);
        take_input(client);
    }
}

static void open_state(struct client *client)
{
    struct imap4 *imap4 = mem_alloc(sizeof(*imap4));

    client->state = imap4;
    login_init(&imap4->login, client, "* BYE [UNAVAILABLE] the mail server was lost, try again\r\n",
               "* BYE [UNAVAILABLE] the service stops, try again\r\n", on_refused, on_challenged);
}

static void close_state(struct client *client)
{
    struct imap4 *imap4 = client->state;

    login_close(&imap4->login);
    buf_release(&imap4->id);
}

static const char *const alpn[] = {"imap", NULL};

const struct client_protocol imap4_protocol = {
    .service = "imap4",
    .back_service = "imap4be",
    .alpn = alpn,
    .number = 0,
    .busy = "* BYE [UNAVAILABLE] too many connections, try again later\r\n",
    .open = open_state,
    .advance = advance,
    .close = close_state,
};
