/* Items going away: found by sets of uids, and put aside for the recovery time or dropped. */
#ifndef STORE_REMOVE_H
#define STORE_REMOVE_H

#include "mailbox-backend/store/recoverable.h"

/* The first item of the set whose uid is not below *uid; *uid is set just behind it. Damaged rows
   are passed over, with a line in the log. ERR_NOT_FOUND at the end. */
enum err_code item_next_in(const struct folder_slot *slot, const struct uidset *set, uint32_t *uid,
                           struct store_item *item, uint64_t *read_modseq, struct err *err);

/* Where the items of a folder are that will be removed from it; place->name is the batch's. */
enum err_code item_place_of(struct batch *batch, struct folder_slot *slot, struct item_place *place,
                            struct err *err);

/* Writes down, for a rebuild, that the uids were removed from the folder. */
void expunge_note(struct batch *batch, const struct folder_slot *slot, const struct uidset *gone,
                  uint64_t modseq);

/* Removes the item's rows. Its content, and its properties, stay for the recovery time where there
   is one. Counts are the caller's. */
enum err_code item_drop(struct batch *batch, const struct item_place *place,
                        const struct store_item *item, uint64_t read_modseq, struct err *err);

/* Removes an item's summary, which may not be there. */
enum err_code summary_remove(const struct tx *tx, uint32_t folder, uint32_t uid, struct err *err);

#endif
