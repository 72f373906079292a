/* The base subject of SORT and THREAD (RFC 5256 section 2.1), and the order of texts (RFC 5051). */
#ifndef MAILBOX_BACKEND_MIME_BASE_SUBJECT_H
#define MAILBOX_BACKEND_MIME_BASE_SUBJECT_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/str.h"

/* The base of a subject as it is in an envelope (unfolded, RFC 2047 not decoded), in UTF-8, from the
   arena. True when what was taken off makes it a reply or forward. */
bool mime_base_subject(struct arena *arena, struct str subject, struct str *base);

/* Appends what i;unicode-casemap compares byte by byte: each character's title case, decomposed; at most
   most bytes, ended at a character. */
void mime_collation_key(struct str text, size_t most, struct buf *out);

#endif
