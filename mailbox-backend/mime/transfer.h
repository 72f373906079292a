/* Content-Transfer-Encoding, decoded in pieces of any size (RFC 2045 section 6). */
#ifndef MAILBOX_BACKEND_MIME_TRANSFER_H
#define MAILBOX_BACKEND_MIME_TRANSFER_H

#include "common/buf.h"
#include "common/str.h"

enum transfer_encoding {
    TRANSFER_IDENTITY, /* 7bit, 8bit, binary, or none given */
    TRANSFER_BASE64,
    TRANSFER_QUOTED_PRINTABLE,
    TRANSFER_UNKNOWN /* passed through as identity */
};

/* Which encoding a Content-Transfer-Encoding value names; any case; empty is identity. */
enum transfer_encoding transfer_encoding_of(struct str name);

struct transfer_stream {
    enum transfer_encoding encoding;
    bool ended;     /* base64: behind its padding */
    bool damaged;   /* something was not as the encoding demands */
    unsigned count; /* base64: characters in bits; quoted-printable: bytes in held */
    uint32_t bits;  /* base64: of the group; quoted-printable: the first hexadecimal digit */
    size_t blanks;  /* quoted-printable: white space that vanishes if the line ends here */
    char held[3];
    char blank[256]; /* the newest of that white space */
};

void transfer_init(struct transfer_stream *stream, enum transfer_encoding encoding);

/* Decodes the next bytes and appends the result to out, at most length + 300 bytes. Damaged input
   gives what can be made out: foreign characters in base64 are skipped (RFC 2045 section 6.8), a
   wrong "=" in quoted-printable stays as written. */
void transfer_feed(struct transfer_stream *stream, const void *data, size_t length,
                   struct buf *out);

/* Ends the input and appends what was held back. The stream is as new afterwards, but for damaged. */
void transfer_finish(struct transfer_stream *stream, struct buf *out);

#endif
