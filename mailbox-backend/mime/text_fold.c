#include "mailbox-backend/mime/text_fold.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

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

struct text_fold *text_fold_create(struct arena *arena)
{
    return arena_alloc(arena, sizeof(struct text_fold));
}

static size_t fold_by_library(ucs4_t character, uint8_t folded[TEXT_FOLDED_MAX])
{
    uint8_t utf8[6];
    int length = u8_uctomb(utf8, character, sizeof(utf8));
    size_t size = TEXT_FOLDED_MAX;
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

size_t text_fold_character(struct text_fold *memory, uint32_t character,
                           uint8_t folded[TEXT_FOLDED_MAX])
{
    struct folding *known = &memory->foldings[character % REMEMBERED];
    size_t length;

    if (character < 0x80) {
        folded[0] = text_fold_ascii((uint8_t)character);
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

bool text_next_character(const uint8_t *bytes, size_t length, uint32_t *character, size_t *used)
{
    int n = u8_mbtoucr(character, bytes, length);

    if (n == -2)
        return false;
    *used = n > 0 ? (size_t)n : 1;
    if (n < 0)
        *character = 0xfffd;
    return true;
}
