/* One client connection from accept to close. What is the same for every protocol is done here:
   limits, the PROXY header, TLS, the list of who is connected, the last log line. The protocol gets
   events and decides. */
#ifndef FRONT_CLIENT_H
#define FRONT_CLIENT_H

#include "cas-proxy/front.h"
#include "common/conn.h"
#include "common/str.h"
#include "proto/link.pb-c.h"

struct client;

enum client_event {
    CLIENT_START,   /* say the greeting; TLS stands where the listener begins with it */
    CLIENT_SECURED, /* TLS of client_start_tls() stands: forget what came in clear */
    CLIENT_INPUT,   /* conn_input() grew */
    CLIENT_DRAINED, /* output was full and has fallen below half */
    CLIENT_TIMEOUT, /* the time of client_set_timeout() has passed */
    CLIENT_STOP,    /* the program stops or the service was switched off: say good-bye, then
                       client_end() */
};

struct client_protocol {
    const char *service;      /* "imap4": as in settings and logs */
    const char *back_service; /* "imap4be": on the link */
    const char *const *alpn;  /* NULL-terminated, or NULL */
    unsigned number;          /* of the service, for limits.h */
    const char *busy;         /* one whole line for a connection over the limits */
    /* Makes client->state, before any event. */
    void (*open)(struct client *client);
    void (*advance)(struct client *client, enum client_event event);
    /* The connection has ended, whoever ended it: let go of everything in client->state (routes are
       cancelled, link sessions closed). The state itself, which callers further up may still look at,
       is free()d with the client at the end of the loop turn; who frees it here sets client->state
       to NULL. conn must not be used any more. */
    void (*close)(struct client *client);
};

/* Fields are for reading, but for state and user. */
struct client {
    struct front_loop *home;
    const struct client_protocol *protocol;
    const struct service_settings *settings;
    struct conn *conn;              /* NULL after client_end() */
    uint64_t trace;                 /* number of the connection, on the link and in logs */
    struct net_address peer, local; /* of the client itself, also behind a PROXY header */
    bool trusted;                   /* peer is in trusted_networks */
    bool by_proxy;                  /* peer came in a PROXY header */
    bool starts_with_tls;
    bool ended; /* client_end() was called: touch nothing but the client's own memory */
    void *state;
    char *user;                   /* who has logged in, for logs and status; free()d here */
    char who[160];                /* "imap4[42] alice", for log lines */
    uint64_t bytes_in, bytes_out; /* relayed so far, for logs and status */

    /* client.c's own */
    struct client *next, *previous;
    struct loop_task free_task;
    bool counted;
    enum { CLIENT_WAITS_FOR_PROXY, CLIENT_WAITS_FOR_TLS, CLIENT_RUNS } stage;
    int64_t since; /* unix time */
};

/* Takes an accepted socket; peer as conn_open_accepted() takes it. */
void client_accept(struct front_loop *home, const struct client_protocol *protocol,
                   const struct service_settings *settings, bool starts_with_tls, int fd,
                   const struct net_address *peer);

/* Ends the connection: what was written is sent, TLS is closed, protocol->close is called. The
   client's own memory stays good until the end of the loop turn, so a caller further up sees
   client->ended. why is for the log: "logged out", "too many bad commands"; NULL: no line. */
void client_end(struct client *client, const char *why);

/* STARTTLS: to be called after the positive answer was written and the command consumed. Bytes that
   came in clear behind the command end the connection (RFC 3501 and 9051 section 6.2.1: they may be
   injected); false then, and when there is no certificate. */
bool client_start_tls(struct client *client);

/* True when this client may still ask for TLS: there is a certificate and no TLS yet. */
bool client_may_start_tls(const struct client *client);

/* True under TLS, over a unix socket never. */
bool client_is_secured(const struct client *client);

/* One timer; CLIENT_TIMEOUT follows unless it is set again; 0 ends it. */
void client_set_timeout(struct client *client, uint64_t seconds);

/* Nothing happens after client_end(). */
void client_write(struct client *client, const char *text);
void client_printf(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes bytes that may hold a password off the input. */
void client_consume(struct client *client, size_t length);

/* The name is known: client->user and client->who have it from now on. */
void client_set_user(struct client *client, const char *user);

/* Fills what a back end is told about the client in Open. Texts are in room, or live as long as the
   connection. */
struct client_facts {
    char peer[NET_TEXT_MAX], local[NET_TEXT_MAX];
    struct tls_peer_facts certificate;
    Link__Binding bindings[TLS_CHANNEL_BINDINGS], *list[TLS_CHANNEL_BINDINGS];
    uint8_t values[TLS_CHANNEL_BINDINGS][TLS_CHANNEL_BINDING_MAX];
};
void client_fill(const struct client *client, Link__Client *to, struct client_facts *room);

/* Adds the channel bindings of the client's TLS. To be left out where mechanisms that bind were not
   offered: by them a back end knows that a client was told otherwise (RFC 5802 section 6). */
void client_fill_bindings(const struct client *client, Link__Client *to, struct client_facts *room);

/* True when there is a channel binding that the settings allow to offer. */
bool client_may_bind(const struct client *client);

/* Tells all clients of one service on this loop (NULL: of all services) CLIENT_STOP. */
void client_stop_all(struct front_loop *home, const char *service);

#endif
