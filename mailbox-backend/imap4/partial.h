/* A part of what was found, counted from either end (PARTIAL, RFC 9394): "1:500", "-1:-100". */
#ifndef IMAP4_PARTIAL_H
#define IMAP4_PARTIAL_H

#include "mailbox-backend/imap4/parse.h"
#include "mailbox-backend/store/uidset.h"

struct partial_range {
    struct str text; /* as it was written */
    bool from_end;   /* 1 is the last */
    uint32_t first, last;
};

/* Takes " 1:500", as it stands behind the word. */
bool partial_take(struct parse *parse, struct partial_range *range);

/* Adds to part, which is empty, those of all that the range is about. */
void partial_cut(const struct partial_range *range, const struct uidset *all, struct uidset *part);

#endif
