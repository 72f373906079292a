#include "cas-proxy/pop3.h"

#include <stdlib.h>
#include <string.h>

#include "cas-proxy/capabilities.h"
#include "cas-proxy/line.h"
#include "cas-proxy/login.h"
#include "cas-proxy/pop3_parse.h"
#include "common/mem.h"
#include "proto/pop3_language.h"

#define BAD_MOST 10       /* commands that make no sense, on one connection */
#define COMMANDS_MOST 100 /* before login; each of them restarts the clock */

struct pop3 {
    struct login login;
    struct login_extra extra;
    struct buf name; /* of USER, until PASS */
    size_t line_seen;
    bool is_answering; /* the next line is a SASL answer */
    bool starts_tls;   /* once the command is consumed */
    bool utf8;
    bool english; /* LANG was given; no other language is spoken here */
    unsigned bad, commands;
};

enum need { NOTHING, CREDENTIALS /* that they may be sent over this connection */ };

struct command {
    const char *name;
    enum need needs;
    bool takes_argument;
    void (*run)(struct client *client, const struct pop3_command *command);
};

static void end(struct client *client, const char *line, const char *why)
{
    client_write(client, line);
    client_end(client, why);
}

static void bad(struct client *client, const char *text)
{
    struct pop3 *pop3 = client->state;

    client_printf(client, "-ERR %s\r\n", text);
    if (++pop3->bad == BAD_MOST)
        client_end(client, "cut off: too many bad commands");
}

static void cmd_capa(struct client *client, const struct pop3_command *command)
{
    struct buf *out = conn_output(client->conn);

    (void)command;
    buf_text(out, "+OK capabilities follow\r\n");
    capabilities_pop3(client, out);
    buf_text(out, ".\r\n");
    conn_flush(client->conn);
}

static void cmd_quit(struct client *client, const struct pop3_command *command)
{
    (void)command;
    end(client, "+OK good-bye\r\n", "logged out before login");
}

static void cmd_noop(struct client *client, const struct pop3_command *command)
{
    (void)command;
    client_write(client, "+OK\r\n");
}

static void cmd_stls(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;

    (void)command;
    if (!client_may_start_tls(client)) {
        bad(client, client_is_secured(client) ? "TLS is on already" : "TLS is not available");
        return;
    }
    client_write(client, "+OK begin TLS now\r\n");
    pop3->starts_tls = true;
}

static void cmd_utf8(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;

    (void)command;
    if (!capabilities_pop3_has(client, "UTF8") && !capabilities_pop3_has(client, "UTF8 USER")) {
        bad(client, "unknown command");
        return;
    }
    pop3->utf8 = true;
    client_write(client, "+OK UTF-8 from now on\r\n");
}

/* RFC 6856 section 3. "*" asks for the language that most people understand. */
static void cmd_lang(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;
    struct str language = str_trim(command->argument);

    if (!capabilities_pop3_has(client, "LANG")) {
        bad(client, "unknown command");
    } else if (pop3_language(language, conn_output(client->conn))) {
        pop3->english = pop3->english || language.length > 0;
        conn_flush(client->conn);
    } else {
        bad(client, "this language is not spoken here");
    }
}

static void cmd_user(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;
    struct str name = str_trim(command->argument);

    buf_release(&pop3->name);
    if (name.length == 0) {
        bad(client, "USER wants a name");
        return;
    }
    buf_append(&pop3->name, name.data, name.length);
    client_write(client, "+OK send PASS\r\n"); /* whoever it is */
}

/* The credentials are in login.sasl: off they go. */
static void start_login(struct client *client)
{
    struct pop3 *pop3 = client->state;

    pop3->is_answering = false;
    pop3->extra = (struct login_extra){.utf8 = pop3->utf8, .language = pop3->english ? "en" : NULL};
    login_start(&pop3->login, &pop3->extra);
}

static void cmd_pass(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;
    struct str name = str_n(buf_bytes(&pop3->name), buf_length(&pop3->name));

    if (name.length == 0) {
        bad(client, "PASS comes after USER");
        return;
    }
    sasl_begin(&pop3->login.sasl, SASL_PLAIN);
    if (sasl_plain(&pop3->login.sasl, name, command->argument))
        start_login(client);
    else
        bad(client, "[AUTH] wrong user or password");
    buf_release(&pop3->name);
}

static void challenge(struct client *client, const char *text)
{
    struct pop3 *pop3 = client->state;

    pop3->is_answering = true;
    client_printf(client, "+ %s\r\n", text);
}

/* Nothing has come of the SASL exchange. */
static void give_up(struct client *client, const char *text)
{
    struct pop3 *pop3 = client->state;

    pop3->is_answering = false;
    if (pop3->login.stage == LOGIN_ANSWERS)
        login_cancel(&pop3->login);
    sasl_reset(&pop3->login.sasl);
    bad(client, text);
    if (!client->ended && login_is_hopeless(&pop3->login))
        client_end(client, "cut off: too many failed logins");
}

/* The message in login.sasl is whole. */
static void pass_on(struct client *client)
{
    struct pop3 *pop3 = client->state;

    if (pop3->login.stage != LOGIN_ANSWERS) {
        start_login(client);
        return;
    }
    pop3->is_answering = false;
    login_answer(&pop3->login);
}

static void take_answer(struct client *client, struct str text, bool initial)
{
    struct pop3 *pop3 = client->state;

    switch (sasl_answer(&pop3->login.sasl, text, initial)) {
    case SASL_MORE:
        challenge(client, sasl_challenge(&pop3->login.sasl));
        break;
    case SASL_DONE:
        pass_on(client);
        break;
    case SASL_BAD:
        give_up(client, "malformed credentials");
        break;
    }
}

static void list_mechanisms(struct client *client)
{
    struct buf *out = conn_output(client->conn);

    buf_text(out, "+OK mechanisms follow\r\n");
    capabilities_mechanisms(client, "", "\r\n", out);
    buf_text(out, ".\r\n");
    conn_flush(client->conn);
}

/* RFC 5034; without an argument the mechanisms are listed, which older clients ask for. */
static void cmd_auth(struct client *client, const struct pop3_command *command)
{
    struct pop3 *pop3 = client->state;
    struct str argument = command->argument;
    enum sasl_mechanism mechanism;
    struct str name, initial;

    if (!pop3_word(&argument, &name)) {
        list_mechanisms(client);
        return;
    }
    if (!capabilities_find_mechanism(client, name, &mechanism)) {
        bad(client, "this mechanism is not offered");
        return;
    }
    sasl_begin(&pop3->login.sasl, mechanism);
    if (!pop3_word(&argument, &initial))
        challenge(client, sasl_challenge(&pop3->login.sasl));
    else if (argument.length > 0)
        bad(client, "AUTH wants one initial response at most");
    else
        take_answer(client, initial, true);
}

static const struct command commands[] = {
    {"CAPA", NOTHING,     false, cmd_capa},
    {"QUIT", NOTHING,     false, cmd_quit},
    {"NOOP", NOTHING,     false, cmd_noop},
    {"STLS", NOTHING,     false, cmd_stls},
    {"UTF8", NOTHING,     false, cmd_utf8},
    {"LANG", NOTHING,     true,  cmd_lang},
    {"USER", CREDENTIALS, true,  cmd_user},
    {"PASS", CREDENTIALS, true,  cmd_pass},
    {"AUTH", CREDENTIALS, true,  cmd_auth},
};

static const struct command *find_command(struct str name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (str_is_nocase(name, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

static void run(struct client *client, struct str line)
{
    struct pop3_command parts;
    const struct command *command;

    if (!pop3_command(&parts, line)) {
        bad(client, "a line begins with a command");
        return;
    }
    command = find_command(parts.name);
    if (command == NULL)
        bad(client, "unknown command, or one that needs a login first");
    else if (command->needs == CREDENTIALS && !capabilities_may_login(client))
        bad(client, "[SYS/PERM] start TLS (STLS) before you log in");
    else if (!command->takes_argument && str_trim(parts.argument).length > 0)
        bad(client, "this command takes no argument");
    else
        command->run(client, &parts);
}

static void sasl_line(struct client *client, struct str line)
{
    struct str text = line_text(line);

    if (str_is(text, "*"))
        give_up(client, "AUTH cancelled");
    else
        take_answer(client, text, false);
}

static void whole_line(struct client *client, struct str line)
{
    struct pop3 *pop3 = client->state;

    pop3->line_seen = 0;
    if (pop3->is_answering)
        sasl_line(client, line);
    else
        run(client, line);
    if (client->ended)
        return;
    client_consume(client, line.length);
    if (pop3->login.stage == LOGIN_OFF)
        client_set_timeout(client, client->settings->login_timeout);
    if (pop3->starts_tls)
        client_start_tls(client);
    else if (++pop3->commands >= COMMANDS_MOST && pop3->login.stage == LOGIN_OFF)
        end(client, "-ERR too many commands without a login\r\n",
            "cut off: too many commands without a login");
}

/* Lines are taken one by one until one has to wait for somebody else. */
static void take_input(struct client *client)
{
    struct pop3 *pop3 = client->state;

    while (!client->ended && !pop3->starts_tls && !login_is_busy(&pop3->login) &&
           !conn_is_full(client->conn)) {
        const struct buf *bytes = conn_input(client->conn);
        struct str input = str_n(buf_bytes(bytes), buf_length(bytes));
        size_t most = pop3->is_answering ? POP3_SASL_MAX : pop3_limit(input);
        size_t length;

        switch (line_find(input, most, &pop3->line_seen, &length)) {
        case LINE_WHOLE:
            whole_line(client, str_n(input.data, length));
            break;
        case LINE_TOO_LONG:
            end(client, "-ERR the line is too long\r\n", "cut off: the line is too long");
            return;
        default:
            return;
        }
    }
}

/* RFC 2449, 3206 */
static const char *const codes[] = {
    [LINK__REFUSED__CODE__CODE_UNSET] = "[SYS/TEMP]",
    [LINK__REFUSED__CODE__AUTHENTICATION_FAILED] = "[AUTH]",
    [LINK__REFUSED__CODE__AUTHORIZATION_FAILED] = "[AUTH]",
    [LINK__REFUSED__CODE__EXPIRED] = "[AUTH]",
    [LINK__REFUSED__CODE__DISABLED] = "[SYS/PERM]",
    [LINK__REFUSED__CODE__UNAVAILABLE] = "[SYS/TEMP]",
    [LINK__REFUSED__CODE__IN_USE] = "[IN-USE]",
    [LINK__REFUSED__CODE__UNSUPPORTED] = "[SYS/TEMP]",
    [LINK__REFUSED__CODE__LIMIT] = "[SYS/TEMP]",
    [LINK__REFUSED__CODE__CANCELLED] = "[AUTH]",
    [LINK__REFUSED__CODE__INVALID] = "[AUTH]",
    [LINK__REFUSED__CODE__LOGIN_DELAY] = "[LOGIN-DELAY]",
};

static void on_refused(struct client *client, Link__Refused__Code code, const char *text)
{
    struct pop3 *pop3 = client->state;
    size_t place = (size_t)code < sizeof(codes) / sizeof(*codes) ? (size_t)code : 0;

    pop3->is_answering = false; /* whatever was asked */
    client_printf(client, "-ERR %s %s\r\n", codes[place], text);
    if (login_is_hopeless(&pop3->login)) {
        client_end(client, "cut off: too many failed logins");
        return;
    }
    client_set_timeout(client, client->settings->login_timeout);
    take_input(client);
}

static void on_challenged(struct client *client, const char *text)
{
    challenge(client, text);
    take_input(client);
}

/* What was said in clear may have been said by somebody else. */
static void secured(struct client *client)
{
    struct pop3 *pop3 = client->state;

    pop3->starts_tls = false;
    pop3->utf8 = pop3->english = false;
    buf_release(&pop3->name);
}

static void advance(struct client *client, enum client_event event)
{
    struct pop3 *pop3 = client->state;

    if (event == CLIENT_STOP && pop3->login.stage != LOGIN_RELAYS) {
        end(client, "-ERR [SYS/TEMP] the service stops\r\n", "ended: the service stops");
    } else if (login_is_busy(&pop3->login)) {
        login_advance(&pop3->login, event);
    } else if (event == CLIENT_TIMEOUT) {
        end(client, "-ERR timed out waiting for a login\r\n", "timed out without a login");
    } else if (event == CLIENT_START) {
        client_printf(client, "+OK %s\r\n", client->settings->banner);
        client_set_timeout(client, client->settings->login_timeout);
    } else {
        if (event == CLIENT_SECURED)
            secured(client);
        take_input(client);
    }
}

static void open_state(struct client *client)
{
    struct pop3 *pop3 = mem_alloc(sizeof(*pop3));

    client->state = pop3;
    /* a POP3 server says nothing unasked: RFC 1939 section 3, so a lost back end just closes */
    login_init(&pop3->login, client, "", "", on_refused, on_challenged);
}

static void close_state(struct client *client)
{
    struct pop3 *pop3 = client->state;

    login_close(&pop3->login);
    buf_release(&pop3->name);
}

static const char *const alpn[] = {"pop3", NULL};

const struct client_protocol pop3_protocol = {
    .service = "pop3",
    .back_service = "pop3be",
    .alpn = alpn,
    .number = 1,
    .busy = "-ERR [SYS/TEMP] too many connections, try again later\r\n",
    .open = open_state,
    .advance = advance,
    .close = close_state,
};
