/* Internationalized header fields (RFC 6532) for clients that know ASCII only: the simple conversion of
   RFC 6858, which keeps what people read and gives up what only programs need. */
#ifndef MAILBOX_BACKEND_MIME_DOWNGRADE_H
#define MAILBOX_BACKEND_MIME_DOWNGRADE_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/str.h"

/* Appends the ASCII form of a whole field, with its line ends, that is valid UTF-8. Subject becomes encoded
   words (RFC 2047); of addresses the display names do, and an address that is not ASCII stands in the
   display name of one to which nothing can be sent; in Content-… fields, and in a line that is no field,
   other characters become "?"; every other field with such characters is left out. arena is for the moment only. */
void mime_downgrade_field(struct arena *arena, struct str field, struct buf *out);

#endif
