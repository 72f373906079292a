/* Doing the batches' operations again, in their order, with a commit now and then. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "mailbox-backend/store/rebuild_private.h"

#define ITEMS_A_COMMIT 10000u /* about: a transaction has room for some 100,000 pages */
#define SAY_SECONDS 5
#define UNKNOWN_TOLD 20

static uint64_t count_uids(Journal__Range **ranges, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += ranges[i]->last >= ranges[i]->first ? ranges[i]->last - ranges[i]->first + 1u : 0;
    return sum;
}

/* How many items it may have changed. */
static unsigned weight_of(const Journal__Operation *operation)
{
    uint64_t items = 1;

    if (operation->what_case == JOURNAL__OPERATION__WHAT_FLAGS)
        items = count_uids(operation->flags->ranges, operation->flags->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_EXPUNGE)
        items = count_uids(operation->expunge->ranges, operation->expunge->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_COPY ||
             operation->what_case == JOURNAL__OPERATION__WHAT_MOVE) /* a union */
        items = count_uids(operation->copy->ranges, operation->copy->n_ranges);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_PURGE)
        items = operation->purge->n_item_ids;
    return items < ITEMS_A_COMMIT ? (unsigned)items + 1 : ITEMS_A_COMMIT;
}

/* What fails for reasons of its own leaves the rest alone. */
static enum err_code replay_one(struct rebuild *rebuild, const Journal__Batch *record,
                                const Journal__Operation *operation, struct err *err)
{
    enum err_code code = rebuild_operation(rebuild, record, operation, err);

    if (index_is_broken(rebuild->batch.txn, err))
        return ERR_UNAVAILABLE;
    rebuild->items += weight_of(operation);
    rebuild->result->operations++;
    if (code == ERR_NONE)
        rebuild_name_pieces(rebuild, operation);
    if (code != ERR_NONE && ++rebuild->result->unknown <= UNKNOWN_TOLD)
        rebuild_say(rebuild, "batch %" PRIu64 ": one operation could not be done again: %s",
                    record->number, err->text);
    if (code != ERR_NONE || (operation->what_case != JOURNAL__OPERATION__WHAT_FOLDER_DELETE &&
                             operation->what_case != JOURNAL__OPERATION__WHAT_MAILBOX_REMOVE))
        return ERR_NONE;
    code = rebuild_flush(rebuild, err); /* slots of what is gone must not be written behind it */
    return code == ERR_NONE ? rebuild_finish(rebuild, err) : code;
}

static enum err_code replay_part(struct rebuild *rebuild, const struct rebuild_part *part,
                                 struct err *err)
{
    Journal__Batch *record = rebuild_read_part(rebuild, part);
    enum err_code code = ERR_NONE;

    if (record == NULL)
        return err_set(err, ERR_CORRUPT, "segment %" PRIu32 " cannot be read twice", part->segment);
    if (rebuild->batch.record.batch < record->number)
        rebuild->batch.record.batch = record->number;
    rebuild->result->last = record->time;
    for (size_t i = 0; i < record->n_operations && code == ERR_NONE; i++)
        code = replay_one(rebuild, record, record->operations[i], err);
    journal__batch__free_unpacked(record, NULL);
    return code;
}

static enum err_code replay_batch(struct rebuild *rebuild, size_t i, struct err *err)
{
    const struct rebuild_part *first = &rebuild->parts[i];
    enum err_code code = ERR_NONE;

    for (; code == ERR_NONE; i++) {
        code = replay_part(rebuild, &rebuild->parts[i], err);
        if (rebuild->parts[i].last || i + 1 == rebuild->part_count ||
            rebuild->parts[i + 1].number != first->number)
            break;
    }
    rebuild->result->batches++;
    if (code == ERR_NONE && rebuild->items >= ITEMS_A_COMMIT)
        code = rebuild_flush(rebuild, err);
    return code;
}

static enum err_code replay(struct rebuild *rebuild, uint64_t above, struct err *err)
{
    size_t count;
    size_t *chain = rebuild_chain(rebuild, above, &count);
    time_t said = time(NULL);
    enum err_code code = ERR_NONE;

    rebuild_say(rebuild, "%zu batches of operations came after the copy", count);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = replay_batch(rebuild, chain[i], err);
        if (time(NULL) - said >= SAY_SECONDS) {
            said = time(NULL);
            rebuild_say(rebuild, "%zu of %zu batches are done", i + 1, count);
        }
    }
    free(chain);
    /* the numbers of records that do not count are not used again either */
    if (rebuild->part_count > 0 &&
        rebuild->batch.record.batch < rebuild->parts[rebuild->part_count - 1].number)
        rebuild->batch.record.batch = rebuild->parts[rebuild->part_count - 1].number;
    if (rebuild->batch.record.start < rebuild->start)
        rebuild->batch.record.start = rebuild->start;
    return code;
}

enum err_code rebuild_replay(struct rebuild *rebuild, struct err *err)
{
    uint64_t above = rebuild->batch.record.batch;
    enum err_code code = rebuild_list(rebuild, err);

    rebuild_say(rebuild, "%zu segments are looked through for operations after batch %" PRIu64,
                rebuild->segment_count, above);
    if (code == ERR_NONE)
        code = rebuild_scan(rebuild, above, err);
    if (code == ERR_NONE)
        code = replay(rebuild, above, err);
    return code == ERR_NONE ? rebuild_finish_all(rebuild, err) : code;
}
