/* What dot-stuffing leaves alone (RFC 5321 section 4.5.2, RFC 1939 section 3). Pure. */
#ifndef PROTO_DOT_RUN_H
#define PROTO_DOT_RUN_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes from here on, none of which needs a look: up to and with the first CRLF that a dot
   follows, or all. length is at least 1; a CR before the first byte is not known here. */
size_t dot_run(const uint8_t *bytes, size_t length);

#endif
