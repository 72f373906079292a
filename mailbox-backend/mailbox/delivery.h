/* Taking one message in, whatever the protocol: the content goes into a draft while a MIME parser
   reads along, so that the item has its summary, header size and thread id from the start. */
#ifndef MAILBOX_DELIVERY_H
#define MAILBOX_DELIVERY_H

#include "mailbox-backend/store/store.h"

struct intake; /* one message on its way in, for one database */

/* ERR_LIMIT and ERR_UNAVAILABLE as store_draft_create(). expected: bytes to come, 0 when unknown. */
enum err_code intake_create(struct store *store, unsigned database, uint64_t expected,
                            struct intake **intake, struct err *err);
enum err_code intake_append(struct intake *intake, const void *bytes, size_t length,
                            struct err *err);
enum err_code intake_finish(struct intake *intake, struct err *err);
void intake_destroy(struct intake **intake);

/* After intake_finish: bytes of the top header, with the empty line behind it. */
uint64_t intake_header_size(const struct intake *intake);

/* After intake_finish: fills op->kind and op->in.append's draft, header_size, no_final_newline,
   email_id, thread_id and summary (they stay the intake's); the caller adds folder, mailbox, flags,
   dates, quota. May be used for several ops (recipients). */
void intake_fill(struct intake *intake, struct store_op *op);

/* The value of the first header field of that name in the top header, unfolded and trimmed ("" when
   absent, cut at 1,000 bytes); good as long as the intake. Only for names given to intake_keep(). */
struct str intake_header(struct intake *intake, const char *name);
void intake_keep(struct intake *intake,
                 const char *name); /* before the first intake_append; at most 8 */

/* The flag tests of a message just received: a field of the header is the configured "Name: value"
   (ASCII case ignored; all fields of that name are looked at). Only for pairs whose name was given
   to intake_keep(), which takes a whole pair as well. */
bool intake_has_header(struct intake *intake, const char *name_and_value);

#endif
