/* The front's POP3 service: RFC 1939, 2449, 2595, 5034 and 6856 up to the end of authentication. */
#ifndef FRONT_POP3_H
#define FRONT_POP3_H

#include "cas-proxy/client.h"

extern const struct client_protocol pop3_protocol;

#endif
