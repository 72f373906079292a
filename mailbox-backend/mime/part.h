/* The tree that a parsed message becomes: types, parameters and where in the raw bytes each part
   lies. Offsets count from the first byte of the message. Nothing here points into the message:
   every str is the arena's, unfolded, without NUL; it may hold any other byte. */
#ifndef MAILBOX_BACKEND_MIME_PART_H
#define MAILBOX_BACKEND_MIME_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

/* The fields that are kept of a message's header, for ENVELOPE and threads. */
enum mime_envelope_field {
    MIME_DATE,
    MIME_SUBJECT,
    MIME_FROM,
    MIME_SENDER,
    MIME_REPLY_TO,
    MIME_TO,
    MIME_CC,
    MIME_BCC,
    MIME_IN_REPLY_TO,
    MIME_MESSAGE_ID,
    MIME_REFERENCES,
    MIME_ENVELOPE_FIELDS
};

/* Values without white space at both ends; data is NULL when the header has no such field. Address
   fields that occur more than once are joined by commas; of the others the first counts. A value
   over the limit is cut, an address field behind its last whole address. */
struct mime_envelope {
    struct str field[MIME_ENVELOPE_FIELDS];
};

/* One parameter of Content-Type or Content-Disposition: the name as written (it may end in *, *0 or
   *0*, see parameter.h), the value without quotes. */
struct mime_param {
    const struct mime_param *next;
    struct str name;
    struct str value;
};

enum mime_kind {
    MIME_LEAF,      /* the body is content; also a multipart or message beyond the limits, and a
                       message in base64 or quoted-printable */
    MIME_MULTIPART, /* the body holds the children; none when no boundary was found */
    MIME_MESSAGE    /* message/rfc822, or message/global: one child, the message inside */
};

struct mime_part {
    const struct mime_part *parent; /* NULL at the root */
    const struct mime_part *children;
    const struct mime_part *next; /* sibling */
    enum mime_kind kind;
    bool
        opaque; /* a multipart or message that was not looked into: a MIME_LEAF that cannot be told as
                    what it is */

    struct str type; /* as written, or the default that RFC 2045 section 5.2 gives */
    struct str subtype;
    const struct mime_param *params;
    struct str id; /* Content-ID; the following too are {NULL, 0} when absent */
    struct str description;
    struct str encoding;
    struct str md5;
    struct str disposition;
    const struct mime_param *disposition_params;
    struct str language; /* as written: a list with commas */
    struct str location;

    uint64_t header_offset;
    uint64_t header_length; /* with the blank line, when there is one */
    uint64_t body_offset;   /* always header_offset + header_length */
    uint64_t body_length;   /* without the line end that belongs to a boundary */
    uint64_t body_lines;    /* LFs in the body */

    /* Only for the root and for the child of a MIME_MESSAGE, else NULL. */
    const struct mime_envelope *envelope;
};

/* The part that follows in the order of the message (a part, then its children, then its sibling);
   NULL after the last one. */
const struct mime_part *mime_part_next(const struct mime_part *part);

/* Whether Content-Type is type/subtype; a NULL subtype stands for any. ASCII case is ignored. */
bool mime_part_is(const struct mime_part *part, const char *type, const char *subtype);

/* The value of a Content-Type parameter; {NULL, 0} when there is none of that plain name. */
struct str mime_part_param(const struct mime_part *part, const char *name);

/* The message id by which a thread is known: the first id of References, else of In-Reply-To, else
   of Message-ID, without angle brackets; {NULL, 0} when the message has none. */
struct str mime_thread_source(const struct mime_part *root);

#endif
