/* The content of DATA as it comes over the wire: dot-stuffed, ended by CRLF.CRLF and by nothing else
   (RFC 5321 section 4.1.1.4 and 4.5.2). A bare LF or CR is content, so that no message can hide a
   second one behind an end that only some programs see. Pure. */
#ifndef FRONT_LMTP_DOT_H
#define FRONT_LMTP_DOT_H

#include <stdbool.h>

#include "common/buf.h"

/* Embed it; {0} is the start of a content. */
struct lmtp_dot {
    enum { DOT_LINE_START, DOT_SEEN, DOT_CR_SEEN, DOT_TEXT, DOT_TEXT_CR, DOT_END } state;
};

/* Takes bytes, appends what they stand for to out, and returns how many were taken: all, or up to and
   with the end, or fewer when out has got most bytes. */
size_t lmtp_dot_feed(struct lmtp_dot *dot, const uint8_t *bytes, size_t length, struct buf *out,
                     size_t most);

bool lmtp_dot_is_over(const struct lmtp_dot *dot);

#endif
