/* The lines that mean something in an mbox. Pure functions. */
#ifndef BACKEND_MBOX_LINE_H
#define BACKEND_MBOX_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

/* "From sender Www Mmm dd hh:mm[:ss] [ZONE] yyyy [ZONE]" (RFC 4155 appendix A, with what other
   programs put there). Sentences that begin with "From" have no such date and are text. *date is the
   time, taken as UTC where there is no numeric zone. */
bool mbox_line_is_from(struct str line, int64_t *date);

/* ">From ", ">>From " …: one ">" is the format's (mboxrd). */
bool mbox_line_is_quoted(struct str line);

#endif
