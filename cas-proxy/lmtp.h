/* The front's LMTP service (RFC 2033): takes mail from an MTA, finds each recipient's back end, and
   passes the content on as it arrives, once to every back end concerned. */
#ifndef FRONT_LMTP_H
#define FRONT_LMTP_H

#include "cas-proxy/client.h"

extern const struct client_protocol lmtp_protocol;

#endif
