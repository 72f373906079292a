#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/client_parts.h"

enum {
    PATIENCE = 120, /* seconds without an octet until a server counts as stuck */
    READ_SIZE = 65536,
    LINE_MOST = 64 << 20,
};

static SSL_CTX *context;

bool client_set_up(bool most_1_2)
{
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return false;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return !most_1_2 || SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1;
}

/* The TLS session that this worker's next connection offers to resume, with options->resume. */
static _Thread_local SSL_SESSION *kept;

static bool shake_hands(struct client *client)
{
    client->ssl = SSL_new(context);
    return client->ssl != NULL && SSL_set_fd(client->ssl, client->fd) == 1 &&
           (kept == NULL || SSL_set_session(client->ssl, kept) == 1) &&
           SSL_connect(client->ssl) == 1;
}

/* Without the mark that both sides have said good-bye OpenSSL would not let it be resumed. */
static void keep_session(struct client *client)
{
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_SESSION_free(kept);
    kept = SSL_get1_session(client->ssl);
}

static int connect_to(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

struct client *client_open(const struct options *options, int port, bool tls)
{
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        abort();
    client->fd = connect_to(options->host, port);
    if (client->fd < 0) {
        perror("connect");
        free(client);
        return NULL;
    }
    client->resumes = options->resume;
    client->room = READ_SIZE;
    client->buffer = malloc(client->room);
    if (client->buffer == NULL)
        abort();
    if (tls && !shake_hands(client)) {
        fprintf(stderr, "the TLS handshake failed\n");
        client_close(&client);
    }
    return client;
}

void client_close(struct client **client)
{
    if (*client == NULL)
        return;
    if ((*client)->ssl != NULL && (*client)->resumes)
        keep_session(*client);
    SSL_free((*client)->ssl);
    close((*client)->fd);
    free((*client)->buffer);
    free(*client);
    *client = NULL;
}

uint64_t client_octets(const struct client *client)
{
    return client->octets;
}

bool client_write(struct client *client, const void *data, size_t size)
{
    const char *rest = data;

    while (size > 0) {
        ssize_t sent = client->ssl != NULL ? SSL_write(client->ssl, rest, (int)size)
                                           : send(client->fd, rest, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        rest += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Room behind what is not used yet: what a line has taken is not given back. */
static bool make_room(struct client *client)
{
    size_t used = client->end - client->start;

    if (client->start > 0)
        memmove(client->buffer, client->buffer + client->start, used);
    client->start = 0;
    client->end = used;
    if (used < client->room)
        return true;
    client->room *= 2;
    if (client->room > LINE_MOST)
        return false;
    client->buffer = realloc(client->buffer, client->room);
    if (client->buffer == NULL)
        abort();
    return true;
}

/* Reads what there is. */
static bool fill(struct client *client)
{
    char *to;
    size_t size;
    ssize_t got;

    if (!make_room(client))
        return false;
    to = client->buffer + client->end;
    size = client->room - client->end < READ_SIZE ? client->room - client->end : READ_SIZE;
    got =
        client->ssl != NULL ? SSL_read(client->ssl, to, (int)size) : recv(client->fd, to, size, 0);
    if (got <= 0)
        return false;
    client->end += (size_t)got;
    client->octets += (uint64_t)got;
    return true;
}

bool client_line(struct client *client, const char **line, size_t *size)
{
    const char *lf;
    size_t searched = 0;

    for (;;) {
        size_t used = client->end - client->start;

        lf = memchr(client->buffer + client->start + searched, '\n', used - searched);
        if (lf != NULL)
            break;
        searched = used;
        if (!fill(client))
            return false;
    }
    *line = client->buffer + client->start;
    *size = (size_t)(lf - *line);
    client->start += *size + 1;
    if (*size > 0 && (*line)[*size - 1] == '\r')
        --*size;
    return true;
}

bool client_skip(struct client *client, size_t size)
{
    while (size > 0) {
        size_t used = client->end - client->start, part = used < size ? used : size;

        client->start += part;
        size -= part;
        if (size > 0 && !fill(client))
            return false;
    }
    return true;
}
