/* The inside of a client, for client.c and the files of its protocols only. */
#ifndef BENCH_CLIENT_PARTS_H
#define BENCH_CLIENT_PARTS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
    int fd;
    SSL *ssl;     /* NULL: in clear */
    bool resumes; /* the next connection offers this one's session */
    unsigned next_tag;
    uint64_t octets;
    size_t start; /* of what was read and not used yet */
    size_t end;
    size_t room;
    char *buffer; /* holds the longest line that came, such as that of a SEARCH */
};

#endif
