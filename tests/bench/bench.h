/* The load generator: one thread for each connection, blocking I/O, and one operation repeated until
   the time is over. It knows protocols, not servers: any IMAP, POP3 or LMTP server will do. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/client.h"
#include "tests/bench/histogram.h"
#include "tests/bench/options.h"

/* One thread with its connections. */
struct worker {
    const struct options *options;
    int number;
    long steps;            /* finished so far, warm-up included */
    struct client *client; /* NULL between the sessions of login and pop3 */
    struct client *sender; /* of idle: the LMTP side */
    char *message;         /* scratch for one message */
    double latency;        /* set by a step that does its own timing, else negative */
    uint64_t octets;       /* of answers, or of messages sent */
    struct histogram histogram;
    long operations; /* that were counted */
    uint64_t counted_octets;
};

/* One family of operations, in a file of its own. Each function returns false after having said on
   stderr what was wrong; the worker then ends, and the run counts as failed. */
struct operation {
    const char *name;
    const char *help;
    bool (*open)(struct worker *worker); /* once, before the time runs; may be NULL */
    bool (*step)(struct worker *worker); /* one operation */
};

extern const struct operation operation_append;
extern const struct operation operation_fetch;
extern const struct operation operation_idle;
extern const struct operation operation_lmtp;
extern const struct operation operation_login;
extern const struct operation operation_pop3;
extern const struct operation operation_search;
extern const struct operation operation_select;
extern const struct operation operation_store;

/* Seconds of the monotonic clock. */
double now(void);

/* Writes the log-in name of the worker's round-th user to name. */
void user_name(const struct worker *worker, long round, char name[32]);

#endif
