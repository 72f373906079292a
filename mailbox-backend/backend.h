/* The back end: what everything in it shares. Whole in the daemon (serve.c); a command that works on a
   stopped back end opens the parts that it needs. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "common/loop.h"
#include "common/pool.h"
#include "mailbox-backend/directory/directory.h"
#include "mailbox-backend/settings.h"
#include "mailbox-backend/store/store.h"

struct link_service;     /* link_service.h: the links to the fronts */
struct grants;           /* mailbox/grants.h: who may see whose folders; there with the store */
struct gram_index;       /* search/gram_index.h: spares SEARCH the reading of messages */
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
    struct grants *grants;
    struct directory *directory;
    struct oauth_settings oauth; /* the directory's */
    struct gram_index *grams;    /* NULL: without */
    struct services *services;
    struct session_registry *registry;
    struct link_service *links;
    int lock; /* of the data folder */
};

enum backend_part {
    BACKEND_SERVICES = 1,
    BACKEND_DIRECTORY = 2,
    BACKEND_STORE = 4,
    BACKEND_PAGES = 8
}; /* bits; the last: the store, once all pages of its indexes were looked at */

/* Makes the data folder if it is not there, becomes the user of the settings (when root: so whoever
   runs a command, the files belong to that user), takes the folder's lock and opens the parts.
   ERR_EXISTS while another process has the folder: the text names its pid. settings is kept. */
enum err_code backend_open(struct backend *backend, const struct backend_settings *settings,
                           unsigned parts, struct err *err);

/* Closes what backend_open() opened. */
void backend_close(struct backend *backend);

#endif
