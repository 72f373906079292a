/* Reading segments without an index: the records in them. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/mem.h"
#include "mailbox-backend/store/rebuild_private.h"

#define WINDOW (1u << 20)
#define RECORD_MOST (64u << 20) /* no batch has more operations than fit in this */

/* A walk through one file. */
struct walk {
    struct rebuild *rebuild;
    struct rebuild_segment *segment;
    uint64_t above;
    int file;
    uint8_t *window; /* WINDOW bytes from the offset window_at */
    uint64_t window_at;
    size_t window_length;
    uint8_t *bytes; /* of one record */
    size_t room;
};

/* The 32 bytes at an offset; NULL at the end of the file. */
static const uint8_t *look(struct walk *walk, uint64_t at)
{
    if (at < walk->window_at || at + RECORD_HEADER > walk->window_at + walk->window_length) {
        ssize_t got = pread(walk->file, walk->window, WINDOW, (off_t)at);

        walk->window_at = at;
        walk->window_length = got > 0 ? (size_t)got : 0;
        if (walk->window_length < RECORD_HEADER)
            return NULL;
    }
    return walk->window + (at - walk->window_at);
}

/* The stored bytes of a record, checked. */
static bool read_record(struct walk *walk, uint64_t at, const struct record_head *head)
{
    if (head->stored > RECORD_MOST)
        return false;
    if (head->stored > walk->room) {
        walk->room = head->stored;
        walk->bytes = mem_grow(walk->bytes, walk->room, 1);
    }
    return rebuild_read_at(walk->file, walk->bytes, head->stored, at + RECORD_HEADER) &&
           crc32c(0, walk->bytes, head->stored) == head->crc;
}

static void add_part(struct rebuild *rebuild, const struct rebuild_part *part)
{
    if (rebuild->part_count == rebuild->part_room) {
        rebuild->part_room = rebuild->part_room == 0 ? 1024 : rebuild->part_room * 2;
        rebuild->parts = mem_grow(rebuild->parts, rebuild->part_room, sizeof(*part));
    }
    rebuild->parts[rebuild->part_count++] = *part;
}

static void take_operations(struct walk *walk, uint64_t at, const struct record_head *head)
{
    Journal__Batch *batch = journal__batch__unpack(NULL, head->stored, walk->bytes);

    if (batch == NULL) {
        walk->rebuild->result->damaged++;
        return;
    }
    if (batch->number > walk->above) {
        const struct rebuild_part part = {
            .number = batch->number,
            .before = batch->before,
            .start = head->start,
            .part = batch->part,
            .last = batch->last,
            .segment = walk->segment->record.number,
            .offset = (uint32_t)at,
            .stored = head->stored,
        };

        add_part(walk->rebuild, &part);
    }
    journal__batch__free_unpacked(batch, NULL);
}

/* Returns the bytes to go on. A record whose checksum fails does not tell where the next one is. */
static uint64_t take(struct walk *walk, uint64_t at, const uint8_t *bytes)
{
    struct segment_record *record = &walk->segment->record;
    struct record_head head;

    if (!record_head_unpack(bytes, &head, record->number, (uint32_t)at) ||
        head.generation != record->generation)
        return RECORD_ALIGN;
    if (!read_record(walk, at, &head)) {
        walk->rebuild->result->damaged++;
        return RECORD_ALIGN;
    }
    if (head.start > walk->rebuild->start)
        walk->rebuild->start = head.start;
    if (head.type == RECORD_OPERATIONS)
        take_operations(walk, at, &head);
    else if (head.type == RECORD_PIECE && !walk->segment->doubtful)
        rebuild_found_piece(walk->rebuild, record->number, (uint32_t)at);
    if (at + record_space(head.stored) > record->used)
        record->used = at + record_space(head.stored);
    return record_space(head.stored);
}

static void walk_segment(struct walk *walk)
{
    const uint8_t *bytes;
    uint64_t at = walk->segment->from;

    walk->file = rebuild_open_file(walk->rebuild, walk->segment->record.number);
    walk->window_length = 0;
    if (walk->file < 0)
        return;
    while (at < walk->segment->record.size && (bytes = look(walk, at)) != NULL)
        at += take(walk, at, bytes);
}

static int by_batch(const void *a, const void *b)
{
    const struct rebuild_part *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

enum err_code rebuild_scan(struct rebuild *rebuild, uint64_t above, struct err *err)
{
    struct walk walk = {.rebuild = rebuild, .above = above, .window = mem_alloc(WINDOW)};

    (void)err;
    for (size_t i = 0; i < rebuild->segment_count; i++) {
        walk.segment = &rebuild->segments[i];
        if (!walk.segment->settled)
            walk_segment(&walk);
    }
    free(walk.window);
    free(walk.bytes);
    if (rebuild->part_count > 0)
        qsort(rebuild->parts, rebuild->part_count, sizeof(struct rebuild_part), by_batch);
    return ERR_NONE;
}

Journal__Batch *rebuild_read_part(struct rebuild *rebuild, const struct rebuild_part *part)
{
    int file = rebuild_open_file(rebuild, part->segment);
    uint8_t *bytes = mem_alloc(part->stored);
    Journal__Batch *batch = NULL;

    if (file >= 0 &&
        rebuild_read_at(file, bytes, part->stored, part->offset + (uint64_t)RECORD_HEADER))
        batch = journal__batch__unpack(NULL, part->stored, bytes);
    free(bytes);
    return batch;
}
