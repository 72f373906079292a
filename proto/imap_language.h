/* IMAP's LANGUAGE (RFC 5255 section 3), which the front answers before login and the back end after it: the words of both
   are English, which POP3's LANG tells as well. Pure. */
#ifndef PROTO_IMAP_LANGUAGE_H
#define PROTO_IMAP_LANGUAGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/str.h"

/* The language that a basic language range asks for, by RFC 4647's lookup: "en-CA" finds "en"; "default" and "*"
   what is preferred here. NULL: it is not spoken. */
const char *imap_language_find(struct str range);

/* Appends "* LANGUAGE (en)" and CRLF; language as from imap_language_find(), or NULL: a list of all. */
void imap_language_tell(const char *language, struct buf *out);

#endif
