#include "common/conn_inside.h"

struct buf *conn_input(struct conn *conn)
{
    return &conn->input;
}

bool conn_wants_input(const struct conn *conn)
{
    return !conn->is_paused && buf_length(&conn->input) <= conn->input_limit;
}

/* Room for one read out of the memory that all conns share. Once a conn has had its share of the
   turn it gets none: libuv then leaves it alone until the next turn. */
static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct conn *conn = handle->data;
    struct conn_hub *hub = conn->hub;
    size_t most;

    (void)suggested;
    if (conn->read_turn != hub->number) {
        conn->read_turn = hub->number;
        conn->read_bytes = 0;
    }
    most = CONN_READ_SIZE - conn->read_bytes;
    if (conn->tls == NULL && !conn->is_finishing) {
        size_t left = conn->input_limit + 1 - buf_length(&conn->input);

        most = most < left ? most : left;
    }
    *room = uv_buf_init(hub->read_memory, (unsigned)most);
}

/* Decrypts out of the memory that was read into; only what cannot be used yet is kept. */
static void read_cipher(struct conn *conn, char *bytes, size_t length)
{
    struct buf lent = {.memory = (uint8_t *)bytes, .end = length, .size = length};

    if (buf_length(&conn->wire_in) > 0) {
        buf_append(&conn->wire_in, bytes, length);
        conn_tls_read(conn, &conn->wire_in);
        return;
    }
    conn_tls_read(conn, &lent);
    if (conn_is_live(conn))
        buf_append(&conn->wire_in, buf_bytes(&lent), buf_length(&lent));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct conn *conn = stream->data;

    if (got == 0 || got == UV_ENOBUFS)
        return;
    if (got == UV_EOF) {
        conn_end(conn);
        return;
    }
    if (got < 0) {
        conn_fail_uv(conn, (int)got, "connection lost");
        return;
    }
    conn->read_bytes += (size_t)got;
    if (conn->is_finishing)
        return; /* only the end of it is of interest */
    if (conn->tls != NULL) {
        read_cipher(conn, room->base, (size_t)got);
    } else {
        buf_append(&conn->input, room->base, (size_t)got);
        conn_tell(conn, CONN_INPUT);
    }
    if (!conn->is_closed) {
        conn_update_reading(conn);
        conn_ready(conn); /* to send what was written, and give back empty buffers */
    }
}

static bool should_read(const struct conn *conn)
{
    if (!conn->is_connected || conn->is_ended || conn->is_closed)
        return false;
    return conn->is_finishing ||
           (conn_wants_input(conn) && buf_length(&conn->wire_in) <= CONN_WIRE_IN_MOST);
}

void conn_update_reading(struct conn *conn)
{
    bool should = should_read(conn);

    if (should == conn->is_reading)
        return;
    conn->is_reading = should;
    if (should)
        uv_read_start(&conn->at.stream, on_room, on_read);
    else
        uv_read_stop(&conn->at.stream);
}

/* Goes on after the owner has changed what it is ready to take. */
static void go_on(struct conn *conn)
{
    if (!conn_is_live(conn))
        return;
    conn_update_reading(conn);
    conn_ready(conn);
}

void conn_consume(struct conn *conn, size_t length)
{
    buf_consume(&conn->input, length);
    go_on(conn);
}

void conn_set_input_limit(struct conn *conn, size_t bytes)
{
    conn->input_limit = bytes;
    go_on(conn);
}

void conn_pause(struct conn *conn, bool paused)
{
    conn->is_paused = paused;
    go_on(conn);
}
