/* Expunged items that can still be brought back: their rows, and what a mailbox counts of them. */
#ifndef STORE_RECOVERABLE_H
#define STORE_RECOVERABLE_H

#include "mailbox-backend/store/batch.h"

/* version u8, folder u32, uid u32, time of removal i64, the item's row, the folder's name */
#define RECOVERABLE_HEAD 17u
#define RECOVERABLE_MOST (RECOVERABLE_HEAD + ITEM_ROW + STORE_NAME_MAX)

/* What a row holds; false when it is none. entry's id is left alone. */
bool recoverable_unpack(struct bytes row, struct store_recoverable *entry);

/* Adds up what the mailbox has, damaged rows excepted. Reads all of its rows. */
enum err_code recoverable_sum(const struct tx *tx, struct store_usage *sum, struct err *err);

/* Where an item was. */
struct item_place {
    struct mailbox_slot
        *mailbox; /* whose present is false: the mailbox is gone, nothing is counted */
    uint32_t folder;
    struct str name; /* of the folder */
    bool for_good;   /* without the recovery time */
};

/* The time and the quota that hold for the mailbox: *recovery. False when its own are not to be known
   now (the directory is away): then they are the site's. */
bool recovery_of(struct batch *batch, struct mailbox_slot *slot, struct store_recovery *recovery);

/* The mailbox's GUID in hex, as administrators see it. */
void slot_guid_text(const struct mailbox_slot *slot, char text[2 * sizeof(struct store_guid) + 1]);

/* Keeps an item that has been removed. Its content, and its properties, stay. */
enum err_code recoverable_put(struct batch *batch, const struct item_place *place,
                              const struct store_item *item, uint64_t read_modseq, uint64_t seconds,
                              struct err *err);

/* Removes a row only: the item is an item again. */
enum err_code recoverable_take(struct batch *batch, struct mailbox_slot *slot, struct key *key,
                               const struct store_item *item, struct err *err);

/* Removes a recoverable item for good, with its row. */
enum err_code recoverable_drop(struct batch *batch, struct mailbox_slot *slot, struct key *key,
                               const struct store_item *item, struct err *err);

/* Drops the first recoverable item of the mailbox, in the order in which they expire, if it does so by
   until; *dropped is added to. ERR_NOT_FOUND when there is none. A damaged row goes too. */
enum err_code recoverable_drop_first(struct batch *batch, struct mailbox_slot *slot, uint64_t until,
                                     struct store_usage *dropped, struct err *err);

/* The content of an item that is gone for good loses its reference, the properties go. */
enum err_code recoverable_release(struct batch *batch, const struct tx *tx,
                                  const struct store_item *item, struct err *err);

/* The first mailbox from number up that has recoverable items; ERR_NOT_FOUND at the end. */
enum err_code recoverable_mailbox(struct index_txn *txn, uint32_t number, uint32_t *mailbox,
                                  struct err *err);

/* Writes down, for a rebuild, an item with these keywords that comes into the folder with content that is
   there. */
void item_note(struct batch *batch, struct folder_slot *folder, const struct store_item *item,
               const struct store_keyword_names *keywords);

#endif
