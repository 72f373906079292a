#include "mailbox-backend/remote/imap_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/remote/sasl_plain.h"

struct imap_client {
    const struct imap_client_settings *settings;
    struct wire *wire;
    struct imap_scan scan;
    unsigned capabilities;
    unsigned tag;
    bool is_broken;
    struct buf out;    /* of the command in the making: what was not sent yet */
    struct err failed; /* sending its beginning, or the server's no to a literal */
};

/* ---- capabilities ---- */

static const struct {
    const char *word;
    unsigned bit;
} capabilities[] = {
    {"STARTTLS",      IMAP_CAN_STARTTLS     },
    {"AUTH=PLAIN",    IMAP_CAN_PLAIN        },
    {"LIST-EXTENDED", IMAP_CAN_LIST_EXTENDED},
    {"LOGINDISABLED", IMAP_NO_LOGIN         },
    {"NAMESPACE",     IMAP_CAN_NAMESPACE    },
    {"SPECIAL-USE",   IMAP_CAN_SPECIAL_USE  },
    {"CONDSTORE",     IMAP_CAN_CONDSTORE    },
    {"QRESYNC",       IMAP_CAN_CONDSTORE    },
    {"ESEARCH",       IMAP_CAN_ESEARCH      },
};

static enum err_code note_capability(void *context, const struct imap_event *event, struct err *err)
{
    struct imap_client *client = context;

    (void)err;
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        if (event->kind == IMAP_CAPABILITY &&
            str_is_nocase(str_of(event->text), capabilities[i].word))
            client->capabilities |= capabilities[i].bit;
    }
    return ERR_NONE;
}

/* ---- responses ---- */

/* Not now: RFC 5530 section 3, and codes and words of servers that limit their clients. */
static bool is_passing(const struct imap_response *response)
{
    static const char *const codes[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "THROTTLED"};
    static const char *const words[] = {"throttl", "not connected", "Server Unavailable",
                                        "try again", "Command Error. 1"};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(response->code, codes[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(response->text, words[i]) != NULL)
            return true;
    }
    return false;
}

static enum err_code end_of(struct imap_client *client, const struct imap_response *response,
                            struct err *err)
{
    if (response->status == IMAP_OK)
        return ERR_NONE;
    if (is_passing(response)) {
        client->is_broken = true;
        return err_set(err, ERR_UNAVAILABLE, "the other server says: %s", response->text);
    }
    return err_set(err, response->status == IMAP_NO ? ERR_DENIED : ERR_INVALID,
                   "the other server says: %s", response->text);
}

/* Reads until something answers the command: its tag, or "+" where the client may go on. */
static enum err_code read_answer(struct imap_client *client, const struct imap_listener *listener,
                                 struct imap_response *response, struct err *err)
{
    char tag[16];
    enum err_code code;

    snprintf(tag, sizeof(tag), "M%u", client->tag);
    do {
        code = imap_response_read(&client->scan, listener, response, err);
        if (code == ERR_NONE && response->status == IMAP_BYE)
            code = err_set(err, ERR_UNAVAILABLE, "the other server says BYE: %s", response->text);
        if (code != ERR_NONE)
            client->is_broken = true;
    } while (code == ERR_NONE && response->status != IMAP_CONTINUE &&
             strcmp(response->tag, tag) != 0);
    return code;
}

/* ---- commands ---- */

static void keep_failure(struct imap_client *client, enum err_code code, const struct err *err)
{
    if (code == ERR_NONE || client->failed.code != ERR_NONE)
        return;
    client->failed = *err;
}

static void flush(struct imap_client *client)
{
    struct err err = {0};
    enum err_code code = ERR_NONE;

    if (client->failed.code == ERR_NONE) {
        code = wire_send(client->wire, buf_bytes(&client->out), buf_length(&client->out), &err);
        client->is_broken |= code != ERR_NONE;
    }
    keep_failure(client, code, &err);
    mem_wipe(client->out.memory, client->out.size);
    buf_release(&client->out);
}

void imap_client_begin(struct imap_client *client, const char *format, ...)
{
    va_list args;

    client->failed = (struct err){0};
    buf_release(&client->out);
    buf_printf(&client->out, "M%u ", ++client->tag);
    va_start(args, format);
    buf_vprintf(&client->out, format, args);
    va_end(args);
}

void imap_client_put(struct imap_client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(&client->out, format, args);
    va_end(args);
}

static bool can_be_quoted(struct str bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        if ((unsigned char)bytes.data[i] < ' ' || (unsigned char)bytes.data[i] > '~')
            return false;
    }
    return bytes.length < 1000;
}

static void put_quoted(struct imap_client *client, struct str bytes)
{
    buf_byte(&client->out, '"');
    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.data[i] == '"' || bytes.data[i] == '\\')
            buf_byte(&client->out, '\\');
        buf_byte(&client->out, (uint8_t)bytes.data[i]);
    }
    buf_byte(&client->out, '"');
}

void imap_client_put_string(struct imap_client *client, struct str bytes)
{
    struct imap_response response;
    struct err err = {0};
    enum err_code code;

    if (can_be_quoted(bytes)) {
        put_quoted(client, bytes);
        return;
    }
    buf_printf(&client->out, "{%zu}\r\n", bytes.length);
    flush(client);
    if (client->failed.code != ERR_NONE)
        return;
    code = read_answer(client, NULL, &response, &err);
    if (code == ERR_NONE && response.status != IMAP_CONTINUE)
        code = response.status == IMAP_OK
                   ? err_set(&err, ERR_INVALID, "the other server did not wait for a literal")
                   : end_of(client, &response, &err);
    keep_failure(client, code, &err);
    buf_append(&client->out, bytes.data, bytes.length);
}

enum err_code imap_client_finish(struct imap_client *client, const struct imap_listener *listener,
                                 struct err *err)
{
    struct imap_response response;
    enum err_code code;

    if (client->is_broken && client->failed.code == ERR_NONE)
        err_set(&client->failed, ERR_UNAVAILABLE, "the connection is broken");
    imap_client_put(client, "\r\n");
    flush(client);
    if (client->failed.code != ERR_NONE)
        return err_set(err, client->failed.code, "%s", client->failed.text);
    code = read_answer(client, listener, &response, err);
    if (code == ERR_NONE && response.status == IMAP_CONTINUE) {
        client->is_broken = true;
        return err_set(err, ERR_UNAVAILABLE, "the other server waits for more than there is");
    }
    return code == ERR_NONE ? end_of(client, &response, err) : code;
}

/* ---- the way in ---- */

static enum err_code ask_capabilities(struct imap_client *client, struct err *err)
{
    const struct imap_listener listener = {note_capability, client};

    client->capabilities = 0;
    imap_client_begin(client, "CAPABILITY");
    return imap_client_finish(client, &listener, err);
}

static enum err_code greet(struct imap_client *client, struct err *err)
{
    struct imap_response response;
    enum err_code code = imap_response_read(&client->scan, NULL, &response, err);

    if (code == ERR_NONE && response.status != IMAP_OK && response.status != IMAP_PREAUTH)
        code = err_set(err, ERR_UNAVAILABLE, "the other server greets with: %s", response.text);
    if (code == ERR_NONE && response.status == IMAP_PREAUTH)
        code = err_set(err, ERR_DENIED, "the other server lets anybody in without a login");
    return code == ERR_NONE ? ask_capabilities(client, err) : code;
}

static enum err_code start_tls(struct imap_client *client, struct err *err)
{
    enum err_code code;

    if ((client->capabilities & IMAP_CAN_STARTTLS) == 0) {
        if (client->settings->clear_text_allowed)
            return ERR_NONE;
        return err_set(err, ERR_DENIED, "the other server offers no STARTTLS");
    }
    imap_client_begin(client, "STARTTLS");
    code = imap_client_finish(client, NULL, err);
    if (code == ERR_NONE && client->scan.at < client->scan.end)
        code = err_set(err, ERR_UNAVAILABLE, "bytes came before TLS began");
    if (code == ERR_NONE)
        code = wire_secure(client->wire, err);
    return code == ERR_NONE ? ask_capabilities(client, err) : code;
}

/* Whether or not the server has SASL-IR, waiting for its "+" works. */
static enum err_code authenticate_plain(struct imap_client *client, struct err *err)
{
    const struct imap_login *login = &client->settings->login;
    struct imap_response response;
    enum err_code code;

    imap_client_begin(client, "AUTHENTICATE PLAIN\r\n");
    flush(client);
    code = client->failed.code;
    if (code != ERR_NONE)
        return err_set(err, code, "%s", client->failed.text);
    code = read_answer(client, NULL, &response, err);
    if (code == ERR_NONE && response.status != IMAP_CONTINUE)
        return end_of(client, &response, err);
    if (code != ERR_NONE)
        return code;
    sasl_plain_encode(&client->out, login->user, login->admin, login->password);
    return imap_client_finish(client, NULL, err);
}

static enum err_code log_in(struct imap_client *client, struct err *err)
{
    const struct imap_login *login = &client->settings->login;

    if ((client->capabilities & IMAP_CAN_PLAIN) != 0)
        return authenticate_plain(client, err);
    if (login->admin != NULL)
        return err_set(err, ERR_DENIED,
                       "the other server has no AUTH=PLAIN, which logging in in another's place "
                       "needs");
    if ((client->capabilities & IMAP_NO_LOGIN) != 0)
        return err_set(err, ERR_DENIED, "the other server allows no login by password here");
    imap_client_begin(client, "LOGIN ");
    imap_client_put_string(client, str_of(login->user));
    imap_client_put(client, " ");
    imap_client_put_string(client, login->password);
    return imap_client_finish(client, NULL, err);
}

enum err_code imap_client_open(struct imap_client **out,
                               const struct imap_client_settings *settings, struct err *err)
{
    struct imap_client *client = mem_alloc(sizeof(*client));
    enum err_code code = wire_open(&client->wire, &settings->wire, err);

    client->settings = settings;
    client->scan.read = wire_read;
    client->scan.context = client->wire;
    if (code == ERR_NONE)
        code = greet(client, err);
    if (code == ERR_NONE && !settings->wire.secure)
        code = start_tls(client, err);
    if (code == ERR_NONE)
        code = log_in(client, err);
    if (code == ERR_NONE)
        code = ask_capabilities(client, err);
    if (code != ERR_NONE) {
        client->is_broken = true; /* nobody waits for a BYE */
        imap_client_close(&client);
    }
    *out = client;
    return code;
}

void imap_client_close(struct imap_client **where)
{
    struct imap_client *client = *where;

    *where = NULL;
    if (client == NULL)
        return;
    if (!client->is_broken) {
        imap_client_begin(client, "LOGOUT\r\n");
        flush(client);
    }
    mem_wipe(client->out.memory, client->out.size);
    buf_release(&client->out);
    wire_close(&client->wire);
    free(client);
}

unsigned imap_client_capabilities(const struct imap_client *client)
{
    return client->capabilities;
}

bool imap_client_is_broken(const struct imap_client *client)
{
    return client->is_broken;
}

uint64_t imap_client_octets(const struct imap_client *client)
{
    return client->scan.octets;
}
