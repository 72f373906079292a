/* Header fields in a run of bytes, and the text of one field. */
#ifndef MAILBOX_BACKEND_MIME_HEADER_H
#define MAILBOX_BACKEND_MIME_HEADER_H

#include "common/arena.h"
#include "common/str.h"

struct mime_field {
    struct str name;  /* without white space before the colon; empty for a line that has no colon */
    struct str value; /* as written behind the colon: folded, with its last line end */
    struct str raw;   /* the whole field with its line ends */
};

/* Gives the next field and moves *rest behind it. False at the blank line and at the end; *rest then
   begins with the blank line or is empty. Continuation lines belong to the field before them. */
bool mime_field_next(struct str *rest, struct mime_field *field);

/* The first field of that name (ASCII case ignored); false when there is none. */
bool mime_field_find(struct str header, const char *name, struct mime_field *field);

/* The value without line ends (the white space that follows them stays), NULs and white space at
   both ends. */
struct str mime_unfold(struct arena *arena, struct str value);

#endif
