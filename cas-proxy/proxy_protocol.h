/* The header that a TCP load balancer puts before a client's first byte (PROXY protocol, versions 1
   and 2 as HAProxy publishes them). Pure. Only senders named in proxy_networks are believed. */
#ifndef FRONT_PROXY_PROTOCOL_H
#define FRONT_PROXY_PROTOCOL_H

#include "common/net.h"
#include "common/str.h"

#define PROXY_HEADER_MAX 4096 /* version 2 with its extensions; version 1 has 107 bytes at most */

enum proxy_found { PROXY_MORE, PROXY_WHOLE, PROXY_BAD };

struct proxy_header {
    size_t length;    /* of the header; after PROXY_MORE: so many bytes belong to it for sure */
    bool has_address; /* false for UNKNOWN, LOCAL and families that are not IP: keep the socket's */
    struct net_address source, destination;
};

enum proxy_found proxy_read(struct str input, struct proxy_header *header);

#endif
