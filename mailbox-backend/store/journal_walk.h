/* Reading operation records back from the segments. */
#ifndef STORE_JOURNAL_WALK_H
#define STORE_JOURNAL_WALK_H

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/journal.pb-c.h"

/* Of two records that tell the same the one of the later transaction counts, of one transaction that
   of the later start, then the higher number: the other batch failed. */
struct journal_rank {
    uint64_t transaction;
    uint32_t start;
    uint64_t number;
};
bool journal_is_newer(const struct journal_rank *a, const struct journal_rank *b);

typedef void journal_visit_fn(void *context, const struct journal_rank *rank,
                              const Journal__Operation *operation);

/* Calls visit for each operation in the records of a segment below used. What is damaged is passed
   over. ERR_CORRUPT: the segment is not there. */
enum err_code journal_walk(struct database *database, uint32_t segment, uint64_t used,
                           journal_visit_fn *visit, void *context, struct err *err);

#endif
