#include "common/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/conn_inside.h"
#include "common/mem.h"

bool conn_is_live(const struct conn *conn)
{
    return !conn->is_closed && !conn->is_gone && !conn->is_finishing;
}

void conn_tell(struct conn *conn, enum conn_event event)
{
    if (conn_is_live(conn))
        conn->handler(conn, event, conn->context);
}

/* Tells CONN_GONE, once. */
static void tell_gone(struct conn *conn)
{
    conn->is_connected = false;
    conn_update_reading(conn);
    uv_timer_stop(&conn->timer);
    conn->is_gone = true;
    conn->handler(conn, CONN_GONE, conn->context);
}

void conn_end(struct conn *conn)
{
    conn->is_ended = true;
    if (conn->is_finishing) {
        conn_update_reading(conn);
        conn_ready(conn);
        return;
    }
    conn_send(
        conn); /* what was written before is still sent: the peer may only have shut its half */
    if (conn_is_live(conn)) {
        conn_set_error(conn, NULL);
        tell_gone(conn);
    }
}

void conn_fail(struct conn *conn, const struct err *err)
{
    if (conn->is_closed)
        return;
    conn->is_broken = true;
    if (conn->is_finishing) {
        conn_close(conn);
    } else if (!conn->is_gone) {
        conn_set_error(conn, err);
        tell_gone(conn);
    }
}

void conn_set_error(struct conn *conn, const struct err *err)
{
    struct err *copy = NULL;

    if (err != NULL) {
        copy = mem_alloc(sizeof(*copy));
        *copy = *err;
    }
    free(conn->error);
    conn->error = copy;
}

void conn_fail_uv(struct conn *conn, int status, const char *what)
{
    struct err err;

    err_set(&err, ERR_UNAVAILABLE, "%s: %s", what, uv_strerror(status));
    conn_fail(conn, &err);
}

static void on_timer(uv_timer_t *timer);

/* Looks later whether some of what is pending was taken. */
static void wind_finish(struct conn *conn)
{
    unsigned seconds;

    conn->finish_pending = conn_pending(conn);
    seconds = conn->finish_pending > 0 ? CONN_DRAIN_SECONDS : CONN_FINISH_SECONDS;
    uv_timer_start(&conn->timer, on_timer, seconds * 1000, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct conn *conn = timer->data;

    if (!conn->is_finishing)
        conn_tell(conn, CONN_TIMEOUT);
    else if (conn_pending(conn) < conn->finish_pending)
        wind_finish(conn); /* slowly, but it gets there */
    else
        conn_close(conn);
}

static struct conn *create(struct loop *loop, int family, conn_handler *handler, void *context)
{
    struct conn *conn = mem_alloc(sizeof(*conn));

    conn->hub = conn_hub_of(loop);
    conn->hub->conn_count++;
    conn->handler = handler;
    conn->context = context;
    conn->input_limit = CONN_INPUT_LIMIT;
    conn->open_handles = 2;
    if (family == AF_UNIX)
        uv_pipe_init(loop_uv(loop), &conn->at.pipe, 0);
    else
        uv_tcp_init(loop_uv(loop), &conn->at.tcp);
    uv_timer_init(loop_uv(loop), &conn->timer);
    conn->at.handle.data = conn->timer.data = conn;
    return conn;
}

static bool is_local(const struct conn *conn)
{
    return conn->at.handle.type == UV_NAMED_PIPE;
}

/* Told from the next turn, because the caller does not have the conn yet. */
static void fail_later(struct conn *conn, int status, const char *what)
{
    struct err err;

    err_set(&err, ERR_UNAVAILABLE, "%s: %s", what, uv_strerror(status));
    conn_set_error(conn, &err);
    conn_ready(conn);
}

static void stand(struct conn *conn)
{
    conn->is_connected = true;
    conn_update_reading(conn);
}

/* Output is corked by us. */
static void set_no_delay(struct conn *conn)
{
    if (!is_local(conn))
        uv_tcp_nodelay(&conn->at.tcp, 1);
}

struct conn *conn_open(struct loop *loop, int fd, conn_handler *handler, void *context)
{
    return conn_open_accepted(loop, fd, NULL, handler, context);
}

struct conn *conn_open_accepted(struct loop *loop, int fd, const struct net_address *peer,
                                conn_handler *handler, void *context)
{
    struct net_address local;
    struct conn *conn;
    int status;

    net_local_of(fd, &local);
    conn = create(loop, local.at.any.sa_family, handler, context);
    conn->local = local;
    if (peer != NULL)
        conn->peer = *peer;
    else
        net_peer_of(fd, &conn->peer);
    status = is_local(conn) ? uv_pipe_open(&conn->at.pipe, fd) : uv_tcp_open(&conn->at.tcp, fd);
    if (status == 0) {
        if (peer == NULL)
            set_no_delay(conn);
        stand(conn);
    } else {
        close(fd);
        fail_later(conn, status, "cannot take over the connection");
    }
    return conn;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct conn *conn = request->data;
    uv_os_fd_t fd;

    if (conn->is_closed)
        return;
    if (status != 0) {
        conn_fail_uv(conn, status, "cannot connect");
        return;
    }
    if (uv_fileno(&conn->at.handle, &fd) == 0) {
        net_peer_of(fd, &conn->peer);
        net_local_of(fd, &conn->local);
    }
    set_no_delay(conn);
    stand(conn);
    conn_tell(conn, CONN_CONNECTED);
    conn_ready(conn);
}

struct conn *conn_connect(struct loop *loop, const struct net_address *address,
                          conn_handler *handler, void *context)
{
    struct conn *conn = create(loop, address->at.any.sa_family, handler, context);
    int status = 0;

    conn->request.connect.data = conn;
    conn->peer = *address;
    if (is_local(conn))
        uv_pipe_connect(&conn->request.connect, &conn->at.pipe, address->at.local.sun_path,
                        on_connected);
    else
        status =
            uv_tcp_connect(&conn->request.connect, &conn->at.tcp, &address->at.any, on_connected);
    if (status != 0)
        fail_later(conn, status, "cannot connect");
    return conn;
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    struct conn_hub *hub = conn->hub;

    if (--conn->open_handles != 0)
        return; /* libuv has not let go of the last one yet */
    buf_release(&conn->input);
    buf_release(&conn->output);
    buf_release(&conn->wire_in);
    buf_release(&conn->wire_out);
    buf_release(&conn->sending);
    tls_session_destroy(&conn->tls);
    free(conn->error);
    free(conn);
    conn_hub_let_go(hub);
}

void conn_close(struct conn *conn)
{
    assert(!conn->is_closed);
    conn_forget(conn);
    conn->is_closed = true;
    uv_close(&conn->at.handle, on_closed);
    uv_close((uv_handle_t *)&conn->timer, on_closed);
}

/* Peers that never end their half must not use up the descriptors: those who have had the longest time
   get what the kernel takes at once. */
static void make_room(struct conn_hub *hub)
{
    while (hub->finishing_count > CONN_FINISHING_MOST) {
        struct conn *oldest = TAILQ_FIRST(&hub->finishing);

        conn_send(oldest);
        if (!oldest->is_closed)
            conn_close(oldest);
    }
}

void conn_finish(struct conn *conn)
{
    if (conn->is_broken || (!conn->is_connected && !conn->is_ended)) {
        conn_close(conn);
        return;
    }
    conn->is_finishing = true;
    conn->is_connected = true; /* after a clean CONN_GONE: our half is still open */
    TAILQ_INSERT_TAIL(&conn->hub->finishing, conn, in_finishing);
    conn->hub->finishing_count++;
    buf_release(&conn->wire_in);
    conn_update_reading(conn); /* a socket closed with bytes unread would cut off what we send */
    wind_finish(conn);
    conn_ready(conn);
    make_room(conn->hub);
}

void conn_set_handler(struct conn *conn, conn_handler *handler, void *context)
{
    conn->handler = handler;
    conn->context = context;
}

void conn_set_timeout(struct conn *conn, unsigned seconds)
{
    if (!conn_is_live(conn))
        return;
    if (seconds == 0)
        uv_timer_stop(&conn->timer);
    else
        uv_timer_start(&conn->timer, on_timer, (uint64_t)seconds * 1000, 0);
}

const struct net_address *conn_peer(const struct conn *conn)
{
    return &conn->peer;
}

const struct net_address *conn_local(const struct conn *conn)
{
    return &conn->local;
}

const struct err *conn_error(const struct conn *conn)
{
    static const struct err none;

    return conn->error == NULL ? &none : conn->error;
}

bool conn_peer_uid(const struct conn *conn, unsigned *uid, int *pid)
{
    struct ucred facts;
    socklen_t length = sizeof(facts);
    uv_os_fd_t fd;

    if (!is_local(conn) || uv_fileno(&conn->at.handle, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &facts, &length) != 0)
        return false;
    *uid = facts.uid;
    *pid = facts.pid;
    return true;
}

struct loop *conn_loop(const struct conn *conn)
{
    return conn->hub->loop;
}
