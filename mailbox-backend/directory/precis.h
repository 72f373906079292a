/* Names and passwords in Unicode, compared as RFC 8265 says: the string classes of RFC 8264 over
   libunistring, which no other folder includes for this. Pure functions. */
#ifndef DIRECTORY_PRECIS_H
#define DIRECTORY_PRECIS_H

#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

#define PRECIS_POINTS_MAX 512 /* code points of one string */

struct points {
    uint32_t at[PRECIS_POINTS_MAX];
    size_t count;
};

/* UTF-8 to code points. ERR_INVALID when it is not valid UTF-8 or holds NUL, ERR_LIMIT when it is too
   long. */
enum err_code points_decode(struct str text, struct points *points, struct err *err);

/* Replaces full-width and half-width characters by the ordinary ones (RFC 8264 section 5.2.1). */
void points_map_width(struct points *points);

/* The UsernameCaseMapped profile (RFC 8265 section 3.3), less the width mapping, which comes earlier:
   lower case, NFC, only letters, digits and visible ASCII, in readable direction. Writes UTF-8 with a
   NUL to out. ERR_INVALID when a character may not be in a name or there is none; ERR_LIMIT when out is
   too small. */
enum err_code precis_username(const uint32_t *points, size_t count, char *out, size_t room,
                              struct err *err);

/* The OpaqueString profile (RFC 8265 section 4.2): every kind of space is SP, NFC, no control
   characters. Same errors. */
enum err_code precis_opaque(struct str text, char *out, size_t room, struct err *err);

#endif
