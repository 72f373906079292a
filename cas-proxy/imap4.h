/* The front's IMAP4 service: RFC 3501 and 9051 up to the end of authentication. */
#ifndef FRONT_IMAP4_H
#define FRONT_IMAP4_H

#include "cas-proxy/client.h"

extern const struct client_protocol imap4_protocol;

#endif
