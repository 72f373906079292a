/* The client's two messages of a SCRAM exchange (RFC 5802 section 7), which the front reads to find
   whose mailbox it is and the back end to verify. Pure: all that is handed out lies in the message. */
#ifndef PROTO_SCRAM_MESSAGE_H
#define PROTO_SCRAM_MESSAGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/str.h"

enum scram_binding {
    SCRAM_BINDING_NONE,     /* "n": the client cannot */
    SCRAM_BINDING_UNNEEDED, /* "y": the client could, but thinks that the server cannot */
    SCRAM_BINDING_USED,     /* "p=": the client binds to the channel */
};

struct scram_first {
    enum scram_binding binding;
    struct str binding_name; /* "tls-exporter"; with SCRAM_BINDING_USED only */
    struct str header;       /* gs2-header, with its commas: goes into the channel binding data */
    struct str identity;     /* authorization identity as a saslname; empty: none */
    struct str bare;         /* client-first-message-bare: goes into the AuthMessage */
    struct str user;         /* a saslname, not empty */
    struct str nonce;        /* not empty */
};

struct scram_final {
    struct str binding; /* base64, not empty */
    struct str nonce;
    struct str proof;         /* base64, not empty */
    struct str without_proof; /* client-final-message-without-proof: goes into the AuthMessage */
};

/* False when the message is malformed, or asks for an extension ("m=") that nobody here knows. */
bool scram_read_first(struct str message, struct scram_first *first);
bool scram_read_final(struct str message, struct scram_final *final);

/* Appends what a saslname says: "=2C" is a comma, "=3D" an equals sign. Neither result of
   scram_read_first() can be one that this cannot read. */
void scram_name(struct str name, struct buf *out);

#endif
