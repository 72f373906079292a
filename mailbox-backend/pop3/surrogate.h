/* What a client that has not said UTF8 gets of an internationalized message (RFC 6856 section 2.1): one
   whose header is valid UTF-8 beyond ASCII. Its header is converted (mime/downgrade.h) on its way, field by
   field; the body passes as it is, as 8BITMIME always did. Memory is bounded whatever the message holds. */
#ifndef POP3_SURROGATE_H
#define POP3_SURROGATE_H

#include <stdbool.h>

#include "common/buf.h"
#include "mailbox-backend/store/store.h"

/* Whether a message's header, of size bytes, is such a one. Reads it: long work where it is large or cold.
   A header of more than 2 MB is none. */
enum err_code surrogate_is_needed(struct store_content *content, uint64_t size, bool *needed,
                                  struct err *err);

/* Embed it; {0} is at the start of a header. */
struct surrogate {
    struct buf field; /* that comes */
    bool line_ended;  /* the newest byte was a LF: a field may begin */
    bool is_long;     /* the field: its beginning has gone out already */
};

/* Converts the next bytes of a header; appends what is ready. */
void surrogate_feed(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                    struct buf *out);
/* The header is over: what was kept goes out. */
void surrogate_finish(struct surrogate *surrogate, struct buf *out);
void surrogate_release(struct surrogate *surrogate);

#endif
