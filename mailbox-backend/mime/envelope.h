/* IMAP's ENVELOPE (RFC 3501 section 7.4.2). */
#ifndef MAILBOX_BACKEND_MIME_ENVELOPE_H
#define MAILBOX_BACKEND_MIME_ENVELOPE_H

#include "common/buf.h"
#include "mailbox-backend/mime/part.h"

/* Appends the parenthesised envelope of a message: the root, or the child of a MIME_MESSAGE. Texts
   are as in the header, not RFC 2047 decoded. A missing or empty Sender or Reply-To is From's. */
void mime_envelope_write(const struct mime_part *message, struct buf *out);

#endif
