/* An append that takes another item's place: both happen in one transaction, or neither (IMAP's REPLACE). */
#ifndef STORE_REPLACE_H
#define STORE_REPLACE_H

#include "mailbox-backend/store/ops.h"

/* Finds the item that task's append is to replace: *replacement is the batch's, NULL where it replaces nothing.
   ERR_NOT_FOUND, with op->item_gone, when it is no more. */
enum err_code replace_find(struct batch *batch, struct task *task, struct replacement **replacement,
                           struct err *err);

/* Bytes that the replaced item gives back to the quota. */
uint64_t replace_freed_bytes(const struct replacement *replacement);

/* Counts it out; changes slots only. */
void replace_plan(struct batch *batch, const struct task *task, struct replacement *replacement);

/* Removes its rows, as an expunge does, and notes that. */
enum err_code replace_perform(struct batch *batch, const struct replacement *replacement,
                              struct err *err);

#endif
