/* The link: many sessions over one connection between a front and a back. One object for both ends;
   the front connects (link_client), the back accepts (link_server). Everything of one link happens on
   one loop's thread. Frames and their rules: link.proto and docs/link.md. */
#ifndef PROTO_LINK_H
#define PROTO_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/conn.h"
#include "common/loop.h"
#include "common/net.h"
#include "common/settings.h"
#include "common/tls.h"
#include "proto/frame.h"
#include "proto/link.pb-c.h"

#define LINK_FRAME_MAX FRAME_MAX
#define LINK_DATA_MAX FRAME_DATA_MAX /* payload of one data body: one TLS record */
#define LINK_CREDIT_FIRST 65536u     /* each way, before any Window */
#define LINK_CREDIT_MOST 262144u     /* the receiver raises it to at most this */
#define LINK_PING_SECONDS 15         /* without any frame for twice this the link is down */

struct link;
struct link_session;

/* What a link tells its owner. `context` is what was given at creation. */
struct link_events {
    /* Hellos are exchanged; link_peer() can be read. Front and back. Front: called again, with the link
       up already, when the back end said a new Hello because its services changed. */
    void (*up)(void *context, struct link *link);
    /* The connection ended or never stood; sessions have been told (closed) before. A client link
       tries again by itself with back-off (0.1 s doubling to 5 s) and calls up again; a server link
       is freed after this call. */
    void (*down)(void *context, struct link *link, const struct err *why);
    /* Back only: the front opened a session. open is good during the call (copy what is kept). The
       callee calls link_session_attach() and answers with opened, challenge, refused or redirect,
       now or later. */
    void (*open)(void *context, struct link *link, struct link_session *session,
                 const Link__Open *open);
    /* Back only: answer with link_answer_location / link_answer_resolved, now or, while the link is up,
       later. */
    void (*locate)(void *context, struct link *link, const Link__Locate *locate);
    void (*resolve)(void *context, struct link *link, const Link__Resolve *resolve);
    /* Front only. */
    void (*location)(void *context, struct link *link, const Link__Location *location);
    void (*resolved)(void *context, struct link *link, const Link__Resolved *resolved);
    void (*drain)(void *context, struct link *link);
};

/* What a session tells its owner, at both ends. After link_session_close() or closed() nothing more
   is told, and the pointer is no longer the owner's. Calling link functions from within these is
   allowed. */
struct link_session_events {
    /* Challenge, Response, Opened, Refused, Redirect (see frame->body_case). A Refused or Redirect
       is followed by closed(). The frame is good during the call. */
    void (*message)(void *context, const Link__Frame *frame);
    /* Payload bytes have come. The receiver owes credit for them: it gives it back by
       link_session_consumed() when it has passed them on. */
    void (*data)(void *context, const uint8_t *bytes, size_t length);
    /* More may be sent than before: credit came, or the connection's output has drained after
       link_session_room() was 0. */
    void (*room)(void *context);
    /* The peer closed the session or the link went down (reason INTERNAL with text then). */
    void (*closed)(void *context, Link__Close__Reason reason, const char *text);
};

/* Who we are: said in Hello, checked on the other side against the certificate (mutual TLS) or the
   uid (unix socket). Strings must live as long as the links. */
struct link_self {
    Link__Hello__Role role;
    const char *name;
    const char *software;
    /* Back: fills the services of the Hello (enabled ones with their capabilities); called for each
       new link. NULL for fronts. Memory from arena. */
    void (*services)(void *context, struct arena *arena, Link__Hello *hello);
    void *context;
    const unsigned
        *uids; /* uids allowed at the other end of a unix socket, besides root and our own */
    size_t uid_count;
    bool allow_plain_tcp; /* tests only; refused otherwise */
};

/* The user ids for link_self.uids, as many as there are names: free() them, also after a failure.
   ERR_NOT_FOUND says which name is not known. For the time before threads start. */
enum err_code link_find_users(const struct setting_list *names, unsigned **uids, struct err *err);

/* Front: a link to a back end at address, reconnecting until link_destroy(). tls is the context for
   TCP (NULL for unix); expected_name is the back end's name. */
struct link *link_client(struct loop *loop, const struct net_address *address,
                         struct tls_context *tls, const char *expected_name,
                         const struct link_self *self, const struct link_events *events,
                         void *context);

/* Front: a link that waits before it connects again does so now; nothing happens to any other. For who
   has learnt that the back end is there again. */
void link_hurry(struct link *link);

/* Front: the certificates have been read anew; from the next connection on they are used. Nothing
   happens to a link over a unix socket. */
void link_renew_tls(struct link *link, struct tls_context *tls);

/* Back: takes over an accepted socket; tls as above. */
struct link *link_server(struct loop *loop, int fd, struct tls_context *tls,
                         const struct link_self *self, const struct link_events *events,
                         void *context);

/* Ends the link: its sessions are told closed(), `down` is not called. */
void link_destroy(struct link **link);

/* A link can be referred to across threads and time by its number (unique in the process). */
uint64_t link_number(const struct link *link);
bool link_is_up(const struct link *link);
bool link_is_draining(const struct link *link);

/* True over a unix socket: the other end is a process of this machine whose user id was checked. */
bool link_is_local(const struct link *link);

/* The peer's Hello while up, else NULL. */
const Link__Hello *link_peer(const struct link *link);
const char *link_peer_name(const struct link *link); /* for logs; never NULL */
size_t link_session_count(const struct link *link);

/* ---- sessions ---- */

/* Front: opens a session. open->service must be set. NULL when the link is not up or is draining. */
struct link_session *link_open(struct link *link, const Link__Open *open,
                               const struct link_session_events *events, void *context);

/* Back, from `open`: says who is told about the session from now on. */
void link_session_attach(struct link_session *session, const struct link_session_events *events,
                         void *context);

/* Sends Challenge, Response, Opened, Refused or Redirect: fill the frame's body; session is set here.
   After sending Refused or Redirect the session is over (as after link_session_close). */
void link_session_send(struct link_session *session, Link__Frame *frame);
void link_session_opened(struct link_session *session, const char *user);
void link_session_refuse(struct link_session *session, Link__Refused__Code code, const char *text,
                         unsigned retry_after);

/* How many payload bytes may be sent now: the peer's credit once the session is opened, and 0 while
   the connection's output is high. After an answer of 0 room() is told when it grows. */
size_t link_session_room(struct link_session *session);

/* Sends length bytes, at most link_session_room() of them, cut into data frames; returns how many
   were taken. Corked until the end of the loop turn, one gather write for all. */
size_t link_session_data(struct link_session *session, const void *bytes, size_t length);

/* Gives credit back for bytes received through data(). */
void link_session_consumed(struct link_session *session, size_t length);

/* Ends the session after what was sent. */
void link_session_close(struct link_session *session, Link__Close__Reason reason, const char *text);

uint32_t link_session_number(const struct link_session *session);
struct link *link_session_link(const struct link_session *session);

/* ---- questions, session 0 ---- */

/* Front. False when the link is not up. */
bool link_ask_location(struct link *link, uint64_t request, const char *name, const char *service);
bool link_ask_resolve(struct link *link, uint64_t request, const char *address);

/* Back. */
void link_answer_location(struct link *link, const Link__Location *location);
void link_answer_resolved(struct link *link, const Link__Resolved *resolved);
void link_say_drain(struct link *link, const char *reason);

/* Says Hello again, with the services as link_self gives them now. */
void link_say_services(struct link *link);

#endif
