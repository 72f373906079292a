#include "mailbox-backend/mime/text_grams.h"

#include <string.h>

void text_grams_init(struct text_grams *grams, struct text_fold *fold)
{
    memset(grams, 0, sizeof(*grams));
    grams->fold = fold;
}

/* Fibonacci hashing: the upper bits depend on all of the gram. */
static uint16_t place_of(uint32_t gram)
{
    return (uint16_t)(gram * 2654435769u >> (32 - TEXT_GRAM_BITS));
}

uint16_t text_gram_place(const uint8_t bytes[3])
{
    return place_of((uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
}

static void take_byte(struct text_grams *grams, uint8_t byte)
{
    grams->newest = (grams->newest << 8 | byte) & 0xFFFFFF;
    if (grams->run < 2) {
        grams->run++;
    } else {
        uint16_t place = place_of(grams->newest);

        grams->places[place / 8] |= (uint8_t)(1u << place % 8);
    }
}

static void take_character(struct text_grams *grams, uint32_t character)
{
    uint8_t folded[TEXT_FOLDED_MAX];
    size_t length = text_fold_character(grams->fold, character, folded);

    for (size_t i = 0; i < length; i++)
        take_byte(grams, folded[i]);
}

/* Adds bytes to an unfinished character, one by one. Returns how many were used. */
static size_t finish_kept(struct text_grams *grams, const uint8_t *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && grams->kept > 0) {
        uint32_t character;
        size_t used;

        grams->keep[grams->kept++] = bytes[i++];
        while (grams->kept > 0 &&
               text_next_character(grams->keep, grams->kept, &character, &used)) {
            take_character(grams, character);
            grams->kept -= used;
            memmove(grams->keep, grams->keep + used, grams->kept);
        }
    }
    return i;
}

void text_grams_feed(struct text_grams *grams, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t i = finish_kept(grams, bytes, length);

    while (i < length) {
        uint32_t character;
        size_t used;

        if (bytes[i] < 0x80) {
            take_byte(grams, text_fold_ascii(bytes[i++]));
        } else if (text_next_character(bytes + i, length - i, &character, &used)) {
            take_character(grams, character);
            i += used;
        } else {
            grams->kept = length - i;
            memcpy(grams->keep, bytes + i, grams->kept);
            break;
        }
    }
}

void text_grams_break(struct text_grams *grams)
{
    grams->run = 0;
    grams->kept = 0;
}
