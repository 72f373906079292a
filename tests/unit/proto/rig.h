/* Two ends of a link on one loop, on the test's own thread: a front and a back over a unix socket, or
   a back whose other end the test writes by hand. Nothing here waits for a time to pass: a test that
   never gets what it waits for hangs, and is ended from outside. */
#ifndef TESTS_UNIT_PROTO_RIG_H
#define TESTS_UNIT_PROTO_RIG_H

#include "tests/unit/proto/unit.h"

#include <signal.h>
#include <sys/socket.h>

#include "common/loop.h"
#include "proto/link.h"

/* What one end was told. */
struct told {
    struct link *link; /* NULL after the down of a server link */
    int ups, downs, drains, closes, rooms, opens, messages, asked, answers;
    char down_text[240];
    char close_text[240];
    Link__Close__Reason close_reason;
    struct link_session *session; /* the newest */
    struct buf data;              /* of all sessions */
    bool keeps_credit;            /* does not give it back */
    bool keeps_waiting;           /* back: does not answer Open at once */
    Link__Frame__BodyCase last_message;
    Link__Refused__Code refused;
    char text[64]; /* user of Opened, service of Open, name of Locate, address of Resolve */
    uint64_t request;
};

struct rig {
    struct loop *loop;
    struct told front, back;
    struct listener *listener;
    char folder[64];
    struct net_address address;
    struct tls_context *front_tls, *back_tls; /* for links over TCP; or NULL */
    int raw;                                  /* the test's end of a socket pair, or -1 */
    uint8_t raw_bytes[1 << 20];
    size_t raw_length;
    size_t raw_used; /* by the last frame read */
};

static inline void rig_copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
}

/* ---- what the ends do ---- */

static inline void told_message(void *context, const Link__Frame *frame)
{
    struct told *told = context;

    told->messages++;
    told->last_message = frame->body_case;
    if (frame->body_case == LINK__FRAME__BODY_OPENED)
        rig_copy(told->text, sizeof(told->text), frame->opened->user);
    if (frame->body_case == LINK__FRAME__BODY_REFUSED)
        told->refused = frame->refused->code;
}

static inline void told_data(void *context, const uint8_t *bytes, size_t length)
{
    struct told *told = context;

    buf_append(&told->data, bytes, length);
    if (!told->keeps_credit)
        link_session_consumed(told->session, length);
}

static inline void told_room(void *context)
{
    ((struct told *)context)->rooms++;
}

static inline void told_closed(void *context, Link__Close__Reason reason, const char *text)
{
    struct told *told = context;

    told->closes++;
    told->session = NULL;
    told->close_reason = reason;
    rig_copy(told->close_text, sizeof(told->close_text), text);
}

static const struct link_session_events rig_session_events = {
    .message = told_message,
    .data = told_data,
    .room = told_room,
    .closed = told_closed,
};

static inline void told_up(void *context, struct link *link)
{
    struct told *told = context;

    assert_non_null(link_peer(link));
    told->ups++;
}

static inline void told_down(void *context, struct link *link, const struct err *why)
{
    struct told *told = context;

    (void)link;
    told->downs++;
    rig_copy(told->down_text, sizeof(told->down_text), why->text);
}

static inline void told_down_back(void *context, struct link *link, const struct err *why)
{
    told_down(context, link, why);
    ((struct told *)context)->link = NULL; /* freed by the link itself */
}

static inline void told_open(void *context, struct link *link, struct link_session *session,
                             const Link__Open *open)
{
    struct told *told = context;

    (void)link;
    told->opens++;
    told->session = session;
    rig_copy(told->text, sizeof(told->text), open->service);
    link_session_attach(session, &rig_session_events, told);
    if (!told->keeps_waiting)
        link_session_opened(session, "alice");
}

static inline void told_locate(void *context, struct link *link, const Link__Locate *locate)
{
    struct told *told = context;
    Link__Location location = LINK__LOCATION__INIT;

    told->asked++;
    rig_copy(told->text, sizeof(told->text), locate->name);
    location.request = locate->request;
    location.answer = LINK__LOCATION__ANSWER__CLAIM;
    link_answer_location(link, &location);
}

static inline void told_resolve(void *context, struct link *link, const Link__Resolve *resolve)
{
    struct told *told = context;
    Link__Resolved resolved = LINK__RESOLVED__INIT;

    told->asked++;
    rig_copy(told->text, sizeof(told->text), resolve->address);
    resolved.request = resolve->request;
    link_answer_resolved(link, &resolved);
}

static inline void told_location(void *context, struct link *link, const Link__Location *location)
{
    struct told *told = context;

    (void)link;
    told->request = location->request;
    told->answers++;
}

static inline void told_resolved(void *context, struct link *link, const Link__Resolved *resolved)
{
    struct told *told = context;

    (void)link;
    told->request = resolved->request;
    told->answers++;
}

static inline void told_drain(void *context, struct link *link)
{
    (void)link;
    ((struct told *)context)->drains++;
}

static const struct link_events rig_front_events = {
    .up = told_up,
    .down = told_down,
    .location = told_location,
    .resolved = told_resolved,
    .drain = told_drain,
};

static const struct link_events rig_back_events = {
    .up = told_up,
    .down = told_down_back,
    .open = told_open,
    .locate = told_locate,
    .resolve = told_resolve,
};

static struct link_self rig_front_self = {
    .role = LINK__HELLO__ROLE__FRONT,
    .name = "front1",
    .software = "test",
};

static struct link_self rig_back_self = {
    .role = LINK__HELLO__ROLE__BACK,
    .name = "back1",
    .software = "test",
};

/* ---- turning the loop ---- */

/* Until *number is at least wanted. */
static inline void rig_until(struct rig *rig, const int *number, int wanted)
{
    while (*number < wanted)
        uv_run(loop_uv(rig->loop), UV_RUN_ONCE);
}

static inline void rig_until_data(struct rig *rig, const struct told *told, size_t length)
{
    while (buf_length(&told->data) < length)
        uv_run(loop_uv(rig->loop), UV_RUN_ONCE);
}

/* Both ends are on this loop, so what is on its way arrives within a few turns. */
static inline void rig_settle(struct rig *rig)
{
    for (int i = 0; i < 100; i++)
        uv_run(loop_uv(rig->loop), UV_RUN_NOWAIT);
}

/* ---- beginning and end ---- */

static inline void rig_begin(struct rig *rig)
{
    char path[128];
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN); /* as both programs do */
    memset(rig, 0, sizeof(*rig));
    rig->loop = loop_create(0);
    rig->raw = -1;
    snprintf(rig->folder, sizeof(rig->folder), "/tmp/unit-proto-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(path, sizeof(path), "unix:%s/link", rig->folder);
    assert_int_equal(net_parse(&rig->address, path, &err), ERR_NONE);
}

static inline void rig_end(struct rig *rig)
{
    char command[128];

    link_destroy(&rig->front.link);
    link_destroy(&rig->back.link);
    if (rig->listener != NULL)
        listener_close(rig->listener);
    if (rig->raw >= 0)
        close(rig->raw);
    rig_settle(rig);
    loop_destroy(&rig->loop);
    buf_release(&rig->front.data);
    buf_release(&rig->back.data);
    snprintf(command, sizeof(command), "rm -rf '%s'", rig->folder);
    assert_int_equal(system(command), 0);
}

static inline void rig_accept(struct listener *listener, int fd, const struct net_address *peer,
                              void *context)
{
    struct rig *rig = context;

    (void)listener;
    (void)peer;
    rig->back.link =
        link_server(rig->loop, fd, rig->back_tls, &rig_back_self, &rig_back_events, &rig->back);
}

static inline void rig_listen(struct rig *rig)
{
    struct err err = {0};
    int fd;

    assert_int_equal(net_listen(&fd, &rig->address, false, 0, &err), ERR_NONE);
    rig->listener = listener_open(rig->loop, fd, rig_accept, rig);
}

static inline void rig_client(struct rig *rig, const char *expected)
{
    rig->front.link = link_client(rig->loop, &rig->address, rig->front_tls, expected,
                                  &rig_front_self, &rig_front_events, &rig->front);
}

/* From now on rig->address is a TCP port of this machine on which a back listens. */
static inline void rig_listen_tcp(struct rig *rig)
{
    struct err err = {0};
    struct sockaddr_in bound;
    socklen_t length = sizeof(bound);
    int fd;

    assert_int_equal(net_parse(&rig->address, "127.0.0.1:0", &err), ERR_NONE);
    assert_int_equal(net_listen(&fd, &rig->address, false, 0, &err), ERR_NONE);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &length), 0);
    rig->address.at.in4.sin_port = bound.sin_port;
    rig->listener = listener_open(rig->loop, fd, rig_accept, rig);
}

/* A back listens, a front connects: both are up. */
static inline void rig_connect(struct rig *rig)
{
    rig_listen(rig);
    rig_client(rig, "back1");
    rig_until(rig, &rig->front.ups, 1);
    rig_until(rig, &rig->back.ups, 1);
}

/* A session that is open at both ends. */
static inline void rig_session(struct rig *rig)
{
    Link__Open open = LINK__OPEN__INIT;
    int messages = rig->front.messages;

    open.service = (char *)"imap4be";
    rig->front.session = link_open(rig->front.link, &open, &rig_session_events, &rig->front);
    assert_non_null(rig->front.session);
    rig_until(rig, &rig->front.messages, messages + 1);
}

/* ---- a peer written by hand ---- */

static inline void rig_raw_back(struct rig *rig)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    rig->raw = fds[1];
    rig->back.link =
        link_server(rig->loop, fds[0], NULL, &rig_back_self, &rig_back_events, &rig->back);
}

static inline void rig_raw_write(struct rig *rig, const void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t written =
            send(rig->raw, (const uint8_t *)bytes + done, length - done, MSG_NOSIGNAL);

        if (written > 0)
            done += (size_t)written;
        else
            uv_run(loop_uv(rig->loop), UV_RUN_NOWAIT);
        if (rig->back.link == NULL)
            return; /* it has hung up */
    }
}

static inline void rig_raw_send(struct rig *rig, const Link__Frame *frame)
{
    struct buf bytes = {0};

    assert_true(frame_write(&bytes, frame));
    rig_raw_write(rig, buf_bytes(&bytes), buf_length(&bytes));
    buf_release(&bytes);
}

static inline void rig_raw_data(struct rig *rig, uint32_t session, size_t length)
{
    static const uint8_t payload[FRAME_DATA_MAX];
    struct buf bytes = {0};

    frame_write_data(&bytes, session, payload, length);
    rig_raw_write(rig, buf_bytes(&bytes), buf_length(&bytes));
    buf_release(&bytes);
}

/* The next frame that the back has sent; view points into the rig until the next call. False: it has
   hung up. */
static inline bool rig_raw_read(struct rig *rig, struct frame_view *view)
{
    memmove(rig->raw_bytes, rig->raw_bytes + rig->raw_used, rig->raw_length - rig->raw_used);
    rig->raw_length -= rig->raw_used;
    rig->raw_used = 0;
    while (frame_read(rig->raw_bytes, rig->raw_length, view, NULL) != FRAME_WHOLE) {
        ssize_t got = read(rig->raw, rig->raw_bytes + rig->raw_length,
                           sizeof(rig->raw_bytes) - rig->raw_length);

        if (got == 0)
            return false;
        if (got > 0)
            rig->raw_length += (size_t)got;
        else
            uv_run(loop_uv(rig->loop), UV_RUN_NOWAIT);
    }
    rig->raw_used = view->size;
    return true;
}

/* Reads frames until one has this body; false: it has hung up. */
static inline bool rig_raw_wait(struct rig *rig, uint32_t body, struct frame_view *view)
{
    while (rig_raw_read(rig, view)) {
        if (view->body == body)
            return true;
    }
    return false;
}

static inline void rig_hello(Link__Hello *hello, uint32_t bodies[FRAME_BODY_LAST])
{
    link__hello__init(hello);
    hello->version_least = hello->version_most = 1;
    hello->role = LINK__HELLO__ROLE__FRONT;
    hello->name = (char *)"front1";
    hello->bodies = bodies;
    for (uint32_t body = FRAME_BODY_FIRST; body <= FRAME_BODY_LAST; body++)
        bodies[hello->n_bodies++] = body;
}

static inline void rig_raw_say(struct rig *rig, Link__Hello *hello)
{
    Link__Frame frame = LINK__FRAME__INIT;

    frame.body_case = LINK__FRAME__BODY_HELLO;
    frame.hello = hello;
    rig_raw_send(rig, &frame);
}

/* A back that has heard a good Hello, and one session open on it. */
static inline void rig_raw_session(struct rig *rig, uint32_t number)
{
    Link__Open open = LINK__OPEN__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    int opens = rig->back.opens;

    open.service = (char *)"imap4be";
    frame.session = number;
    frame.body_case = LINK__FRAME__BODY_OPEN;
    frame.open = &open;
    rig_raw_send(rig, &frame);
    rig_until(rig, &rig->back.opens, opens + 1);
}

static inline void rig_raw_up(struct rig *rig)
{
    uint32_t bodies[FRAME_BODY_LAST];
    Link__Hello hello;

    rig_raw_back(rig);
    rig_hello(&hello, bodies);
    rig_raw_say(rig, &hello);
    rig_until(rig, &rig->back.ups, 1);
}

#endif
