/* What the files of the link service share; nobody else includes it. */
#ifndef BACKEND_LINK_SERVICE_PRIVATE_H
#define BACKEND_LINK_SERVICE_PRIVATE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "mailbox-backend/engines.h"
#include "mailbox-backend/link_service.h"
#include "proto/link.h"

/* A link and the loop it is on. */
struct front_link {
    struct link_home *home;
    struct link *link;
    LIST_ENTRY(front_link) in_home;
};

/* The links of one loop. */
struct link_home {
    struct link_service *service;
    struct loop *loop;
    LIST_HEAD(, front_link) links;
};

struct link_service {
    struct backend *backend;
    struct loop *loop; /* listens */
    struct link_self self;
    unsigned *uids;
    struct tls_context *tls; /* NULL: unix sockets only */
    int *sockets;            /* bound; taken over by listeners at the start */
    struct listener **listeners;
    size_t listener_count;
    struct link_home *homes; /* one for each loop */
    unsigned next_home;
    atomic_uint running; /* bit n: engines[n] runs */
    atomic_bool draining;
    atomic_uint link_count;
};

extern const struct link_events link_service_events; /* link_service_events.c; context front_link */

/* Fills the services of a Hello: link_self.services. */
void link_service_say(void *service, struct arena *arena, Link__Hello *hello);

/* Takes a link off its loop's list, and frees what we know of it. */
void front_link_forget(struct front_link *front);

#endif
