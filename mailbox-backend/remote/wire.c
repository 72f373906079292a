#include "mailbox-backend/remote/wire.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

#define CHUNK ((size_t)16384)

struct wire {
    const struct wire_settings *settings;
    int socket;
    time_t asked;            /* wanted(), last */
    struct tls_session *tls; /* NULL: clear text */
    struct buf in, out;      /* bytes of the network */
    struct buf plain;        /* decrypted, not yet read */
};

/* ---- waiting ---- */

static enum err_code check_wanted(const struct wire *wire, struct err *err)
{
    const struct wire_settings *settings = wire->settings;

    if (settings->wanted != NULL && !settings->wanted(settings->context))
        return err_set(err, ERR_UNAVAILABLE, "broken off");
    return ERR_NONE;
}

/* The same once a second: a peer that never stops talking is never waited for. */
static enum err_code check_wanted_now_and_then(struct wire *wire, struct err *err)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == wire->asked)
        return ERR_NONE;
    wire->asked = now.tv_sec;
    return check_wanted(wire, err);
}

static enum err_code wait_for(const struct wire *wire, short events, int seconds, struct err *err)
{
    for (int i = 0; i < seconds; i++) {
        struct pollfd entry = {.fd = wire->socket, .events = events};
        enum err_code code = check_wanted(wire, err);

        if (code != ERR_NONE)
            return code;
        if (poll(&entry, 1, 1000) > 0)
            return ERR_NONE;
    }
    return err_set(err, ERR_UNAVAILABLE, "%s says nothing for %d seconds", wire->settings->host,
                   seconds);
}

/* ---- bytes of the network ---- */

static enum err_code send_raw(struct wire *wire, struct buf *out, struct err *err)
{
    while (buf_length(out) > 0) {
        ssize_t sent = send(wire->socket, buf_bytes(out), buf_length(out), MSG_NOSIGNAL);
        enum err_code code = ERR_NONE;

        if (sent >= 0)
            buf_consume(out, (size_t)sent);
        else if (errno == EAGAIN)
            code = wait_for(wire, POLLOUT, WIRE_SILENCE_SECONDS, err);
        else if (errno != EINTR)
            return err_errno(err, errno, "sending to %s", wire->settings->host);
        if (code != ERR_NONE)
            return code;
    }
    return ERR_NONE;
}

static enum err_code receive_raw(struct wire *wire, void *bytes, size_t room, size_t *got,
                                 struct err *err)
{
    for (;;) {
        enum err_code code = check_wanted_now_and_then(wire, err);
        ssize_t came = code == ERR_NONE ? recv(wire->socket, bytes, room, 0) : -1;

        if (code != ERR_NONE)
            return code;
        if (came > 0) {
            *got = (size_t)came;
            return ERR_NONE;
        }
        if (came == 0)
            return err_set(err, ERR_UNAVAILABLE, "%s has closed the connection",
                           wire->settings->host);
        if (errno == EAGAIN)
            code = wait_for(wire, POLLIN, WIRE_SILENCE_SECONDS, err);
        else if (errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "reading from %s: %s", wire->settings->host,
                           strerror(errno));
        if (code != ERR_NONE)
            return code;
    }
}

static enum err_code receive_cipher(struct wire *wire, struct err *err)
{
    size_t got = 0;
    enum err_code code = receive_raw(wire, buf_reserve(&wire->in, CHUNK), CHUNK, &got, err);

    if (code == ERR_NONE)
        buf_commit(&wire->in, got);
    return code;
}

/* ---- TLS ---- */

static enum err_code tls_failed(const struct wire *wire, struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "TLS with %s: %s", wire->settings->host,
                   tls_session_error(wire->tls)->text);
}

static enum err_code shake_hands(struct wire *wire, struct err *err)
{
    for (;;) {
        enum tls_state state =
            tls_session_advance(wire->tls, &wire->in, &wire->plain, CHUNK, NULL, 0, &wire->out);
        enum err_code code = send_raw(wire, &wire->out, err);

        if (state == TLS_FAILED)
            return tls_failed(wire, err);
        if (code != ERR_NONE || state == TLS_OPEN)
            return code;
        code = receive_cipher(wire, err);
        if (code != ERR_NONE)
            return code;
    }
}

enum err_code wire_secure(struct wire *wire, struct err *err)
{
    const struct tls_options options = {.server_name = wire->settings->host};

    wire->tls = tls_session_create(wire->settings->tls, &options);
    return shake_hands(wire, err);
}

bool wire_is_secure(const struct wire *wire)
{
    return wire->tls != NULL;
}

/* ---- connecting ---- */

static enum err_code connect_to(struct wire *wire, const struct addrinfo *address, struct err *err)
{
    enum err_code code = ERR_NONE;
    int error = 0;
    socklen_t length = sizeof(error);

    wire->socket =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->socket < 0)
        return err_errno(err, errno, "socket");
    if (connect(wire->socket, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            code = wait_for(wire, POLLOUT, WIRE_CONNECT_SECONDS, err);
            if (getsockopt(wire->socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
                error = errno;
        }
    }
    if (code == ERR_NONE && error != 0)
        code = err_set(err, ERR_UNAVAILABLE, "connecting to %s port %s: %s", wire->settings->host,
                       wire->settings->port, strerror(error));
    if (code != ERR_NONE) {
        close(wire->socket);
        wire->socket = -1;
    }
    return code;
}

static enum err_code connect_any(struct wire *wire, struct err *err)
{
    const struct wire_settings *settings = wire->settings;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int status = getaddrinfo(settings->host, settings->port, &hints, &list);
    enum err_code code = ERR_UNAVAILABLE;

    if (status != 0)
        return err_set(err, ERR_UNAVAILABLE, "looking up %s: %s", settings->host,
                       gai_strerror(status));
    for (const struct addrinfo *at = list; at != NULL && code != ERR_NONE; at = at->ai_next)
        code = connect_to(wire, at, err);
    freeaddrinfo(list);
    return code;
}

enum err_code wire_open(struct wire **out, const struct wire_settings *settings, struct err *err)
{
    struct wire *wire = mem_alloc(sizeof(*wire));
    enum err_code code;

    wire->settings = settings;
    wire->socket = -1;
    code = connect_any(wire, err);
    if (code == ERR_NONE && settings->secure)
        code = wire_secure(wire, err);
    if (code != ERR_NONE)
        wire_close(&wire);
    *out = wire;
    return code;
}

/* What is decrypted may be a user's mail, what is in out was encrypted already. */
void wire_close(struct wire **where)
{
    struct wire *wire = *where;

    *where = NULL;
    if (wire == NULL)
        return;
    tls_session_destroy(&wire->tls);
    if (wire->socket >= 0)
        close(wire->socket);
    buf_release(&wire->in);
    buf_release(&wire->out);
    buf_release(&wire->plain);
    free(wire);
}

/* ---- plain bytes ---- */

enum err_code wire_send(struct wire *wire, const void *bytes, size_t length, struct err *err)
{
    struct buf plain = {0};
    enum err_code code = ERR_NONE;

    buf_append(&plain, bytes, length);
    if (wire->tls == NULL)
        code = send_raw(wire, &plain, err);
    while (code == ERR_NONE && buf_length(&plain) > 0) {
        if (tls_session_advance(wire->tls, NULL, NULL, 0, &plain, CHUNK, &wire->out) == TLS_FAILED)
            code = tls_failed(wire, err);
        else
            code = send_raw(wire, &wire->out, err);
    }
    mem_wipe(plain.memory, plain.size);
    buf_release(&plain);
    return code;
}

static enum err_code decrypt_some(struct wire *wire, struct err *err)
{
    while (buf_length(&wire->plain) == 0) {
        enum tls_state state =
            tls_session_advance(wire->tls, &wire->in, &wire->plain, CHUNK, NULL, 0, &wire->out);
        enum err_code code = send_raw(wire, &wire->out, err);

        if (buf_length(&wire->plain) > 0)
            return ERR_NONE;
        if (state == TLS_FAILED)
            return tls_failed(wire, err);
        if (state == TLS_CLOSED)
            return err_set(err, ERR_UNAVAILABLE, "%s has closed the connection",
                           wire->settings->host);
        if (code == ERR_NONE)
            code = receive_cipher(wire, err);
        if (code != ERR_NONE)
            return code;
    }
    return ERR_NONE;
}

enum err_code wire_read(void *context, void *bytes, size_t room, size_t *got, struct err *err)
{
    struct wire *wire = context;
    enum err_code code;

    if (wire->tls == NULL)
        return receive_raw(wire, bytes, room, got, err);
    code = decrypt_some(wire, err);
    if (code != ERR_NONE)
        return code;
    *got = buf_length(&wire->plain) < room ? buf_length(&wire->plain) : room;
    memcpy(bytes, buf_bytes(&wire->plain), *got);
    buf_consume(&wire->plain, *got);
    return ERR_NONE;
}
