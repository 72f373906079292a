/* The maildrop lock of RFC 1939 section 4: one POP3 session a mailbox. It excludes POP3 only: IMAP and
   deliveries go on, and it ends with the session that holds it. */
#ifndef POP3_LOCK_H
#define POP3_LOCK_H

#include <stdbool.h>

#include "mailbox-backend/store/store.h"

/* Embed it; it must stay where it is while held. */
struct maildrop_lock {
    struct store_guid guid;
    bool held;
    struct maildrop_lock *next; /* the registry's own */
};

/* False when another session holds the mailbox. Any thread. */
bool maildrop_lock_take(struct maildrop_lock *lock, const struct store_guid *guid);

/* Lets go of a lock; nothing to do for one that is not held. Any thread. */
void maildrop_lock_release(struct maildrop_lock *lock);

#endif
