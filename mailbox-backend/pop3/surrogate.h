/* What a client that has not said UTF8 gets of an internationalized message (RFC 6856 section 2.1): one
   whose header is valid UTF-8 beyond ASCII. All headers, also those of its parts and of messages inside, are
   converted (mime/downgrade.h) on their way, field by field; bodies pass as they are, as 8BITMIME always did.
   Memory is bounded whatever the message holds. */
#ifndef POP3_SURROGATE_H
#define POP3_SURROGATE_H

#include <stdbool.h>

#include "common/buf.h"
#include "mailbox-backend/store/store.h"

/* Whether a message's header, of size bytes, is such a one. Reads it: long work where it is large or cold.
   A header of more than 2 MB is none. */
enum err_code surrogate_is_needed(struct store_content *content, uint64_t size, bool *needed,
                                  struct err *err);

struct surrogate; /* one message on its way */

struct surrogate *surrogate_create(void);

/* Converts the next bytes of the message; appends what is ready. */
void surrogate_feed(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                    struct buf *out);
/* The message is over: what was kept goes out. */
void surrogate_finish(struct surrogate *surrogate, struct buf *out);

void surrogate_destroy(struct surrogate **surrogate); /* may be NULL inside */

#endif
