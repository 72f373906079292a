/* How many connections there may be, in all and from one address, and how long a login has to wait
   after failed ones from the same address. One for the process; any thread. */
#ifndef FRONT_LIMITS_H
#define FRONT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net.h"

struct limits;

#define LIMITS_SERVICES 3 /* counted apart: imap4, pop3, lmtp */

/* A table bounded by the connections that are open and LIMITS_FAILED_MOST addresses with failed
   logins; beyond that the address whose failures are the longest ago is forgotten. */
#define LIMITS_FAILED_MOST 16384

struct limits_settings {
    uint64_t delay; /* seconds after the first failures that cost nothing; doubles with each more */
    uint64_t delay_most; /* seconds */
    uint64_t memory;     /* seconds until one failure is forgotten */
};

struct limits *limits_create(const struct limits_settings *settings);
void limits_destroy(struct limits **limits);

enum limits_verdict { LIMITS_FINE, LIMITS_TOO_MANY, LIMITS_TOO_MANY_FROM_ADDRESS };

/* Counts a connection of a service (0 to LIMITS_SERVICES - 1). most and most_address are its limits;
   most_address 0 means none (trusted networks). Every LIMITS_FINE is given back by limits_leave(). */
enum limits_verdict limits_enter(struct limits *limits, unsigned service,
                                 const struct net_address *address, uint64_t most,
                                 uint64_t most_address);
void limits_leave(struct limits *limits, unsigned service, const struct net_address *address);

/* Connections of a service now. */
uint64_t limits_count(struct limits *limits, unsigned service);

/* A login from this address has failed at now (seconds of a monotonic clock). */
void limits_failed(struct limits *limits, const struct net_address *address, uint64_t now);

/* Seconds that a login from this address has to wait before it is tried. */
unsigned limits_delay(struct limits *limits, const struct net_address *address, uint64_t now);

#endif
