/* The time after login: bytes between the client and its session on the link, both ways, with
   back-pressure. Nothing of it is understood here. */
#ifndef FRONT_RELAY_H
#define FRONT_RELAY_H

#include "cas-proxy/client.h"
#include "proto/link.h"

struct relay {
    struct client *client;
    struct link_session *session; /* NULL: not relaying */
    const char *goodbye;          /* a line that tells the client that the service is gone */
    const char *stopping;         /* the same when this program stops */
    size_t owed;    /* bytes written to the client whose credit was not given back yet */
    uint64_t taken; /* bytes that the client had taken when the clock was set */
    unsigned still; /* for how many minutes it has taken nothing */
    bool clock_runs;
    bool at_line_end; /* of what the client got */
    uint64_t spoken;  /* when the back end last said something: loop_now() */
};

/* Begins: what the client sent behind its credentials goes first. The client's events are
   relay_advance()'s and the session's relay_data(), relay_room(), relay_closed()'s from now on. */
void relay_start(struct relay *relay, struct client *client, struct link_session *session);

void relay_advance(struct relay *relay, enum client_event event);
void relay_data(struct relay *relay, const uint8_t *bytes, size_t length);
void relay_room(struct relay *relay);
void relay_closed(struct relay *relay, Link__Close__Reason reason, const char *text);

/* The client has gone: tells the back end. */
void relay_close(struct relay *relay);

#endif
