/* A ring of ticket keys and its file, for the files of tls_ticket.h. */
#ifndef COMMON_TLS_TICKET_FILE_H
#define COMMON_TLS_TICKET_FILE_H

#include "common/tls_ticket.h"

struct ticket_secret {
    int64_t made; /* Unix time */
    uint8_t secret[TLS_TICKET_SECRET];
    uint8_t id[TLS_TICKET_ID]; /* follows from the secret */
};

struct ticket_ring {
    struct ticket_secret keys[TLS_TICKET_KEYS_MOST]; /* the newest first */
    size_t count;                                    /* at least 1 once filled */
};

/* Puts a new key in front and takes off those that have not sealed for keep seconds, or of which there are
   too many. */
void ticket_ring_add(struct ticket_ring *ring, int64_t now, uint64_t keep);

/* Fills an empty ring from the file. */
enum err_code ticket_ring_read(struct ticket_ring *ring, const char *path, struct err *err);

#endif
