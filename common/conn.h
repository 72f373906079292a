/* One stream connection (TCP or unix, with or without TLS) as events. All of it happens on one
   loop's thread. */
#ifndef COMMON_CONN_H
#define COMMON_CONN_H

#include "common/buf.h"
#include "common/loop.h"
#include "common/net.h"
#include "common/tls.h"

struct conn;

enum conn_event {
    CONN_CONNECTED, /* an outgoing connection stands (before any TLS) */
    CONN_SECURED,   /* the TLS handshake is done */
    CONN_INPUT,     /* conn_input() grew */
    CONN_DRAINED,   /* output that was high (conn_is_full()) has fallen below half */
    CONN_TIMEOUT,   /* the time set by conn_set_timeout() has passed */
    CONN_GONE,      /* the peer has ended its half, or it failed: conn_error() says. Left to do is
                       conn_close(), or conn_finish(), which sends the rest where that is possible */
};

typedef void conn_handler(struct conn *conn, enum conn_event event, void *context);

/* Takes over fd (a connected, non-blocking socket) and starts reading. Peer and local address are
   asked from the socket once. */
struct conn *conn_open(struct loop *loop, int fd, conn_handler *handler, void *context);

/* The same for a socket of a listener, which has told the peer and left its options to it; with NULL for
   the peer it is conn_open(). */
struct conn *conn_open_accepted(struct loop *loop, int fd, const struct net_address *peer,
                                conn_handler *handler, void *context);

/* Connects; CONN_CONNECTED or CONN_GONE follows, never from within this call. */
struct conn *conn_connect(struct loop *loop, const struct net_address *address,
                          conn_handler *handler, void *context);

/* Changes who is told. */
void conn_set_handler(struct conn *conn, conn_handler *handler, void *context);

/* Starts TLS on top; with conn_input() not empty (bytes in clear behind STARTTLS) the caller must
   refuse instead. CONN_SECURED or CONN_GONE follows. For a server options may name the ALPN
   protocols, for a client the expected name: see tls.h. */
void conn_start_tls(struct conn *conn, struct tls_context *context,
                    const struct tls_options *options);
bool conn_is_secured(const struct conn *conn);

/* The TLS session once secured, else NULL: version, cipher, peer certificate, SNI. */
const struct tls_session *conn_tls(const struct conn *conn);

/* Plain-text bytes that have come; the handler consumes what it understands. Reading stops by itself
   while more than the limit (64 KB unless conn_set_input_limit) waits here, and goes on when the
   handler has consumed (call conn_consume(), which also restarts reading). */
struct buf *conn_input(struct conn *conn);
void conn_consume(struct conn *conn, size_t length);
void conn_set_input_limit(struct conn *conn, size_t bytes);

/* Stops reading, or goes on, whatever the input holds. */
void conn_pause(struct conn *conn, bool paused);

/* Output. Bytes are corked until the end of the loop turn and go out in one writev; with TLS at most
   a fair share is encrypted per turn. Never fails: a broken connection is told by CONN_GONE. After
   conn_is_full() the caller should stop until CONN_DRAINED. */
void conn_write(struct conn *conn, const void *data, size_t length);
void conn_printf(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct buf *conn_output(struct conn *conn);   /* append here, then call conn_flush() */
void conn_flush(struct conn *conn);           /* mark that conn_output() grew */
size_t conn_pending(const struct conn *conn); /* bytes not yet taken by the kernel */
bool conn_is_full(const struct conn *conn);   /* more than 256 KB pending */

/* One timer; 0 ends it. It is not moved by traffic: the caller sets it again when it likes. The
   handler may set it from any event. */
void conn_set_timeout(struct conn *conn, unsigned seconds);

/* Sends what is pending, TLS close_notify, then closes; closes anyway when the peer takes nothing of it
   for 60 seconds or, once all is sent, does not end its half for 10; earlier when more than 1,024
   conns of the loop are at that. No event follows; the conn is not the caller's any more. */
void conn_finish(struct conn *conn);

/* Closes now. No event follows; memory is freed when libuv has let go. */
void conn_close(struct conn *conn);

const struct net_address *conn_peer(const struct conn *conn);
const struct net_address *conn_local(const struct conn *conn);

/* Why CONN_GONE came; code ERR_NONE when the peer just closed. */
const struct err *conn_error(const struct conn *conn);

/* The uid and pid of a unix socket's other end; false for TCP. */
bool conn_peer_uid(const struct conn *conn, unsigned *uid, int *pid);

struct loop *conn_loop(const struct conn *conn);

/* Accepts on a listening socket (of net_listen()) on this loop, in batches. */
struct listener;
typedef void listener_handler(struct listener *listener, int fd, const struct net_address *peer,
                              void *context);
struct listener *listener_open(struct loop *loop, int fd, listener_handler *handler, void *context);
void listener_close(struct listener *listener); /* closes fd too */

#endif
