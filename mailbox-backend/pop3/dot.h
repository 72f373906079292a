/* Dot-stuffing of a multi-line response (RFC 1939 section 3): bytes in, in pieces of any size, the
   transmitted form out. Lines end with CRLF and nothing else, so a bare LF or CR passes as it is and a
   dot behind it is no dot at the start of a line. */
#ifndef POP3_DOT_H
#define POP3_DOT_H

#include <stdbool.h>

#include "common/buf.h"

/* Embed it; begin with DOT_INIT. */
struct dot {
    bool line_start;
    uint8_t last; /* the newest byte */
};

#define DOT_INIT                                                                                   \
    {                                                                                              \
        .line_start = true                                                                         \
    }

void dot_feed(struct dot *dot, const uint8_t *bytes, size_t length, struct buf *out);

/* Ends the response: the CRLF that the text lacks, if it does, and the line with the dot. */
void dot_finish(struct dot *dot, struct buf *out);

#endif
