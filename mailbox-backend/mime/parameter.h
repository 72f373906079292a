/* RFC 2231: parameters in pieces, with charsets. */
#ifndef MAILBOX_BACKEND_MIME_PARAMETER_H
#define MAILBOX_BACKEND_MIME_PARAMETER_H

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/mime/part.h"

/* Reads "; name=value" pairs up to the end of text, at most max of them, into a list in the order
   written; NULL when there is none. What cannot be read is skipped up to the next semicolon. */
const struct mime_param *mime_params_parse(struct arena *arena, struct str text, unsigned max);

/* The list with continuations put together, as BODYSTRUCTURE wants it (RFC 2231 section 6):
   name*0, name*1 become name; when a piece is percent-encoded they become name*, wholly
   encoded and with its charset. A piece whose predecessors are missing stays alone. */
const struct mime_param *mime_params_join(struct arena *arena, const struct mime_param *params);

/* Appends the decoded value of a parameter (given in plain form, "filename") to out as UTF-8: from
   its RFC 2231 forms if there are any, else from the plain one, in which RFC 2047 words are decoded
   as well. False when there is no such parameter. */
bool mime_param_decode(const struct mime_param *params, const char *name, struct buf *out);

#endif
