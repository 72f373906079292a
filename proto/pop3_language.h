/* POP3's LANG (RFC 6856 section 3), which the front answers before login and the back end after it: the
   words of both are English. Pure. */
#ifndef PROTO_POP3_LANGUAGE_H
#define PROTO_POP3_LANGUAGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/str.h"

/* Appends the whole answer to LANG with this argument: empty lists the languages, "*" asks for the one
   that is preferred here. False, with nothing appended, for a language that is not spoken. */
bool pop3_language(struct str language, struct buf *out);

#endif
