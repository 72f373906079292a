#include "mailbox-backend/mime/text_match.h"

#include <string.h>

/* The place of the search after byte (Knuth, Morris and Pratt): never looks at the text again. */
static size_t advance(const struct text_match *match, size_t at, uint8_t byte)
{
    while (at > 0 && match->needle[at] != byte)
        at = match->back[at - 1];
    return match->needle[at] == byte ? at + 1 : 0;
}

static void take_byte(struct text_match *match, uint8_t byte)
{
    match->at = advance(match, match->at, byte);
    if (match->at == match->length)
        match->found = true;
}

static void take_character(struct text_match *match, uint32_t character)
{
    uint8_t folded[TEXT_FOLDED_MAX];
    size_t length = text_fold_character(match->fold, character, folded);

    for (size_t i = 0; i < length && !match->found; i++)
        take_byte(match, folded[i]);
}

static size_t fold_needle(struct text_match *match, struct str needle, uint8_t *to)
{
    const uint8_t *bytes = (const uint8_t *)needle.data;
    size_t length = 0;

    for (size_t i = 0; i < needle.length;) {
        uint8_t folded[TEXT_FOLDED_MAX];
        uint32_t character = 0xfffd;
        size_t used = 1;
        size_t n;

        if (!text_next_character(bytes + i, needle.length - i, &character, &used))
            used = needle.length - i;
        n = text_fold_character(match->fold, character, folded);
        if (to != NULL)
            memcpy(to + length, folded, n);
        length += n;
        i += used;
    }
    return length;
}

static const uint32_t *make_back(struct arena *arena, const struct text_match *match)
{
    uint32_t *back = arena_array(arena, match->length, sizeof(*back));
    struct text_match so_far = *match;

    so_far.back = back;
    for (size_t i = 1; i < match->length; i++)
        back[i] = (uint32_t)advance(&so_far, back[i - 1], match->needle[i]);
    return back;
}

void text_match_init(struct text_match *match, struct arena *arena, struct str needle)
{
    uint8_t *folded;

    *match = (struct text_match){0};
    match->fold = text_fold_create(arena);
    match->length = fold_needle(match, needle, NULL);
    folded = arena_alloc(arena, match->length);
    fold_needle(match, needle, folded);
    match->needle = folded;
    match->back = make_back(arena, match);
}

/* Adds bytes to an unfinished character, one by one. Returns how many were used. */
static size_t finish_kept(struct text_match *match, const uint8_t *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && match->kept > 0 && !match->found) {
        uint32_t character;
        size_t used;

        match->keep[match->kept++] = bytes[i++];
        while (match->kept > 0 &&
               text_next_character(match->keep, match->kept, &character, &used)) {
            take_character(match, character);
            match->kept -= used;
            memmove(match->keep, match->keep + used, match->kept);
        }
    }
    return i;
}

bool text_match_feed(struct text_match *match, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t i;

    if (match->length == 0)
        match->found = true;
    for (i = finish_kept(match, bytes, length); i < length && !match->found;) {
        uint32_t character;
        size_t used;

        if (bytes[i] < 0x80) {
            take_byte(match, text_fold_ascii(bytes[i++]));
        } else if (text_next_character(bytes + i, length - i, &character, &used)) {
            take_character(match, character);
            i += used;
        } else {
            match->kept = length - i;
            memcpy(match->keep, bytes + i, match->kept);
            break;
        }
    }
    return match->found;
}

void text_match_break(struct text_match *match)
{
    match->at = 0;
    match->kept = 0;
}
