/* Mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3). */
#ifndef IMAP4_MUTF7_H
#define IMAP4_MUTF7_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/str.h"

/* Gives the UTF-8 of name, from the arena. Strict, so that each text has one form: false for
   8-bit bytes and control characters, broken or padded base64, base64 of what stands for itself,
   half surrogates, and a shift right behind the end of another. */
bool mutf7_decode(struct arena *arena, struct str name, struct str *text);

/* Appends the form on the wire of text, which must be valid UTF-8. */
void mutf7_encode(struct buf *out, struct str text);

#endif
