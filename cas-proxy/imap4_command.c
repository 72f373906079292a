#include <string.h>

#include "cas-proxy/capabilities.h"
#include "cas-proxy/imap4_inside.h"
#include "cas-proxy/line.h"
#include "proto/imap_language.h"

#define BAD_MOST 10 /* commands that make no sense, on one connection */

enum need { NOTHING, CREDENTIALS /* that they may be sent over this connection */ };

struct command {
    const char *name;
    enum need needs;
    bool has_strings; /* among its arguments: they may be literals */
    void (*run)(struct client *client, const struct imap4_command *command);
};

static void write_bytes(struct client *client, const void *data, size_t length)
{
    if (!client->ended)
        conn_write(client->conn, data, length);
}

/* A line with the command's tag before it. */
static void answer(struct client *client, struct str tag, const char *text)
{
    write_bytes(client, tag.data, tag.length);
    client_printf(client, " %s\r\n", text);
}

void imap4_bad(struct client *client, struct str tag, const char *text)
{
    struct imap4 *imap4 = client->state;

    if (tag.length == 0)
        tag = STR("*");
    write_bytes(client, tag.data, tag.length);
    client_printf(client, " BAD %s\r\n", text);
    if (++imap4->bad < BAD_MOST)
        return;
    client_write(client, "* BYE too many bad commands\r\n");
    client_end(client, "cut off: too many bad commands");
}

void imap4_say_capability(struct client *client, const char *before, const char *after)
{
    struct buf *out = conn_output(client->conn);

    buf_text(out, before);
    capabilities_imap4(client, out);
    buf_text(out, after);
    conn_flush(client->conn);
}

static bool has_arguments(struct client *client, const struct imap4_command *command)
{
    if (command->arguments.length == 0)
        return false;
    imap4_bad(client, command->tag, "this command takes no arguments");
    return true;
}

static void cmd_capability(struct client *client, const struct imap4_command *command)
{
    if (has_arguments(client, command))
        return;
    imap4_say_capability(client, "* CAPABILITY ", "\r\n");
    answer(client, command->tag, "OK CAPABILITY completed");
}

static void cmd_noop(struct client *client, const struct imap4_command *command)
{
    if (!has_arguments(client, command))
        answer(client, command->tag, "OK NOOP completed");
}

static void cmd_logout(struct client *client, const struct imap4_command *command)
{
    if (has_arguments(client, command))
        return;
    client_write(client, "* BYE logging out\r\n");
    answer(client, command->tag, "OK LOGOUT completed");
    client_end(client, "logged out before login");
}

static void cmd_id(struct client *client, const struct imap4_command *command)
{
    struct imap4 *imap4 = client->state;
    struct str arguments = command->arguments;
    struct buf id = {0};
    size_t count;

    if (!imap4_space(&arguments) || !imap4_id_list(&arguments, &id, &count) ||
        arguments.length > 0) {
        buf_release(&id);
        imap4_bad(client, command->tag, "ID wants NIL or a list of strings in pairs");
        return;
    }
    buf_release(&imap4->id);
    imap4->id = id;
    imap4->id_count = count;
    client_write(client, "* ID (\"name\" \"cas-proxy\" \"version\" \"" VERSION "\")\r\n");
    answer(client, command->tag, "OK ID completed");
}

/* Takes all language ranges; *chosen is the first one's language that is spoken. */
static bool take_languages(struct str arguments, const char **chosen)
{
    struct buf range = {0};
    bool good = true;

    while (good && arguments.length > 0) {
        good = imap4_space(&arguments) && imap4_astring(&arguments, &range);
        if (good && *chosen == NULL)
            *chosen = imap_language_find(str_n(buf_bytes(&range), buf_length(&range)));
        buf_release(&range);
    }
    return good;
}

/* RFC 5255 section 3. */
static void cmd_language(struct client *client, const struct imap4_command *command)
{
    struct buf *out = conn_output(client->conn);
    const char *chosen = NULL;

    if (!take_languages(command->arguments, &chosen)) {
        imap4_bad(client, command->tag, "LANGUAGE wants language ranges, or nothing");
        return;
    }
    if (command->arguments.length > 0 && chosen == NULL) {
        answer(client, command->tag, "NO none of these languages is spoken here");
        return;
    }
    imap_language_tell(chosen, out);
    answer(client, command->tag, "OK LANGUAGE completed");
}

static void cmd_starttls(struct client *client, const struct imap4_command *command)
{
    if (has_arguments(client, command))
        return;
    if (!client_may_start_tls(client)) {
        imap4_bad(client, command->tag,
                  client_is_secured(client) ? "TLS is on already" : "TLS is not available");
        return;
    }
    answer(client, command->tag, "OK begin TLS now");
    ((struct imap4 *)client->state)->starts_tls = true;
}

/* The credentials are in login.sasl: off they go. */
static void start_login(struct client *client)
{
    struct imap4 *imap4 = client->state;

    imap4->is_answering = false;
    imap4->extra =
        (struct login_extra){.tag = imap4->tag, .id = &imap4->id, .id_count = imap4->id_count};
    login_start(&imap4->login, &imap4->extra);
}

/* False when the tag is too long to be kept. */
static bool keep_tag(struct client *client, struct str tag)
{
    struct imap4 *imap4 = client->state;

    if (tag.length >= IMAP4_TAG_MAX) {
        imap4_bad(client, tag, "the tag is too long");
        return false;
    }
    memcpy(imap4->tag, tag.data, tag.length);
    imap4->tag[tag.length] = '\0';
    return true;
}

static void cmd_login(struct client *client, const struct imap4_command *command)
{
    struct imap4 *imap4 = client->state;
    struct str arguments = command->arguments;
    struct buf name = {0}, password = {0};
    struct str name_text, password_text;

    sasl_begin(&imap4->login.sasl, SASL_PLAIN);
    if (!imap4_space(&arguments) || !imap4_astring(&arguments, &name) || !imap4_space(&arguments) ||
        !imap4_astring(&arguments, &password) || arguments.length > 0) {
        imap4_bad(client, command->tag, "LOGIN wants a user name and a password");
        goto out;
    }
    name_text = str_n(buf_bytes(&name), buf_length(&name));
    password_text = str_n(buf_bytes(&password), buf_length(&password));
    if (!keep_tag(client, command->tag))
        goto out;
    if (sasl_plain(&imap4->login.sasl, name_text, password_text))
        start_login(client);
    else
        answer(client, command->tag, "NO [AUTHENTICATIONFAILED] wrong user or password");
out:
    sasl_wipe(&name);
    sasl_wipe(&password);
}

void imap4_challenged(struct client *client, const char *challenge)
{
    struct imap4 *imap4 = client->state;

    imap4->is_answering = true;
    client_printf(client, "+ %s\r\n", challenge);
}

/* Nothing has come of the SASL exchange. */
static void give_up(struct client *client, const char *text)
{
    struct imap4 *imap4 = client->state;

    imap4->is_answering = false;
    if (imap4->login.stage == LOGIN_ANSWERS)
        login_cancel(&imap4->login);
    sasl_reset(&imap4->login.sasl);
    imap4_bad(client, str_of(imap4->tag), text);
    if (client->ended || !login_is_hopeless(&imap4->login))
        return;
    client_write(client, "* BYE too many failed logins\r\n");
    client_end(client, "cut off: too many failed logins");
}

/* The message in login.sasl is whole. */
static void pass_on(struct client *client)
{
    struct imap4 *imap4 = client->state;

    if (imap4->login.stage != LOGIN_ANSWERS) {
        start_login(client);
        return;
    }
    imap4->is_answering = false;
    login_answer(&imap4->login);
}

static void take_answer(struct client *client, struct str text, bool initial)
{
    struct imap4 *imap4 = client->state;

    switch (sasl_answer(&imap4->login.sasl, text, initial)) {
    case SASL_MORE:
        imap4_challenged(client, sasl_challenge(&imap4->login.sasl));
        break;
    case SASL_DONE:
        pass_on(client);
        break;
    case SASL_BAD:
        give_up(client, "malformed credentials");
        break;
    }
}

static void cmd_authenticate(struct client *client, const struct imap4_command *command)
{
    struct imap4 *imap4 = client->state;
    struct str arguments = command->arguments;
    enum sasl_mechanism mechanism;
    struct str name;

    if (!imap4_space(&arguments) || !imap4_atom(&arguments, &name)) {
        imap4_bad(client, command->tag, "AUTHENTICATE wants a mechanism");
        return;
    }
    if (!capabilities_find_mechanism(client, name, &mechanism)) {
        answer(client, command->tag, "NO [CANNOT] this mechanism is not offered");
        return;
    }
    if (!keep_tag(client, command->tag))
        return;
    sasl_begin(&imap4->login.sasl, mechanism);
    if (arguments.length == 0) {
        imap4_challenged(client, sasl_challenge(&imap4->login.sasl));
    } else if (imap4_space(&arguments) && arguments.length > 0) {
        take_answer(client, arguments, true);
    } else {
        imap4_bad(client, command->tag, "AUTHENTICATE wants one initial response at most");
    }
}

static const struct command commands[] = {
    {"CAPABILITY",   NOTHING,     false, cmd_capability  },
    {"NOOP",         NOTHING,     false, cmd_noop        },
    {"LOGOUT",       NOTHING,     false, cmd_logout      },
    {"ID",           NOTHING,     true,  cmd_id          },
    {"LANGUAGE",     NOTHING,     true,  cmd_language    },
    {"STARTTLS",     NOTHING,     false, cmd_starttls    },
    {"AUTHENTICATE", CREDENTIALS, false, cmd_authenticate},
    {"LOGIN",        CREDENTIALS, true,  cmd_login       },
};

static const struct command *find_command(struct str name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (str_is_nocase(name, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

/* The command of a line in parts; NULL when it may not be run, and the client has been told so. */
static const struct command *admit(struct client *client, struct str line,
                                   struct imap4_command *parts)
{
    const struct command *command;

    if (!imap4_command(parts, line) || parts->name.length == 0) {
        imap4_bad(client, parts->tag, "a command begins with a tag and a name");
        return NULL;
    }
    command = find_command(parts->name);
    if (command == NULL) {
        imap4_bad(client, parts->tag, "unknown command, or one that needs a login first");
    } else if (command->needs == CREDENTIALS && !capabilities_may_login(client)) {
        answer(client, parts->tag, "NO [PRIVACYREQUIRED] start TLS before you log in");
        command = NULL;
    }
    return command;
}

void imap4_run(struct client *client, struct str line)
{
    struct imap4_command parts;
    const struct command *command = admit(client, line, &parts);

    if (command != NULL)
        command->run(client, &parts);
}

bool imap4_wants_literal(struct client *client, struct str line)
{
    struct imap4_command parts;
    const struct command *command = admit(client, line, &parts);

    if (command == NULL)
        return false;
    if (!command->has_strings)
        command->run(client, &parts); /* which finds the literal where none may be */
    return command->has_strings;
}

void imap4_sasl_answer(struct client *client, struct str line)
{
    struct str text = line_text(line);

    if (str_is(text, "*"))
        give_up(client, "AUTHENTICATE cancelled");
    else
        take_answer(client, text, false);
}

/* RFC 5530 */
static const char *const codes[] = {
    [LINK__REFUSED__CODE__CODE_UNSET] = "NO [UNAVAILABLE]",
    [LINK__REFUSED__CODE__AUTHENTICATION_FAILED] = "NO [AUTHENTICATIONFAILED]",
    [LINK__REFUSED__CODE__AUTHORIZATION_FAILED] = "NO [AUTHORIZATIONFAILED]",
    [LINK__REFUSED__CODE__EXPIRED] = "NO [EXPIRED]",
    [LINK__REFUSED__CODE__DISABLED] = "NO [CONTACTADMIN]",
    [LINK__REFUSED__CODE__UNAVAILABLE] = "NO [UNAVAILABLE]",
    [LINK__REFUSED__CODE__IN_USE] = "NO [INUSE]",
    [LINK__REFUSED__CODE__UNSUPPORTED] = "NO [UNAVAILABLE]",
    [LINK__REFUSED__CODE__LIMIT] = "NO [LIMIT]",
    [LINK__REFUSED__CODE__CANCELLED] = "BAD",
    [LINK__REFUSED__CODE__INVALID] = "BAD",
    [LINK__REFUSED__CODE__LOGIN_DELAY] = "NO [UNAVAILABLE]",
};

void imap4_refused(struct client *client, Link__Refused__Code code, const char *text)
{
    struct imap4 *imap4 = client->state;
    size_t place = (size_t)code < sizeof(codes) / sizeof(*codes) ? (size_t)code : 0;

    client_printf(client, "%s %s %s\r\n", imap4->tag, codes[place], text);
}
