#include <assert.h>

#include "common/conn_inside.h"

void conn_start_tls(struct conn *conn, struct tls_context *context,
                    const struct tls_options *options)
{
    assert(conn->tls == NULL && buf_length(&conn->input) == 0);
    buf_move(&conn->wire_out, &conn->output); /* what was said before, in clear */
    conn->tls = tls_session_create(context, options);
    conn_ready(conn); /* a client speaks first */
}

bool conn_is_secured(const struct conn *conn)
{
    return conn->is_secured;
}

const struct tls_session *conn_tls(const struct conn *conn)
{
    return conn->is_secured ? conn->tls : NULL;
}

/* The session holds the reason; the alert that says it to the peer is in wire_out. */
static void fail(struct conn *conn)
{
    struct err err = *tls_session_error(conn->tls);

    conn->is_secured = false; /* output would be encrypted */
    conn_send(conn);
    if (conn_is_live(conn))
        conn_fail(conn, &err);
}

static enum tls_state take_step(struct conn *conn, struct buf *cipher)
{
    uint64_t begun = uv_hrtime();
    enum tls_state state;

    conn->has_begun_tls = true;
    state = tls_session_advance(conn->tls, cipher, &conn->input, 0, NULL, 0, &conn->wire_out);
    conn->hub->handshake_time += uv_hrtime() - begun;
    return state;
}

/* True once the conn is secured, and its owner was told and is still there. A step is put off when
   the loop has had its share of them in this turn. */
static bool handshake(struct conn *conn, struct buf *cipher)
{
    if (conn->is_shaking || (conn->has_begun_tls && buf_length(cipher) == 0))
        return false;
    if (conn->hub->handshake_time >= CONN_HANDSHAKE_SHARE) {
        conn_shake_later(conn);
        return false;
    }
    switch (take_step(conn, cipher)) {
    case TLS_OPEN:
        conn->is_secured = true;
        conn_tell(conn, CONN_SECURED);
        return conn_is_live(conn);
    case TLS_FAILED:
        fail(conn);
        return false;
    case TLS_CLOSED:
        conn_end(conn);
        return false;
    default:
        return false;
    }
}

void conn_tls_read(struct conn *conn, struct buf *cipher)
{
    size_t before;
    enum tls_state state;

    if (!conn->is_connected || (!conn->is_secured && !handshake(conn, cipher)))
        return;
    if (!conn_wants_input(conn))
        return;
    before = buf_length(&conn->input);
    state = tls_session_advance(conn->tls, cipher, &conn->input, conn->input_limit + 1, NULL, 0,
                                &conn->wire_out);
    if (buf_length(&conn->input) > before) {
        bool was_limited = !conn_wants_input(conn);

        conn_tell(conn, CONN_INPUT);
        if (was_limited && conn_is_live(conn))
            conn_ready(conn); /* more is waiting behind it, also inside the session */
    }
    if (!conn_is_live(conn))
        return;
    if (state == TLS_FAILED)
        fail(conn);
    else if (state == TLS_CLOSED)
        conn_end(conn);
}
