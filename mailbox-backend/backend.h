/* The running back end: what everything in it shares. Made by main.c. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "common/loop.h"
#include "common/pool.h"
#include "mailbox-backend/directory/directory.h"
#include "mailbox-backend/settings.h"
#include "mailbox-backend/store/store.h"

struct services;         /* common/service.h: which services are on */
struct session_registry; /* session_registry.h: how many sessions a user has */

struct backend {
    const struct backend_settings *settings;
    struct loop **loops;
    unsigned loop_count;
    struct pool *step_pool; /* long steps */
    struct pool *hash_pool; /* password hashing */
    struct pool *bulk_pool; /* imports, scans of whole mailboxes */
    struct store *store;
    struct directory *directory;
    struct services *services;
    struct session_registry *registry;
};

#endif
