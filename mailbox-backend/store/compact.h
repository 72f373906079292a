/* Compaction: what is live in segments that are mostly dead, or have held deleted content for too
   long, is moved to the active segment, so that they can be used again. It goes in passes over the
   content table, in slices of the writer's. The writer's thread only. */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "mailbox-backend/store/batch.h"

/* Deleted content leaves the disk this long after its last reference, however live its segment. */
#define COMPACT_OLD_SECONDS (30 * 86400)

struct compact;

struct compact *compact_create(struct database *database);
void compact_destroy(struct compact **compact);

/* True when a slice should be run now. Looks for work when it is time to. */
bool compact_is_due(struct compact *compact);

/* The store takes too much: compaction goes before everything that can wait. */
bool compact_is_urgent(const struct compact *compact);

/* Milliseconds until it should be asked again. */
uint64_t compact_wait_ms(const struct compact *compact);

/* Goes through some content rows, and moves up to a few MB: fewer when operations are waiting (idle
   is false). What cannot be read stays where it is, with a line in the log. */
void compact_slice(struct compact *compact, struct batch *batch, bool idle);

/* The batch of the last slice failed: its pass is given up. */
void compact_failed(struct compact *compact);

#endif
