#include "mailbox-backend/remote/pop3_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/remote/sasl_plain.h"

#define LINE_SIZE 600 /* RFC 2449 section 4 has 512 */

struct pop3_client {
    const struct imap_client_settings *settings;
    struct wire *wire;
    struct imap_scan scan;
};

/* "+OK", "+ " or "-ERR". */
static enum err_code read_answer(struct pop3_client *client, struct err *err)
{
    char line[LINE_SIZE];
    enum err_code code = imap_scan_line(&client->scan, false, line, sizeof(line), err);

    if (code == ERR_NONE && line[0] != '+')
        return err_set(err, ERR_DENIED, "the POP3 server says: %.150s", line);
    return code;
}

static enum err_code send_line(struct pop3_client *client, struct buf *line, struct err *err)
{
    enum err_code code;

    buf_text(line, "\r\n");
    code = wire_send(client->wire, buf_bytes(line), buf_length(line), err);
    mem_wipe(line->memory, line->size);
    buf_release(line);
    return code == ERR_NONE ? read_answer(client, err) : code;
}

static enum err_code command(struct pop3_client *client, const char *word, struct str argument,
                             struct err *err)
{
    struct buf line = {0};

    if (memchr(argument.data, '\n', argument.length) != NULL)
        return err_set(err, ERR_INVALID, "a name or password with a line's end");
    buf_text(&line, word);
    buf_append(&line, argument.data, argument.length);
    return send_line(client, &line, err);
}

static enum err_code start_tls(struct pop3_client *client, struct err *err)
{
    enum err_code code = command(client, "STLS", STR(""), err);

    if (code == ERR_DENIED && client->settings->clear_text_allowed)
        return ERR_NONE;
    if (code == ERR_NONE && client->scan.at < client->scan.end)
        code = err_set(err, ERR_UNAVAILABLE, "bytes came before TLS began");
    return code == ERR_NONE ? wire_secure(client->wire, err) : code;
}

static enum err_code log_in(struct pop3_client *client, struct err *err)
{
    const struct imap_login *login = &client->settings->login;
    struct buf line = {0};
    enum err_code code;

    if (login->admin != NULL) {
        code = command(client, "AUTH PLAIN", STR(""), err);
        if (code != ERR_NONE)
            return code;
        sasl_plain_encode(&line, login->user, login->admin, login->password);
        return send_line(client, &line, err);
    }
    code = command(client, "USER ", str_of(login->user), err);
    return code == ERR_NONE ? command(client, "PASS ", login->password, err) : code;
}

enum err_code pop3_client_open(struct pop3_client **out,
                               const struct imap_client_settings *settings, struct err *err)
{
    struct pop3_client *client = mem_alloc(sizeof(*client));
    enum err_code code = wire_open(&client->wire, &settings->wire, err);

    client->settings = settings;
    client->scan.read = wire_read;
    client->scan.context = client->wire;
    if (code == ERR_NONE)
        code = read_answer(client, err);
    if (code == ERR_NONE && !settings->wire.secure)
        code = start_tls(client, err);
    if (code == ERR_NONE)
        code = log_in(client, err);
    if (code != ERR_NONE) {
        wire_close(&client->wire);
        free(client);
        client = NULL;
    }
    *out = client;
    return code;
}

void pop3_client_close(struct pop3_client **where)
{
    struct pop3_client *client = *where;

    *where = NULL;
    if (client == NULL)
        return;
    wire_send(client->wire, "QUIT\r\n", 6, NULL);
    wire_close(&client->wire);
    free(client);
}

enum err_code pop3_client_list(struct pop3_client *client, const char *word,
                               enum err_code (*entry)(void *context, uint64_t number,
                                                      const char *word, struct err *err),
                               void *context, struct err *err)
{
    char line[LINE_SIZE];
    enum err_code code = command(client, word, STR(""), err);

    while (code == ERR_NONE &&
           (code = imap_scan_line(&client->scan, false, line, sizeof(line), err)) == ERR_NONE &&
           strcmp(line, ".") != 0) {
        size_t digits = strspn(line, "0123456789");
        uint64_t number;

        if (line[digits] != ' ' || !str_number(str_n(line, digits), UINT32_MAX, &number))
            return err_set(err, ERR_UNAVAILABLE, "the POP3 server's answer cannot be understood");
        code = entry(context, number, line + digits + 1, err);
    }
    return code;
}
