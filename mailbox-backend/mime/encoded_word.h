/* RFC 2047: header text to UTF-8. */
#ifndef MAILBOX_BACKEND_MIME_ENCODED_WORD_H
#define MAILBOX_BACKEND_MIME_ENCODED_WORD_H

#include "common/buf.h"
#include "common/str.h"

/* Appends text (unfolded) to out as valid UTF-8. Encoded words are decoded wherever they stand,
   inside quoted strings too, as many programs write them so. White space between two of them is dropped, and
   a character that was cut between two words of one charset becomes whole. A word of an unknown
   charset or a broken encoding stays as written. Raw 8-bit text is taken for UTF-8; what is
   not becomes U+FFFD. */
void mime_words_decode(struct str text, struct buf *out);

#endif
