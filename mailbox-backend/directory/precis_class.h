/* Which characters a string may hold: the two string classes of RFC 8264, with the contextual rules
   of RFC 5892 appendix A, and the direction rule of RFC 5893. */
#ifndef DIRECTORY_PRECIS_CLASS_H
#define DIRECTORY_PRECIS_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum precis_class {
    PRECIS_IDENTIFIER, /* section 4.2: names */
    PRECIS_FREEFORM,   /* section 4.3: passwords */
};

/* Whether the class allows the character at place i, where it stands. */
bool precis_is_allowed(const uint32_t *points, size_t count, size_t i, enum precis_class which);

/* The Bidi Rule (RFC 5893 section 2) for text that has right-to-left characters; true for all other
   text. */
bool precis_has_clear_direction(const uint32_t *points, size_t count);

#endif
