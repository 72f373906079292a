/* Addresses between angle brackets (RFC 5321 section 4.1.2, RFC 6531 section 3.3): lmtp_syntax.c's own. */
#ifndef PROTO_LMTP_PATH_H
#define PROTO_LMTP_PATH_H

#include "proto/lmtp_syntax.h"

/* Takes "<…>" off the start of text. address is "" for "<>". *ascii is false when it has bytes beyond
   ASCII, which are well-formed UTF-8 then. False, with text anywhere, when it is no path. */
bool lmtp_path(struct str *text, char address[LMTP_ADDRESS_MAX + 1], bool *ascii);

/* "mail.example" or "[192.0.2.1]", all of text. */
bool lmtp_domain(struct str text);

#endif
