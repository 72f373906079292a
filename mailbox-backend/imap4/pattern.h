/* The patterns of LIST and LSUB (RFC 3501 section 6.3.8): "*" stands for anything, "%" for
   anything within a level. Matching goes along a path byte by byte and keeps all places of the
   pattern where it may stand: the time is the product of both lengths at most, whatever the
   pattern. */
#ifndef IMAP4_PATTERN_H
#define IMAP4_PATTERN_H

#include <stdbool.h>

#include "common/str.h"

#define PATTERN_MAX ((size_t)1023) /* bytes */

/* The places in the pattern: bit n is set when all before byte n has been matched. */
struct pattern_places {
    uint64_t bits[(PATTERN_MAX + 1) / 64];
};

void pattern_begin(struct str pattern, struct pattern_places *places);

/* Goes on with the next bytes of the path. nocase: ASCII case is ignored, as for INBOX. */
void pattern_feed(struct str pattern, struct pattern_places *places, struct str text, bool nocase);

bool pattern_matches(struct str pattern, const struct pattern_places *places); /* the path so far */
bool pattern_is_dead(const struct pattern_places *places); /* and nothing longer ever will */

#endif
