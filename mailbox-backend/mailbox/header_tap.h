/* A reader of a few named fields of a message's top header while its bytes pass by, in pieces of any
   size. Memory is bounded whatever the message holds. */
#ifndef MAILBOX_HEADER_TAP_H
#define MAILBOX_HEADER_TAP_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/str.h"

#define TAP_FIELDS_MAX 8
#define TAP_NAME_MAX 64
#define TAP_VALUE_MAX 1000 /* kept of all values of one name together */

struct tap_field {
    char name[TAP_NAME_MAX + 1];
    struct buf values; /* each ended by LF, unfolded */
};

/* Embed it; {0} is a tap without fields. The members are the tap's own. */
struct header_tap {
    struct tap_field fields[TAP_FIELDS_MAX];
    unsigned field_count;
    enum { TAP_LINE_START, TAP_NAME, TAP_VALUE, TAP_SKIP, TAP_OVER } state;
    struct tap_field *current; /* whose value is being read, or may be continued */
    size_t name_length;
    char name[TAP_NAME_MAX];
};

/* Asks for a field: "Name", or the name of a pair "Name: value". Once is enough; names beyond
   TAP_FIELDS_MAX and TAP_NAME_MAX are not kept. */
void header_tap_keep(struct header_tap *tap, const char *name);
void header_tap_feed(struct header_tap *tap, const uint8_t *bytes, size_t length);
void header_tap_release(struct header_tap *tap);

/* The n-th value of a field, trimmed; false when there are not so many. Good until the next feed. */
bool header_tap_value(const struct header_tap *tap, const char *name, unsigned n,
                      struct str *value);

#endif
