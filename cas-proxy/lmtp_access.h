/* Who may give mail: whoever reaches the service can put mail into every mailbox. */
#ifndef FRONT_LMTP_ACCESS_H
#define FRONT_LMTP_ACCESS_H

#include "cas-proxy/client.h"

enum lmtp_access {
    LMTP_ALLOWED,
    LMTP_AFTER_TLS, /* may still show a certificate of the deployment's CA under STARTTLS */
    LMTP_REFUSED,
};

/* As the connection stands now: a unix socket, the loopback networks and lmtp_networks are let in; all
   others need the certificate. */
enum lmtp_access lmtp_access(const struct client *client);

#endif
