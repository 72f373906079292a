/* Which uids went away, and when: one row for each change. */
#ifndef STORE_VANISHED_H
#define STORE_VANISHED_H

#include "mailbox-backend/store/batch.h"

#define VANISHED_ROWS_MOST 4096u /* a folder; the oldest go, and the floor rises */

enum err_code vanished_put(struct batch *batch, struct folder_slot *slot, uint64_t modseq,
                           const struct uidset *gone, struct err *err);

#endif
