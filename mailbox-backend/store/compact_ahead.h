/* Reading ahead of compaction: a thread of its own brings what is to be moved next into memory, so that the
   writer, and with it all operations, does not wait for the disk. */
#ifndef STORE_COMPACT_AHEAD_H
#define STORE_COMPACT_AHEAD_H

#include "mailbox-backend/store/database.h"

#define COMPACT_AT_ONCE 64u /* segments rewritten by one pass over the content table */

/* In order of number. */
struct chosen {
    size_t count;
    uint32_t numbers[COMPACT_AT_ONCE];
};

bool chosen_has(const struct chosen *chosen, uint32_t segment);

struct ahead;

struct ahead *ahead_create(struct database *database);
void ahead_destroy(struct ahead **ahead);

/* Begins to read, for contents from this id up, the pieces in the chosen segments: some MB. What was asked
   before is forgotten. */
void ahead_ask(struct ahead *ahead, const struct chosen *chosen, uint64_t from);

/* False: it is still reading. *upto: what was asked was read of all contents below this id, or was tried;
   UINT64_MAX at the end of the table. */
bool ahead_is_done(struct ahead *ahead, uint64_t *upto);

#endif
