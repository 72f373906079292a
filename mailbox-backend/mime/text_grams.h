/* Which runs of three bytes a text has, folded as text_match folds it: a text that lacks one of a needle's
   does not have the needle. Each stands for one of 2^16 places, so that a text that has a gram's
   place may still lack the gram. */
#ifndef MAILBOX_BACKEND_MIME_TEXT_GRAMS_H
#define MAILBOX_BACKEND_MIME_TEXT_GRAMS_H

#include "mailbox-backend/mime/text_fold.h"

#define TEXT_GRAM_BITS 16u
#define TEXT_GRAM_PLACES (1u << TEXT_GRAM_BITS)

struct text_grams {
    uint8_t places[TEXT_GRAM_PLACES / 8]; /* bit n % 8 of byte n / 8: gram place n is there */
    struct text_fold *fold;
    uint32_t newest; /* the newest three folded bytes */
    unsigned run;    /* of them, how many belong to the text */
    size_t kept;     /* bytes of an unfinished character */
    uint8_t keep[4];
};

/* Begins a text. The memory of fold must last as long. */
void text_grams_init(struct text_grams *grams, struct text_fold *fold);

/* The next bytes of the text (UTF-8). */
void text_grams_feed(struct text_grams *grams, const void *data, size_t length);

/* Ends one text: what follows is another one, and no gram reaches across the seam. */
void text_grams_break(struct text_grams *grams);

/* The place of three folded bytes. Its first n bits are the place among 2^n. */
uint16_t text_gram_place(const uint8_t bytes[3]);

#endif
