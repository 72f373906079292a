/* IMAP's BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2). */
#ifndef MAILBOX_BACKEND_MIME_BODYSTRUCTURE_H
#define MAILBOX_BACKEND_MIME_BODYSTRUCTURE_H

#include "common/buf.h"
#include "mailbox-backend/mime/part.h"

/* Append the parenthesised structure, BODY without and BODYSTRUCTURE with the extension data. A
   multipart in which no part was found shows one empty text/plain part, as the grammar demands one;
   what lies beyond the parser's limits shows as application/octet-stream. */
void mime_body_write(const struct mime_part *root, struct buf *out);
void mime_bodystructure_write(const struct mime_part *root, struct buf *out);

#endif
