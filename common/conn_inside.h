/* What the files of conn.h share; nobody else includes it.

   Bytes go: kernel -> wire_in -> (TLS) -> input -> owner, and owner -> output -> (TLS) -> wire_out ->
   kernel, with sending as the part of wire_out that libuv holds. Without TLS wire_in is not used. */
#ifndef COMMON_CONN_INSIDE_H
#define COMMON_CONN_INSIDE_H

#include <sys/queue.h>

#include "common/conn.h"

#define CONN_READ_SIZE ((size_t)64 << 10)     /* one read, and what a conn may read in a turn */
#define CONN_ENCRYPT_SHARE ((size_t)64 << 10) /* what a conn may encrypt in a turn */
#define CONN_WIRE_IN_MOST ((size_t)64 << 10)  /* ciphertext waiting beyond this stops reading */
#define CONN_FULL ((size_t)256 << 10)
#define CONN_INPUT_LIMIT ((size_t)64 << 10)
#define CONN_HANDSHAKE_SHARE                                                                       \
    UINT64_C(1000000)            /* ns of handshakes on a loop in a turn: one is 0.2 to 2.4 ms */
#define CONN_FINISH_SECONDS 10   /* for the peer to end its half */
#define CONN_DRAIN_SECONDS 60    /* for it to take some of the rest: the kernel's part goes first */
#define CONN_FINISHING_MOST 1024 /* on a loop: connections that nobody counts any more */

/* What the conns of one loop share. */
struct conn_hub {
    struct loop_local local;
    struct loop_turn turn;
    struct loop *loop;
    uint64_t number;          /* of the turn */
    uint64_t handshake_time;  /* ns that steps have taken in this turn */
    TAILQ_HEAD(, conn) ready; /* to be looked at in the next turn callback */
    size_t ready_count;
    TAILQ_HEAD(, conn) shaking;   /* whose next handshake step was put off, the oldest first */
    TAILQ_HEAD(, conn) finishing; /* after conn_finish(): nobody else knows them */
    size_t finishing_count;
    size_t conn_count; /* whose memory is still there */
    bool ended;
    char read_memory[CONN_READ_SIZE]; /* idle conns hold no buffer of their own */
};

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } at;
    uv_timer_t timer;
    union { /* one at a time */
        uv_connect_t connect;
        uv_write_t write;
    } request;
    unsigned open_handles;

    struct conn_hub *hub;
    TAILQ_ENTRY(conn) in_ready;
    TAILQ_ENTRY(conn) in_shaking;
    TAILQ_ENTRY(conn) in_finishing;
    conn_handler *handler;
    void *context;

    struct buf input;
    struct buf output;
    struct buf wire_in;
    struct buf wire_out;
    struct buf sending;
    size_t input_limit;
    uint64_t read_turn; /* the turn that read_bytes counts in */
    size_t read_bytes;
    size_t finish_pending; /* conn_pending() when the timer of conn_finish() was set */

    struct tls_session *tls;
    struct net_address peer;
    struct net_address local;
    struct err *error; /* NULL: none */

    bool is_ready;     /* in hub->ready */
    bool is_shaking;   /* in hub->shaking */
    bool is_connected; /* reading and writing make sense */
    bool is_reading;
    bool is_paused;
    bool is_writing; /* request.write is with libuv */
    bool is_high;    /* was full, and CONN_DRAINED is still owed */
    bool is_secured;
    bool has_begun_tls; /* the first handshake step was taken */
    bool is_ended;      /* the peer has sent its last byte */
    bool is_broken;     /* nothing can be written or read any more */
    bool is_gone;       /* CONN_GONE was told */
    bool is_finishing;
    bool is_notified; /* close_notify was written */
    bool is_shut;     /* our half is */
    bool is_closed;
};

/* conn_hub.c */
struct conn_hub *conn_hub_of(struct loop *loop);
void conn_hub_let_go(struct conn_hub *hub); /* one conn's memory is gone */

/* Has conn looked at in the next turn callback. */
void conn_ready(struct conn *conn);

/* Has conn looked at when its turn for a handshake step comes. */
void conn_shake_later(struct conn *conn);
void conn_forget(struct conn *conn); /* takes it off the hub's lists */

/* conn.c */
/* True while events can be told: after each of them the owner may have closed. */
bool conn_is_live(const struct conn *conn);
void conn_tell(struct conn *conn, enum conn_event event);
void conn_end(struct conn *conn); /* the peer's last byte was read */
void conn_fail(struct conn *conn, const struct err *err);
void conn_fail_uv(struct conn *conn, int status, const char *what);
void conn_set_error(struct conn *conn, const struct err *err); /* a copy; NULL for none */

/* conn_read.c */
void conn_update_reading(struct conn *conn);
bool conn_wants_input(const struct conn *conn);

/* conn_send.c */
/* Hands the kernel what it takes; may tell CONN_DRAINED and CONN_GONE. */
void conn_send(struct conn *conn);

/* conn_tls.c */
/* Decrypts what has come, or goes on with the handshake; tells CONN_SECURED, CONN_INPUT, CONN_GONE. cipher
   is wire_in, or while that is empty the memory that was read into. */
void conn_tls_read(struct conn *conn, struct buf *cipher);

#endif
