#include "cas-proxy/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cas-proxy/certificates.h"
#include "cas-proxy/limits.h"
#include "cas-proxy/proxy_protocol.h"
#include "common/log.h"
#include "common/mem.h"

#define INPUT_LIMIT                                                                                \
    ((size_t)32 << 10) /* before login; holds the longest command and what follows */
#define PROXY_FIRST 8  /* bytes that every PROXY header has */

static void on_event(struct conn *conn, enum conn_event event, void *context);

static void free_client(struct loop_task *task)
{
    struct client *client = (struct client *)((char *)task - offsetof(struct client, free_task));

    free(client->state);
    free(client->user);
    free(client);
}

static void enlist(struct client *client)
{
    struct client **first = &client->home->clients;

    client->next = *first;
    if (*first != NULL)
        (*first)->previous = client;
    *first = client;
}

static void unlist(struct client *client)
{
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        client->home->clients = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
}

static void log_end(const struct client *client, const char *why)
{
    log_info(client->who, "%s; %lld s, %llu bytes in, %llu out", why,
             (long long)time(NULL) - (long long)client->since, (unsigned long long)client->bytes_in,
             (unsigned long long)client->bytes_out);
}

/* Everything but the socket. */
static void leave(struct client *client)
{
    client->ended = true;
    client->conn = NULL;
    if (client->stage != CLIENT_WAITS_FOR_PROXY && client->state != NULL)
        client->protocol->close(client);
    unlist(client);
    if (client->counted)
        limits_leave(client->home->front->limits, client->protocol->number, &client->peer);
    loop_post(client->home->loop, &client->free_task);
}

void client_end(struct client *client, const char *why)
{
    struct conn *conn = client->conn;

    if (client->ended)
        return;
    if (why != NULL)
        log_end(client, why);
    leave(client);
    conn_finish(conn);
}

static void on_gone(struct client *client)
{
    struct conn *conn = client->conn;
    const struct err *err = conn_error(conn);

    log_end(client, err->code == ERR_NONE ? "the client closed the connection" : err->text);
    leave(client);
    conn_close(conn);
}

static bool start_tls(struct client *client)
{
    struct tls_options options = {.alpn = client->protocol->alpn};
    struct tls_context *context =
        certificates_get(client->home->front->certificates, client->protocol->service);

    if (context == NULL)
        return false;
    conn_start_tls(client->conn, context, &options);
    tls_context_unref(&context); /* the session has its own */
    return true;
}

static void refuse(struct client *client, enum limits_verdict verdict)
{
    char text[NET_TEXT_MAX];

    log_notice(client->who, "refused from %s: too many connections %s",
               net_host(&client->peer, text),
               verdict == LIMITS_TOO_MANY ? "in all (max_connections)"
                                          : "from there (max_connections_address)");
    if (!client->starts_with_tls)
        client_write(client, client->protocol->busy);
    client_end(client, NULL);
}

/* The peer's address is known now. */
static void admit(struct client *client)
{
    const struct front *front = client->home->front;
    enum limits_verdict verdict;
    char text[NET_TEXT_MAX];

    client->trusted = front_has(front->trusted, front->trusted_count, &client->peer);
    verdict = limits_enter(front->limits, client->protocol->number, &client->peer,
                           client->settings->max_connections,
                           client->trusted ? 0 : client->settings->max_connections_address);
    if (verdict != LIMITS_FINE) {
        refuse(client, verdict);
        return;
    }
    client->counted = true;
    log_debug(client->who, "connection from %s", net_text(&client->peer, text));
    client->stage = client->starts_with_tls ? CLIENT_WAITS_FOR_TLS : CLIENT_RUNS;
    conn_set_input_limit(client->conn, INPUT_LIMIT);
    client->protocol->open(client);
    if (!client->starts_with_tls)
        client->protocol->advance(client, CLIENT_START);
    else if (!start_tls(client))
        client_end(client, "refused: there is no certificate ([tls] certificate)");
}

/* Reads up to the header's last byte and no further: what follows may be TLS. */
static void read_proxy_header(struct client *client)
{
    struct buf *input = conn_input(client->conn);
    struct proxy_header header;
    char text[NET_TEXT_MAX];

    switch (proxy_read(str_n(buf_bytes(input), buf_length(input)), &header)) {
    case PROXY_MORE:
        conn_set_input_limit(client->conn, header.length - 1);
        return;
    case PROXY_BAD:
        log_notice(client->who,
                   "refused from %s: no valid PROXY header, as proxy_networks wants one",
                   net_host(&client->peer, text));
        client_end(client, NULL);
        return;
    case PROXY_WHOLE:
        break;
    }
    conn_consume(client->conn, header.length);
    if (header.has_address) {
        client->peer = header.source;
        client->local = header.destination;
        client->by_proxy = true;
    }
    admit(client);
}

void client_accept(struct front_loop *home, const struct client_protocol *protocol,
                   const struct service_settings *settings, bool starts_with_tls, int fd,
                   const struct net_address *peer)
{
    struct front *front = home->front;
    struct client *client = mem_alloc(sizeof(*client));

    client->home = home;
    client->protocol = protocol;
    client->settings = settings;
    client->starts_with_tls = starts_with_tls;
    client->free_task.run = free_client;
    client->trace = atomic_fetch_add(&front->traces, 1) + 1;
    client->since = time(NULL);
    snprintf(client->who, sizeof(client->who), "%s[%llu]", protocol->service,
             (unsigned long long)client->trace);
    enlist(client);
    client->conn = conn_open_accepted(home->loop, fd, peer, on_event, client);
    client->peer = *conn_peer(client->conn);
    client->local = *conn_local(client->conn);
    conn_set_timeout(client->conn, (unsigned)settings->login_timeout);
    if (front_has(front->proxies, front->proxy_count, &client->peer))
        conn_set_input_limit(client->conn, PROXY_FIRST - 1);
    else
        admit(client);
}

static void early_event(struct client *client, enum conn_event event)
{
    if (event == CONN_TIMEOUT) {
        client_end(client, "timed out before anything was said");
    } else if (event == CONN_INPUT && client->stage == CLIENT_WAITS_FOR_PROXY) {
        read_proxy_header(client);
    } else if (event == CONN_SECURED) {
        client->stage = CLIENT_RUNS;
        client->protocol->advance(client, CLIENT_START);
    }
}

static void on_event(struct conn *conn, enum conn_event event, void *context)
{
    struct client *client = context;

    (void)conn;
    if (event == CONN_GONE)
        on_gone(client);
    else if (client->stage != CLIENT_RUNS)
        early_event(client, event);
    else if (event == CONN_SECURED)
        client->protocol->advance(client, CLIENT_SECURED);
    else if (event == CONN_INPUT)
        client->protocol->advance(client, CLIENT_INPUT);
    else if (event == CONN_DRAINED)
        client->protocol->advance(client, CLIENT_DRAINED);
    else if (event == CONN_TIMEOUT)
        client->protocol->advance(client, CLIENT_TIMEOUT);
}

bool client_start_tls(struct client *client)
{
    if (buf_length(conn_input(client->conn)) > 0) {
        log_warning(client->who, "bytes in clear came behind STARTTLS");
        client_end(client, "cut off");
        return false;
    }
    if (start_tls(client))
        return true;
    client_end(client, "cut off: there is no certificate");
    return false;
}

bool client_may_start_tls(const struct client *client)
{
    return !client_is_secured(client) && certificates_are_there(client->home->front->certificates);
}

bool client_is_secured(const struct client *client)
{
    return client->conn != NULL && conn_is_secured(client->conn);
}

void client_set_timeout(struct client *client, uint64_t seconds)
{
    if (!client->ended)
        conn_set_timeout(client->conn, (unsigned)seconds);
}

void client_write(struct client *client, const char *text)
{
    if (!client->ended)
        conn_write(client->conn, text, strlen(text));
}

void client_printf(struct client *client, const char *format, ...)
{
    va_list args;

    if (client->ended)
        return;
    va_start(args, format);
    buf_vprintf(conn_output(client->conn), format, args);
    va_end(args);
    conn_flush(client->conn);
}

void client_consume(struct client *client, size_t length)
{
    struct buf *input = conn_input(client->conn);

    mem_wipe(input->memory + input->start, length);
    conn_consume(client->conn, length);
}

void client_set_user(struct client *client, const char *user)
{
    free(client->user);
    client->user = mem_string(user);
    snprintf(client->who, sizeof(client->who), "%s[%llu] %s", client->protocol->service,
             (unsigned long long)client->trace, user);
}

static void fill_tls(const struct client *client, Link__Client *to, struct client_facts *room)
{
    const struct tls_session *session = conn_tls(client->conn);

    if (session == NULL)
        return;
    to->secured = true;
    to->tls_version = (char *)tls_session_version(session);
    to->tls_cipher = (char *)tls_session_cipher(session);
    if (tls_session_server_name(session) != NULL)
        to->server_name = (char *)tls_session_server_name(session);
    if (!tls_session_peer(session, &room->certificate))
        return;
    to->certificate_subject = room->certificate.subject;
    to->certificate_common_name = room->certificate.common_name;
    to->certificate_email = room->certificate.email;
    to->certificate_fingerprint = room->certificate.fingerprint;
}

void client_fill(const struct client *client, Link__Client *to, struct client_facts *room)
{
    to->address = (char *)net_host(&client->peer, room->peer);
    to->port = net_port(&client->peer);
    to->local_address = (char *)net_host(&client->local, room->local);
    to->local_port = net_port(&client->local);
    fill_tls(client, to, room);
}

void client_fill_bindings(const struct client *client, Link__Client *to, struct client_facts *room)
{
    const struct tls_session *session = conn_tls(client->conn);

    to->bindings = room->list;
    for (unsigned kind = 0; session != NULL && kind < TLS_CHANNEL_BINDINGS; kind++) {
        Link__Binding *binding = &room->bindings[to->n_bindings];

        link__binding__init(binding);
        binding->name = (char *)tls_channel_binding_names[kind];
        binding->data.data = room->values[kind];
        binding->data.len = tls_session_channel_binding(session, (enum tls_channel_binding)kind,
                                                        room->values[kind]);
        if (binding->data.len != 0)
            room->list[to->n_bindings++] = binding;
    }
}

/* A client binds in the way that is usual for the version of TLS: it cannot ask which ways there are. */
bool client_may_bind(const struct client *client)
{
    static const enum tls_channel_binding kinds[] = {TLS_EXPORTER, TLS_UNIQUE,
                                                     TLS_SERVER_END_POINT};
    static const size_t counts[] = {[BINDING_AUTO] = 2, [BINDING_ALWAYS] = 3, [BINDING_NEVER] = 0};
    const struct tls_session *session = client->conn == NULL ? NULL : conn_tls(client->conn);
    uint8_t value[TLS_CHANNEL_BINDING_MAX];
    const size_t count = counts[client->home->front->settings->tls.channel_binding];

    for (size_t i = 0; session != NULL && i < count && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (tls_session_channel_binding(session, kinds[i], value) != 0)
            return true;
    }
    return false;
}

void client_stop_all(struct front_loop *home, const char *service)
{
    for (struct client *client = home->clients, *next; client != NULL; client = next) {
        next = client->next;
        if (service != NULL && strcmp(client->protocol->service, service) != 0)
            continue;
        if (client->stage == CLIENT_RUNS)
            client->protocol->advance(client, CLIENT_STOP);
        else
            client_end(client, NULL);
    }
}
