/* The engines of this back end, one for each service, and what the rest of the program needs to know of
   each of them. */
#ifndef BACKEND_ENGINES_H
#define BACKEND_ENGINES_H

#include "common/service.h"
#include "mailbox-backend/session.h"

struct engine_entry {
    const struct engine *engine;
    enum account_service service;
    bool for_fronts; /* no user logs in: the front itself is the client (lmtpbe) */
    uint64_t (*idle_timeout)(const struct backend_settings *settings); /* seconds */
    /* Sessions of one user; NULL where there is no user. */
    uint64_t (*max_sessions)(const struct backend_settings *settings);
};

extern const struct engine_entry engines[];
extern const size_t engine_count;

/* NULL when there is none of that name. */
const struct engine_entry *engine_find(const char *service);

/* Opens the state of this program's services, which is kept in the data folder: for the daemon, and
   for commands while it is stopped. As services_open(). */
enum err_code backend_services_open(struct services **services,
                                    const struct backend_settings *settings, struct err *err);

#endif
