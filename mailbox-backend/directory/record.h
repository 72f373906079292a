/* Account records as bytes, and as the rest of the program sees them. */
#ifndef DIRECTORY_RECORD_H
#define DIRECTORY_RECORD_H

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/directory/account.pb-c.h"
#include "mailbox-backend/directory/directory.h"

/* Appends the bytes that are kept on the disk. */
void record_pack(const Directory__Record *record, struct buf *out);

/* All memory of *record from arena. ERR_CORRUPT when the checksum or the format is wrong, ERR_UNAVAILABLE
   for a format that a later version wrote. */
enum err_code record_unpack(const void *bytes, size_t length, struct arena *arena,
                            Directory__Record **record, struct err *err);

/* Fills *account; its texts are the record's, which must be from arena. The directory gives the site's
   defaults. */
void record_to_account(const Directory__Record *record, const struct directory *directory,
                       struct arena *arena, struct account *account);

#endif
