/* Lexical pieces of structured header fields (RFC 5322 section 3.2, RFC 2045 section 5.1). Scanners
   take any bytes: what is not closed ends with the text. */
#ifndef MAILBOX_BACKEND_MIME_SCAN_H
#define MAILBOX_BACKEND_MIME_SCAN_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/str.h"

/* Skips white space and comments, which nest. When comment is not NULL it is set to the inside of
   the last comment seen (raw), else left alone. */
void scan_cfws(struct str *text, struct str *comment);

/* Takes one byte if it is next. */
bool scan_byte(struct str *text, char byte);

/* An RFC 2045 token (8-bit bytes are let through, as real mail has them); false when empty. */
bool scan_token(struct str *text, struct str *token);

/* An RFC 5322 atom without dots (8-bit bytes are let through); false when empty. */
bool scan_atom(struct str *text, struct str *atom);

/* A quoted string when the text begins with a quote: gives its raw inside, with backslashes. */
bool scan_quoted(struct str *text, struct str *inside);

/* A domain literal when the text begins with "[": gives its raw inside. */
bool scan_domain_literal(struct str *text, struct str *inside);

/* Copies the raw inside of a quoted string, comment or domain literal without its backslashes and
   line ends. to must have room for raw.length bytes; returns the length written. */
size_t scan_unescape(char *to, struct str raw);

#endif
