/* The section between the brackets of BODY[...] (RFC 3501 section 6.4.5): read, written, and found
   in a message. */
#ifndef MAILBOX_BACKEND_MIME_SECTION_H
#define MAILBOX_BACKEND_MIME_SECTION_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "mailbox-backend/mime/part.h"

enum mime_section_kind {
    MIME_SECTION_WHOLE, /* "" or "1.2" */
    MIME_SECTION_HEADER,
    MIME_SECTION_FIELDS,
    MIME_SECTION_FIELDS_NOT,
    MIME_SECTION_TEXT,
    MIME_SECTION_MIME
};

struct mime_section {
    enum mime_section_kind kind;
    unsigned depth; /* part numbers */
    const uint32_t *numbers;
    unsigned field_count;
    const struct str *fields; /* as the client wrote them */
};

/* Part numbers and field names beyond these are refused with ERR_LIMIT. */
#define MIME_SECTION_DEPTH_MAX 200
#define MIME_SECTION_FIELDS_MAX 1000
#define MIME_SECTION_NAME_MAX 998

/* Reads a section that begins at text (behind the "[") and ends with its "]"; *used counts the bytes
   up to and with the "]". Field names may be atoms, quoted strings or
   literals ("{4}" or "{4+}", CRLF, bytes) as they stand in the command. ERR_INVALID: no section; ERR_LIMIT: see above. */
enum err_code mime_section_parse(struct arena *arena, struct str text, size_t *used,
                                 struct mime_section *section, struct err *err);

/* Appends the section without brackets, as the answer repeats it. */
void mime_section_write(const struct mime_section *section, struct buf *out);

struct mime_range {
    uint64_t offset; /* in the raw message */
    uint64_t length;
};

/* Whether the section can be answered from the message's beginning up to the end of its header
   alone, without a tree: "HEADER", "HEADER.FIELDS" and "HEADER.FIELDS.NOT" of the message itself. */
bool mime_section_is_top_header(const struct mime_section *section);

/* The part that the section's numbers name; the root for none; NULL when the message has no such
   part. */
const struct mime_part *mime_section_part(const struct mime_section *section,
                                          const struct mime_part *root);

/* Finds the section in a message. For MIME_SECTION_FIELDS and _FIELDS_NOT the range is the whole
   header, to be put through a mime_header_filter. False when the message has no such part, which
   is answered with NIL (a message, and only a message, has HEADER and TEXT). */
bool mime_section_resolve(const struct mime_section *section, const struct mime_part *root,
                          struct mime_range *range);

#endif
