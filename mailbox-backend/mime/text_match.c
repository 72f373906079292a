#include "mailbox-backend/mime/text_match.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

/* One character folds to at most so many bytes: U+FDFA has 18 characters, of two or three bytes. */
#define FOLDED_MAX ((size_t)64)

#define REMEMBERED 256

/* A short folding that is remembered, as a call of the library costs much more. */
struct folding {
    ucs4_t character; /* 0: empty */
    uint8_t length;
    uint8_t bytes[11];
};

struct text_fold {
    struct folding foldings[REMEMBERED];
};

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static size_t fold_by_library(ucs4_t character, uint8_t folded[FOLDED_MAX])
{
    uint8_t utf8[6];
    int length = u8_uctomb(utf8, character, sizeof(utf8));
    size_t size = FOLDED_MAX;
    uint8_t *result;

    if (length < 0)
        return 0;
    result = u8_casefold(utf8, (size_t)length, NULL, UNINORM_NFKD, folded, &size);
    if (result == folded)
        return size;
    free(result); /* no memory, or a folding that cannot be: the character stays as it is */
    memcpy(folded, utf8, (size_t)length);
    return (size_t)length;
}

static size_t fold(struct text_fold *memory, ucs4_t character, uint8_t folded[FOLDED_MAX])
{
    struct folding *known = &memory->foldings[character % REMEMBERED];
    size_t length;

    if (character < 0x80) {
        folded[0] = lower((uint8_t)character);
        return 1;
    }
    if (known->character == character) {
        memcpy(folded, known->bytes, known->length);
        return known->length;
    }
    length = fold_by_library(character, folded);
    if (length <= sizeof(known->bytes)) {
        known->character = character;
        known->length = (uint8_t)length;
        memcpy(known->bytes, folded, length);
    }
    return length;
}

/* Decodes the first character of bytes. False when it goes on behind the end. An invalid byte
   counts as U+FFFD. */
static bool next_character(const uint8_t *bytes, size_t length, ucs4_t *character, size_t *used)
{
    int n = u8_mbtoucr(character, bytes, length);

    if (n == -2)
        return false;
    *used = n > 0 ? (size_t)n : 1;
    if (n < 0)
        *character = 0xfffd;
    return true;
}

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

static void take_character(struct text_match *match, ucs4_t character)
{
    uint8_t folded[FOLDED_MAX];
    size_t length = fold(match->fold, character, folded);

    for (size_t i = 0; i < length && !match->found; i++)
        take_byte(match, folded[i]);
}

static size_t fold_needle(struct text_match *match, struct str needle, uint8_t *to)
{
    const uint8_t *bytes = (const uint8_t *)needle.data;
    size_t length = 0;

    for (size_t i = 0; i < needle.length;) {
        uint8_t folded[FOLDED_MAX];
        ucs4_t character = 0xfffd;
        size_t used = 1;
        size_t n;

        if (!next_character(bytes + i, needle.length - i, &character, &used))
            used = needle.length - i;
        n = fold(match->fold, character, folded);
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
    match->fold = arena_alloc(arena, sizeof(*match->fold));
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
        ucs4_t character;
        size_t used;

        match->keep[match->kept++] = bytes[i++];
        while (match->kept > 0 && next_character(match->keep, match->kept, &character, &used)) {
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
        ucs4_t character;
        size_t used;

        if (bytes[i] < 0x80) {
            take_byte(match, lower(bytes[i++]));
        } else if (next_character(bytes + i, length - i, &character, &used)) {
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
