/* Lines of input. Pure. */
#ifndef FRONT_LINE_H
#define FRONT_LINE_H

#include "common/str.h"

enum line_found {
    LINE_MORE,    /* no line end yet */
    LINE_WHOLE,   /* length is that of the line with its end */
    LINE_TOO_LONG /* over the limit, ended or not */
};

/* Looks for the end of the first line of input, which may be a bare LF. most is the limit without the
   line end's last byte; seen (0 for a new line) is how far it was looked before. */
enum line_found line_find(struct str input, size_t most, size_t *seen, size_t *length);

/* Without its line end, when it has one. */
struct str line_text(struct str line);

#endif
