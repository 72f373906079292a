/* Operation records: what a batch did, written to the segment with it (journal.proto). */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "common/arena.h"
#include "mailbox-backend/store/batch.h"
#include "mailbox-backend/store/journal.pb-c.h"

struct journal;

/* Lives in the arena. */
struct journal *journal_create(struct arena *arena);

/* A new operation to be filled in, with its mailbox, folder and modseq set. Everything that it
   points to must live until journal_write(). */
Journal__Operation *journal_add(struct batch *batch, const struct folder_slot *slot,
                                uint64_t modseq);

/* One that concerns no folder. */
Journal__Operation *journal_add_mailbox(struct batch *batch, const struct mailbox_slot *slot,
                                        Journal__Operation__WhatCase what);

/* One that has nothing more to tell than its kind. */
Journal__Operation *journal_add_bare(struct batch *batch, const struct folder_slot *slot,
                                     uint64_t modseq, Journal__Operation__WhatCase what);

/* Of the database, not of a mailbox. */
Journal__Operation *journal_add_database(struct batch *batch, Journal__Operation__WhatCase what);

/* When what the batch removes from the mailbox can no longer be recovered. */
int64_t journal_expiry(struct batch *batch, struct mailbox_slot *slot);

/* Notes that a recoverable item went for good, though nobody asked for it. */
void journal_purged(struct batch *batch, const struct mailbox_slot *slot, uint64_t item_id);

/* The pieces that a content row tells. */
Journal__Piece **journal_pieces(struct batch *batch, struct bytes row, uint32_t count);

Journal__Range **journal_ranges(struct batch *batch, const struct uidset *set);
char **journal_keywords(struct batch *batch, const struct store_keyword_names *names);

bool journal_is_empty(const struct journal *journal);
enum err_code journal_write(struct journal *journal, struct batch *batch, struct err *err);

#endif
