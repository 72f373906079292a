#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include "common/conn_inside.h"

struct buf *conn_output(struct conn *conn)
{
    return &conn->output;
}

size_t conn_pending(const struct conn *conn)
{
    return buf_length(&conn->output) + buf_length(&conn->wire_out) +
           uv_stream_get_write_queue_size(&conn->at.stream);
}

bool conn_is_full(const struct conn *conn)
{
    return conn->is_high || conn_pending(conn) > CONN_FULL;
}

void conn_flush(struct conn *conn)
{
    if (!conn_is_live(conn)) {
        buf_release(&conn->output);
        return;
    }
    if (conn_pending(conn) > CONN_FULL)
        conn->is_high = true;
    conn_ready(conn);
}

void conn_write(struct conn *conn, const void *data, size_t length)
{
    buf_append(&conn->output, data, length);
    conn_flush(conn);
}

void conn_printf(struct conn *conn, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(&conn->output, format, args);
    va_end(args);
    conn_flush(conn);
}

/* Moves output to wire_out, through TLS where there is TLS; false when TLS failed. */
static bool fill_wire(struct conn *conn)
{
    if (conn->tls == NULL) {
        buf_move(&conn->wire_out, &conn->output);
    } else if (conn->is_secured) {
        if (tls_session_advance(conn->tls, NULL, NULL, 0, &conn->output, CONN_ENCRYPT_SHARE,
                                &conn->wire_out) == TLS_FAILED)
            return false;
        if (buf_length(&conn->output) > 0)
            conn_ready(conn); /* the rest is for the next turn: others have their share first */
    } else if (conn->is_finishing) {
        buf_release(&conn->output); /* never to be sent: the handshake will not end */
    }
    return true;
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *conn = request->data;

    conn->is_writing = false;
    buf_release(&conn->sending);
    if (conn->is_closed)
        return;
    if (status != 0)
        conn_fail_uv(conn, status, "connection lost");
    else
        conn_ready(conn);
}

/* libuv keeps what the kernel does not take at once. */
static int write_rest(struct conn *conn)
{
    uv_buf_t rest;

    buf_move(&conn->sending, &conn->wire_out);
    rest.base = (char *)conn->sending.memory + conn->sending.start;
    rest.len = buf_length(&conn->sending);
    conn->request.write.data = conn;
    conn->is_writing = true;
    return uv_write(&conn->request.write, &conn->at.stream, &rest, 1, on_written);
}

static int write_wire(struct conn *conn)
{
    uv_buf_t bytes;
    int taken;

    if (buf_length(&conn->wire_out) == 0)
        return 0;
    bytes.base = (char *)conn->wire_out.memory + conn->wire_out.start;
    bytes.len = buf_length(&conn->wire_out);
    taken = uv_try_write(&conn->at.stream, &bytes, 1);
    if (taken < 0 && taken != UV_EAGAIN)
        return taken;
    if (taken > 0)
        buf_consume(&conn->wire_out, (size_t)taken);
    return buf_length(&conn->wire_out) == 0 ? 0 : write_rest(conn);
}

static void tell_drained(struct conn *conn)
{
    size_t pending = conn_pending(conn);

    if (pending > CONN_FULL) {
        conn->is_high = true;
    } else if (conn->is_high && pending < CONN_FULL / 2) {
        conn->is_high = false;
        conn_tell(conn, CONN_DRAINED);
    }
}

/* Everything is with the kernel: ends our half, and closes when the peer has ended its own. Nothing of libuv's
   is waiting to be written, so its shutdown, which asks first whether the socket is writable, is not needed. */
static void finish(struct conn *conn)
{
    uv_os_fd_t fd;

    if (conn->is_ended) {
        conn_close(conn);
        return;
    }
    if (conn->is_shut)
        return;
    conn->is_shut = true;
    if (uv_fileno(&conn->at.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0)
        conn_close(conn);
}

static bool may_send(const struct conn *conn)
{
    return !conn->is_closed && conn->is_connected && !conn->is_broken && !conn->is_writing;
}

void conn_send(struct conn *conn)
{
    int status;

    if (!may_send(conn))
        return;
    if (!fill_wire(conn)) {
        conn_fail(conn, tls_session_error(conn->tls));
        return;
    }
    if (conn->is_finishing && conn->is_secured && !conn->is_notified &&
        buf_length(&conn->output) == 0) {
        conn->is_notified = true;
        tls_session_finish(conn->tls, &conn->wire_out);
    }
    status = write_wire(conn);
    if (status < 0)
        conn_fail_uv(conn, status, "connection lost");
    else if (!conn->is_finishing)
        tell_drained(conn);
    else if (conn_pending(conn) == 0)
        finish(conn);
}
