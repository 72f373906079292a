/* What the files of the link share; nobody else includes it. */
#ifndef PROTO_LINK_PRIVATE_H
#define PROTO_LINK_PRIVATE_H

#include "proto/frame.h"
#include "proto/link.h"

#define LINK_VERSION 1u
#define LINK_NAME_MAX 64u
#define LINK_HELLO_SECONDS 10       /* from the connection to the peer's Hello */
#define LINK_TICK_SECONDS 5         /* how often silence is looked at */
#define LINK_SESSIONS_MOST 65536u   /* open at once */
#define LINK_OUTPUT_MOST (4u << 20) /* bytes that a peer may leave unread: small frames add up */
#define LINK_INPUT_LIMIT (256u << 10)

enum link_state {
    LINK_AWAY,       /* no connection */
    LINK_CONNECTING, /* client: until CONN_CONNECTED */
    LINK_SECURING,   /* TLS handshake */
    LINK_GREETING,   /* our Hello is on its way, the peer's is awaited */
    LINK_UP,
};

struct link_session {
    struct link *link;
    uint32_t number;
    bool opened;
    bool blocked;        /* in the link's queue for output */
    uint32_t credit;     /* payload bytes that the peer lets us send */
    uint32_t allowed;    /* payload bytes that the peer may still send */
    uint32_t unconsumed; /* received and not yet given back */
    uint32_t window;     /* what allowed + unconsumed is raised to */
    uint64_t received;
    const struct link_session_events *events;
    void *context;
    struct link_session *next_in_bucket;
    struct link_session *next, *previous; /* all of the link's */
    struct link_session *next_blocked, *previous_blocked;
};

struct link {
    struct loop *loop;
    struct conn *conn; /* NULL when LINK_AWAY */
    enum link_state state;
    bool is_client;
    bool draining;
    bool orderly;   /* the other side closed the connection, nothing failed */
    bool dead;      /* link_destroy() was called */
    unsigned depth; /* of our functions on the stack that still use the link */
    uint64_t number;
    uint64_t heard; /* loop_now() of the last bytes from the peer */
    char who[NET_TEXT_MAX + 32];

    struct net_address address; /* of the back end, or of the front that came */
    struct tls_context *tls;
    const char *expected_name;
    const struct link_self *self;
    const struct link_events *events;
    void *context;

    Link__Hello *peer; /* in peer_arena */
    struct arena peer_arena;
    struct arena frame_arena; /* of the frame being handled */

    struct link_session **buckets;
    size_t bucket_count; /* a power of two */
    size_t session_count;
    struct link_session all;     /* head of a ring */
    struct link_session blocked; /* head of a ring */
    uint32_t highest;            /* number opened on this connection */

    struct loop_turn turn; /* runs once, to fail where no owner expects to be called */
    struct err failure;    /* code set while the turn is added */

    uv_timer_t retry; /* client only */
    unsigned retry_ms;
    char last_failure[sizeof(((struct err *)0)->text)];
};

/* ---- link.c ---- */

struct link *link_create(struct loop *loop, struct tls_context *tls, const struct link_self *self,
                         const struct link_events *events, void *context);
void link_attach_conn(struct link *link, struct conn *conn);

/* While a function calls its owner and uses the link afterwards, it stands between these two. After
   link_leave() the link may be gone. */
void link_enter(struct link *link);
void link_leave(struct link *link);

/* Ends the connection: logs, tells the sessions and the owner, frees a server link. Between enter and
   leave only. */
void link_fail(struct link *link, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same at the end of the loop turn, from anywhere. */
void link_fail_later(struct link *link, const struct err *why);

/* The connection stands: makes it safe, then says Hello. */
void link_begin(struct link *link);

/* Sends a frame now (corked); used for everything but Data. */
void link_send(struct link *link, const Link__Frame *frame);
/* After output was appended to the connection. */
void link_flush(struct link *link);

/* ---- link_client.c ---- */

/* Tries again after the back-off. */
void link_client_retry(struct link *link);

/* ---- link_hello.c ---- */

/* Unix sockets: the peer's uid must be ours, root's or an allowed one. */
enum err_code link_check_uid(struct link *link, struct err *err);
void link_say_hello(struct link *link);
/* Takes the peer's first Hello, or a later one. ERR_INVALID or ERR_DENIED end the link. */
enum err_code link_take_hello(struct link *link, const struct frame_view *view, struct err *err);

/* ---- link_receive.c ---- */

void link_receive(struct link *link);

/* ---- link_session.c ---- */

struct link_session *link_session_add(struct link *link, uint32_t number);
struct link_session *link_session_find(struct link *link, uint32_t number);
void link_session_remove(struct link_session *session);
/* Takes the session off the link and tells its owner. */
void link_session_end(struct link_session *session, Link__Close__Reason reason, const char *text);
void link_sessions_end_all(struct link *link, const char *text);
void link_sessions_unblock(struct link *link);
enum err_code link_session_take_data(struct link_session *session, const uint8_t *bytes,
                                     size_t length, struct err *err);
enum err_code link_session_take_window(struct link_session *session, uint32_t credit,
                                       struct err *err);

#endif
