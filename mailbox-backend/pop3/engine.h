/* POP3 behind the front: RFC 1939 with 2449, 3206, 5034 from the TRANSACTION state on. The front has
   spoken the AUTHORIZATION state; here a session begins with the maildrop locked. */
#ifndef POP3_ENGINE_H
#define POP3_ENGINE_H

#include "mailbox-backend/session.h"

extern const struct engine pop3_engine; /* "pop3be" */

#endif
