/* The least time between two logins of one user (RFC 2449 section 6.5), kept in memory: 0 seconds for
   everybody after a start. */
#ifndef POP3_LOGIN_DELAY_H
#define POP3_LOGIN_DELAY_H

#include "mailbox-backend/store/store.h"

/* Seconds that the owner of a mailbox has to wait still; now is a clock that never goes back, in
   seconds. Any thread. */
uint64_t login_delay_left(const struct store_guid *guid, uint64_t now, uint64_t delay);

/* A login has succeeded. Forgets those whose delay is over as well. Any thread. */
void login_delay_note(const struct store_guid *guid, uint64_t now, uint64_t delay);

#endif
