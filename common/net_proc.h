/* Who listens where, as /proc tells; used by net_listen() only. */
#ifndef COMMON_NET_PROC_H
#define COMMON_NET_PROC_H

#include "common/net.h"

/* True when a process other than this one listens on the TCP address. */
bool net_proc_shared(const struct net_address *address);

#endif
