/* Items coming into a folder, and their rows. */
#ifndef STORE_INSERT_H
#define STORE_INSERT_H

#include "mailbox-backend/store/batch.h"

struct insert {
    uint32_t first;      /* uid */
    uint64_t first_item; /* item id */
};

/* ERR_LIMIT when the mailbox would hold more than the limits (0: none). */
enum err_code quota_check(const struct mailbox_slot *mailbox, uint64_t bytes, uint64_t messages,
                          uint64_t quota_bytes, uint64_t quota_messages, struct err *err);

/* Gives uids to count items: the folder's uid_next moves. ERR_LIMIT when they are used up. */
enum err_code insert_uids(struct batch *batch, struct folder_slot *slot, uint32_t count,
                          uint32_t *first, struct err *err);

/* Counts an item in the folder (sign 1) or out of it (-1); not in the mailbox. */
void folder_count(struct batch *batch, struct folder_slot *slot, const struct store_item *item,
                  int sign);
void mailbox_count(struct batch *batch, struct mailbox_slot *slot, const struct store_item *item,
                   int sign);

/* Writes the item's row. */
enum err_code item_put(const struct folder_slot *slot, const struct store_item *item,
                       uint64_t read_modseq, struct err *err);

/* Rows of the blocks that uids first and up, just given, have made old ones. */
enum err_code blocks_close(const struct folder_slot *slot, uint32_t first, uint32_t count,
                           struct err *err);

/* A changed item's block, unless it is the newest, which has no row. */
enum err_code block_touch(const struct folder_slot *slot, uint32_t uid, uint64_t modseq,
                          struct err *err);

#endif
