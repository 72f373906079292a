/* Sessions as the link service sees them: how they begin, and how they are told to end. */
#ifndef BACKEND_SESSION_START_H
#define BACKEND_SESSION_START_H

#include "mailbox-backend/engines.h"
#include "proto/link.h"

/* Takes over a session that a front opened, from link_events' open: proves the credential, opens the
   engine, and serves until the end. On the link's loop, which is one of backend's. open is copied. */
void session_start(struct backend *backend, struct loop *loop, struct link_session *peer,
                   const struct engine_entry *entry, const Link__Open *open);

/* Which sessions are to end. */
struct session_choice {
    const struct engine_entry *entry; /* of this service; NULL: of all */
    const struct store_guid *account; /* of this account, or of it as another; NULL: of all */
    unsigned services_left;           /* with account: its own of these services stay */
};

/* Tells the chosen sessions on every loop to say good-bye (WHY_STOP) and end. Any thread; returns
   before it is done. text is for people and must be constant. */
void sessions_stop(struct backend *backend, const struct session_choice *choice,
                   Link__Close__Reason reason, const char *text);

/* Sessions on this loop that still have memory: 0 when none is left. The loop's own thread. */
size_t sessions_on_loop(struct loop *loop);

#endif
