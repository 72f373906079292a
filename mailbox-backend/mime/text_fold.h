/* How text is compared: characters by their full Unicode case folding and compatibility
   decomposition, so that "STRASSE" finds "straße" and an accent is the same composed or not. */
#ifndef MAILBOX_BACKEND_MIME_TEXT_FOLD_H
#define MAILBOX_BACKEND_MIME_TEXT_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"

/* One character folds to at most so many bytes: U+FDFA has 18 characters, of two or three bytes. */
#define TEXT_FOLDED_MAX ((size_t)64)

/* Remembers foldings, as a call of the library costs much more; may be shared within one thread. */
struct text_fold;
struct text_fold *text_fold_create(struct arena *arena);

/* Writes the folded character as UTF-8; returns its length. */
size_t text_fold_character(struct text_fold *memory, uint32_t character,
                           uint8_t folded[TEXT_FOLDED_MAX]);

/* The same for a character below 0x80. */
static inline uint8_t text_fold_ascii(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Decodes the first character of UTF-8 bytes (length above 0); *used says how many it takes. False when it
   goes on behind the end. An invalid byte counts as U+FFFD. */
bool text_next_character(const uint8_t *bytes, size_t length, uint32_t *character, size_t *used);

#endif
