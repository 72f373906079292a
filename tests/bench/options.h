/* The command line of the load generator. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What the command line says; the same for all threads, and never changed after the start. */
struct options {
    const char *host;
    int port;
    int lmtp_port;   /* for idle: where the messages that wake a client go */
    bool tls;        /* from the first byte on (RFC 8314) */
    bool resume;     /* TLS sessions of before, where the server takes their tickets */
    bool most_tls12; /* so that servers with different libraries do the same work */
    int workers;     /* connections at the same time */
    int users;       /* u000, u001, ...; worker n begins with user n */
    const char *password;
    const char *domain; /* of recipients */
    const char *folder;
    const char *items; /* what fetch asks for */
    const char *key;   /* what search looks for */
    int messages;      /* in the folder that fetch reads */
    int span;          /* messages asked for by one FETCH */
    int size;          /* octets of a message */
    bool dense;        /* messages that do not compress */
    double seconds;
    double warm_up; /* seconds that are not counted */
    int count;      /* operations of each worker; 0: until the time is over */
};

void options_default(struct options *options);

/* Takes one --name or --name=value; false when there is none such, or the value is not allowed. */
bool options_take(struct options *options, const char *argument);

/* Writes the list of options to stderr. */
void options_help(void);

#endif
