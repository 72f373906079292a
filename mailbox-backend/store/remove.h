/* Items going away: found by sets of uids, and put aside for the recovery time or dropped. */
#ifndef STORE_REMOVE_H
#define STORE_REMOVE_H

#include "mailbox-backend/store/batch.h"

/* The first item of the set whose uid is not below *uid; *uid is set just behind it. Damaged rows
   are passed over, with a line in the log. ERR_NOT_FOUND at the end. */
enum err_code item_next_in(const struct folder_slot *slot, const struct uidset *set, uint32_t *uid,
                           struct store_item *item, uint64_t *read_modseq, struct err *err);

/* Where an item was. */
struct item_place {
    struct mailbox_slot *mailbox;
    uint32_t folder;
    struct str name; /* of the folder */
    bool for_good;   /* without the recovery time */
};

/* Removes the item's rows. Its content, and its properties, stay for the recovery time where there
   is one. Counts are the caller's. */
enum err_code item_drop(struct batch *batch, const struct item_place *place,
                        const struct store_item *item, uint64_t read_modseq, struct err *err);

/* Removes an item's summary, which may not be there. */
enum err_code summary_remove(const struct tx *tx, uint32_t folder, uint32_t uid, struct err *err);

/* What a row of the table of recoverable items holds; false when it is none. */
bool recoverable_unpack(struct bytes row, struct store_item *item);

/* Removes a recoverable item for good, with its row. */
enum err_code recoverable_drop(struct batch *batch, const struct tx *tx, struct key *key,
                               const struct store_item *item, struct err *err);

/* Drops up to most recoverable items of the mailbox that expire by until, oldest first; *dropped
   says how many. */
enum err_code recoverable_purge(struct batch *batch, uint32_t mailbox, uint64_t until,
                                unsigned most, unsigned *dropped, struct err *err);

/* The first mailbox from number up that has recoverable items; ERR_NOT_FOUND at the end. */
enum err_code recoverable_mailbox(struct index_txn *txn, uint32_t number, uint32_t *mailbox,
                                  struct err *err);

#endif
