/* IMAP strings in answers (RFC 3501 section 4.3). */
#ifndef MAILBOX_BACKEND_MIME_IMAP_STRING_H
#define MAILBOX_BACKEND_MIME_IMAP_STRING_H

#include "common/buf.h"
#include "common/str.h"

/* Appends text as a quoted string when it is clean ASCII of moderate length, else as a literal
   (8-bit bytes, CR, LF). NUL, which IMAP strings cannot hold, is dropped. */
void imap_string_write(struct buf *out, struct str text);

/* The same for a client that takes UTF-8 in quoted strings (RFC 6855 section 3): text is valid UTF-8. */
void imap_utf8_string_write(struct buf *out, struct str text);

/* As imap_string_write(); NIL when data is NULL. */
void imap_nstring_write(struct buf *out, struct str text);

#endif
