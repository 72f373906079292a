/* Deliveries handed over by a front: RFC 2033 text with LHLO, MAIL, RCPT and BDAT only. The front has
   taken the message from the MTA; here it is stored, and answered for after the commit. */
#ifndef LMTP_ENGINE_H
#define LMTP_ENGINE_H

#include "mailbox-backend/session.h"

extern const struct engine lmtp_engine; /* "lmtpbe" */

#endif
