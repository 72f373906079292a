/* A search for one text in another that comes in pieces, whatever the case (RFC 3501 section 6.4.4).
   Characters are compared by their full Unicode case folding and compatibility decomposition, so
   that "STRASSE" finds "straße" and an accent is the same composed or not. */
#ifndef MAILBOX_BACKEND_MIME_TEXT_MATCH_H
#define MAILBOX_BACKEND_MIME_TEXT_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"
#include "mailbox-backend/mime/text_fold.h"

struct text_match {
    struct text_fold *fold;
    const uint8_t *needle; /* folded */
    const uint32_t *back;  /* where the search goes on after a mismatch */
    size_t length;
    size_t at; /* bytes of the needle that the newest bytes of the text match */
    bool found;
    size_t kept; /* bytes of an unfinished character */
    uint8_t keep[4];
};

/* Prepares to search for needle (UTF-8; invalid bytes count as U+FFFD). Takes about 5 to 12 times
   its length from the arena. An empty needle is found in every text, once it is fed or finished. */
void text_match_init(struct text_match *match, struct arena *arena, struct str needle);

/* The next bytes of the text (UTF-8). Returns match->found, which stays true once it is. */
bool text_match_feed(struct text_match *match, const void *data, size_t length);

/* Ends one text: what follows is another one, and nothing is found across the seam. */
void text_match_break(struct text_match *match);

#endif
