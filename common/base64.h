/* Base64 as RFC 4648 section 4 has it, for SASL and MIME words. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/buf.h"
#include "common/str.h"

/* Appends the text form, padded, without line breaks. */
void base64_encode(struct buf *out, const void *data, size_t length);

/* Appends the decoded bytes. Strict: no blanks, padding complete, unused bits zero. False, with out
   as it was, when text is anything else. Empty text gives no bytes. */
bool base64_decode(struct buf *out, struct str text);

#endif
