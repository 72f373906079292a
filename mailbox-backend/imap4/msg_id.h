/* Message ids in a header field (RFC 5322 section 3.6.4), in the one form in which THREAD compares them. */
#ifndef IMAP4_MSG_ID_H
#define IMAP4_MSG_ID_H

#include <stdbool.h>

#include "common/str.h"

#define MSG_ID_MAX ((size_t)998) /* bytes as written: a line's; a longer one is none */

/* Takes the next valid id from *rest, without brackets, white space and quotes; *id is in bytes. False when
   there is none left. */
bool msg_id_next(struct str *rest, char bytes[MSG_ID_MAX], struct str *id);

#endif
