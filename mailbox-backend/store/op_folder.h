/* Making a folder's rows, for new folders and new mailboxes. */
#ifndef STORE_OP_FOLDER_H
#define STORE_OP_FOLDER_H

#include "mailbox-backend/store/batch.h"

/* Gives the folder its rows, its uid validity and a modseq. The caller has checked everything. */
enum err_code folder_make(struct batch *batch, struct mailbox_slot *mailbox, uint32_t id,
                          const struct folder_record *record, struct folder_slot **slot,
                          struct err *err);

/* Writes down, for a rebuild, what the folder is now. */
void folder_note(struct batch *batch, const struct folder_slot *slot,
                 const struct folder_record *record, uint64_t modseq);

#endif
