/* Making and removing the rows of folders and mailboxes. */
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

/* The row that gives the folder's name; to be removed it need not be there. */
enum err_code folder_name_put(const struct tx *tx, uint32_t parent, struct str name,
                              uint32_t folder, struct err *err);
enum err_code folder_name_remove(const struct tx *tx, const struct folder_record *record,
                                 struct err *err);

/* The rows that make the folder one; its items are the caller's. */
enum err_code folder_rows_remove(const struct tx *tx, uint32_t folder,
                                 const struct folder_record *record, struct err *err);

/* The rows by which a mailbox is found, and then its root and INBOX. */
enum err_code mailbox_rows_put(struct batch *batch, const struct store_guid *id, uint32_t mailbox,
                               struct err *err);
enum err_code mailbox_folders_make(struct batch *batch, struct mailbox_slot *slot, struct err *err);

/* Removes what makes the mailbox one; the rest is pending. */
enum err_code mailbox_rows_remove(struct batch *batch, struct mailbox_slot *slot,
                                  const struct store_guid *id, struct err *err);

#endif
