/* Ends what is kept of removed users: once a day (and a minute after the start) the mailboxes of those whose time
   has passed are removed, and what the directory knew of them. */
#ifndef BACKEND_REMOVAL_H
#define BACKEND_REMOVAL_H

#include <stdatomic.h>

#include "common/loop.h"
#include "mailbox-backend/backend.h"

struct removal;

/* Begins; the work is done on backend->bulk_pool. The loop's thread, or before it runs. */
struct removal *removal_start(struct backend *backend, struct loop *loop);

/* No new round begins; a round that runs ends behind the mailbox it is at. What is left is freed when
   that has happened: the loop must still run, or run what was posted (loop_destroy), after the pool
   has ended. The loop's thread. */
void removal_stop(struct removal **removal);

/* One round, as of now (Unix time): how many were ended. Worker threads. *stop ends it early. */
uint64_t removal_round(struct backend *backend, int64_t now, const atomic_bool *stop);

#endif
