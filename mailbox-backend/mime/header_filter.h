/* HEADER.FIELDS and HEADER.FIELDS.NOT: a header's bytes in, in pieces of any size, those of the
   asked fields out. */
#ifndef MAILBOX_BACKEND_MIME_HEADER_FILTER_H
#define MAILBOX_BACKEND_MIME_HEADER_FILTER_H

#include "common/buf.h"
#include "mailbox-backend/mime/section.h"

/* Embed it; but for total and ended the members are the filter's own. */
struct mime_header_filter {
    const struct mime_section *section;
    uint64_t total; /* bytes let through so far */
    bool ended;     /* the blank line has passed: the header is over, all that follows is ignored */
    int state;
    bool pass; /* the field being read is wanted */
    size_t held;
    char hold[MIME_SECTION_NAME_MAX + 2]; /* the begin of a field whose name is not yet complete */
};

/* Begins a header. section must be of a FIELDS kind and outlive the filter. */
void mime_header_filter_init(struct mime_header_filter *filter, const struct mime_section *section);

/* The next bytes of the header. Appends what passes to out, at most length + sizeof(hold) bytes;
   out may be NULL to learn only filter->total, for the length of the literal. The blank line passes always. */
void mime_header_filter_feed(struct mime_header_filter *filter, const void *data, size_t length,
                             struct buf *out);

/* Ends the header: what was held back of an unfinished line is decided. */
void mime_header_filter_finish(struct mime_header_filter *filter, struct buf *out);

#endif
