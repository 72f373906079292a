/* A connection to another server whose client we are: blocking, for worker threads and tools. Nothing
   is waited for longer than the limits below, and never after wanted() has said no. */
#ifndef REMOTE_WIRE_H
#define REMOTE_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/tls.h"

#define WIRE_CONNECT_SECONDS 30
#define WIRE_SILENCE_SECONDS 300 /* until a peer that says nothing counts as gone */

struct wire;

struct wire_settings {
    const char *host;        /* a name, or an address without brackets */
    const char *port;        /* a number */
    struct tls_context *tls; /* stays the caller's; NULL: clear text only */
    bool secure;             /* TLS from the first byte on; else wire_secure() later, or never */
    bool (*wanted)(void *context); /* asked about once a second; NULL: always */
    void *context;
};

/* Looks the name up, connects to the first of its addresses that answers, and shakes hands where secure;
   the peer's certificate must then be good for host. ERR_UNAVAILABLE says why not. */
enum err_code wire_open(struct wire **wire, const struct wire_settings *settings, struct err *err);
void wire_close(struct wire **wire);

/* From clear text to TLS (STARTTLS, STLS). The caller has read all that came before: what it holds
   unread would be taken for the server's own (RFC 3501 section 11.1). */
enum err_code wire_secure(struct wire *wire, struct err *err);
bool wire_is_secure(const struct wire *wire);

/* All of the bytes. ERR_UNAVAILABLE: the connection is of no more use. */
enum err_code wire_send(struct wire *wire, const void *bytes, size_t length, struct err *err);

/* At least one byte, at most room. The form of a read function as scanners want it: context is the
   wire. */
enum err_code wire_read(void *context, void *bytes, size_t room, size_t *got, struct err *err);

#endif
