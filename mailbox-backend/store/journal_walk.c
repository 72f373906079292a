#include "mailbox-backend/store/journal_walk.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/mem.h"

#define RECORD_MOST (64u << 20) /* no part of a batch is larger */

bool journal_is_newer(const struct journal_rank *a, const struct journal_rank *b)
{
    if (a->transaction != b->transaction)
        return a->transaction > b->transaction;
    if (a->start != b->start)
        return a->start > b->start;
    return a->number > b->number;
}

static void visit_record(const struct record_head *head, const uint8_t *bytes,
                         journal_visit_fn *visit, void *context)
{
    Journal__Batch *batch = journal__batch__unpack(NULL, head->stored, bytes);
    struct journal_rank rank;

    if (batch == NULL)
        return;
    rank = (struct journal_rank){batch->transaction, head->start, batch->number};
    for (size_t i = 0; i < batch->n_operations; i++)
        visit(context, &rank, batch->operations[i]);
    journal__batch__free_unpacked(batch, NULL);
}

static void read_record(const struct segment *segment, uint64_t offset,
                        const struct record_head *head, journal_visit_fn *visit, void *context)
{
    uint8_t *bytes = mem_grow(NULL, (size_t)head->stored + 1, 1);

    if (pread(segment->fd, bytes, head->stored, (off_t)(offset + RECORD_HEADER)) ==
            (ssize_t)head->stored &&
        crc32c(0, bytes, head->stored) == head->crc)
        visit_record(head, bytes, visit, context);
    free(bytes);
}

enum err_code journal_walk(struct database *database, uint32_t number, uint64_t used,
                           journal_visit_fn *visit, void *context, struct err *err)
{
    struct segment *segment;
    enum err_code code = segments_pin(database->segments, number, &segment, err);
    uint64_t offset = SEGMENT_HEADER;

    if (code != ERR_NONE)
        return code;
    while (offset + RECORD_HEADER <= used) {
        uint8_t packed[RECORD_HEADER];
        struct record_head head;

        if (pread(segment->fd, packed, sizeof(packed), (off_t)offset) != (ssize_t)sizeof(packed))
            break;
        if (!record_head_unpack(packed, &head, number, (uint32_t)offset) ||
            head.generation != segment->record.generation || head.stored > RECORD_MOST) {
            offset += RECORD_ALIGN;
            continue;
        }
        if (head.type == RECORD_OPERATIONS)
            read_record(segment, offset, &head, visit, context);
        offset += record_space(head.stored);
    }
    segments_unpin(database->segments, segment);
    return ERR_NONE;
}
