/* From credentials to a back end's answer, the same for IMAP4 and POP3: waits where failed logins
   make it wait, finds the back end, opens a session there, follows redirects, and relays once the
   back end has opened it. */
#ifndef FRONT_LOGIN_H
#define FRONT_LOGIN_H

#include "cas-proxy/relay.h"
#include "cas-proxy/route.h"
#include "cas-proxy/sasl.h"

enum login_stage {
    LOGIN_OFF,     /* no login is going on */
    LOGIN_WAITS,   /* for failed logins before it */
    LOGIN_ROUTES,  /* the back ends are asked */
    LOGIN_ASKED,   /* a back end has the credentials */
    LOGIN_ANSWERS, /* it has sent a challenge: the client is to answer */
    LOGIN_RELAYS,  /* it is done: the back end speaks */
};

struct login {
    struct client *client;
    /* The back end, or the front for it, has refused. text is for people and clean. The credentials
       are gone; the protocol answers and may begin again. */
    void (*refused)(struct client *client, Link__Refused__Code code, const char *text);
    /* The back end asks: send the challenge, which is in base64, and hand in the client's answer by
       login_answer() or login_cancel(). */
    void (*challenged)(struct client *client, const char *challenge);
    struct sasl sasl; /* filled by the protocol before login_start() */
    enum login_stage stage;
    unsigned failures; /* on this connection */

    /* login.c's own */
    struct route_query query;
    struct link_session *session;
    struct back *back;
    struct relay relay;
    const struct login_extra *extra;
    char *name;
    struct back *redirected; /* to be followed when the session has ended */
    unsigned hops;
};

/* What goes into Open besides the credentials. Must live until the login has ended. */
struct login_extra {
    const char *tag;      /* IMAP; NULL for POP3 */
    const struct buf *id; /* IMAP: key NUL value NUL …; may be NULL */
    size_t id_count;      /* pairs in it */
    bool utf8;            /* POP3 */
    const char *language; /* POP3; may be NULL */
};

/* goodbye and stopping: see relay.h. */
void login_init(struct login *login, struct client *client, const char *goodbye,
                const char *stopping,
                void (*refused)(struct client *client, Link__Refused__Code code, const char *text),
                void (*challenged)(struct client *client, const char *challenge));

/* Begins with the message in login->sasl. refused() may come only later, never from within. */
void login_start(struct login *login, const struct login_extra *extra);

/* True while the protocol waits for somebody else than its client. */
bool login_is_busy(const struct login *login);

/* In LOGIN_ANSWERS: the client's answer is in login->sasl. */
void login_answer(struct login *login);

/* In LOGIN_ANSWERS: the client wants no more of it. Nothing is told to the protocol, the login has ended. */
void login_cancel(struct login *login);

/* Takes the client's events while login_is_busy(). The protocol sees none of them, but for
   CLIENT_STOP before LOGIN_RELAYS. */
void login_advance(struct login *login, enum client_event event);

/* The connection has ended. */
void login_close(struct login *login);

/* True when the connection has failed often enough to be closed. */
bool login_is_hopeless(const struct login *login);

#endif
