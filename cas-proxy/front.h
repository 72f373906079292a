/* The running front: what its parts share. `struct front` is the process, `struct front_loop` all
   that lives on one loop's thread. Made by serve.c (and by unit tests). */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <stdatomic.h>
#include <stdint.h>

#include "cas-proxy/settings.h"
#include "common/loop.h"
#include "common/net.h"
#include "common/tls.h"

struct capabilities;
struct certificates;
struct client;
struct door;
struct limits;
struct link;
struct link_self;
struct route;
struct services; /* common/service.h: which services are on */

/* One back end of the settings, as this loop sees it. Its place in front_loop.backs is that of the
   settings, on every loop. */
struct back {
    const char *name;
    struct link
        *link; /* never NULL between front_loop's start and stop; may be down: link_is_up() */
    struct front_loop *home;
};

struct front_loop {
    struct front *front;
    struct loop *loop;
    struct back *backs;
    size_t back_count;
    struct route *route;
    struct capabilities *capabilities;
    struct client *clients; /* all that are open, newest first */
    struct door *doors;     /* listeners.c's: open listening sockets */
};

struct front {
    const struct front_settings *settings;
    struct services *services;
    struct certificates *certificates;
    struct limits *limits;
    struct link_self *self;                             /* what the links say in Hello */
    struct tls_context *link_tls;                       /* NULL: unix sockets only */
    struct net_range *trusted, *proxies, *lmtp_allowed; /* parsed networks of the settings */
    size_t trusted_count, proxy_count, lmtp_allowed_count;
    struct front_loop *loops;
    unsigned loop_count;
    atomic_uint_least64_t traces; /* last number given to a connection */
};

/* True when one of the networks has the address. */
bool front_has(const struct net_range *ranges, size_t count, const struct net_address *address);

/* The back end of that name on this loop, or NULL when the settings have none. */
struct back *front_back(struct front_loop *home, const char *name);

/* Calls run on the thread of each loop, one loop after the other, and waits. From a thread that is no
   loop's of this front, while all loops run. */
void front_on_loops(struct front *front, void (*run)(struct front_loop *home, void *context),
                    void *context);

#endif
