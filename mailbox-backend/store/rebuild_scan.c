/* Reading segments without an index: which files there are, and the operation records in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/mem.h"
#include "mailbox-backend/store/piece.h"
#include "mailbox-backend/store/rebuild_private.h"
#include "mailbox-backend/store/segment_internal.h"

#define WINDOW (1u << 20)
#define RECORD_MOST (64u << 20) /* no batch has more operations than fit in this */

/* ---- files ---- */

static int open_file(struct rebuild *rebuild, uint32_t number)
{
    char *path;

    if (rebuild->file >= 0 && rebuild->file_number == number)
        return rebuild->file;
    if (rebuild->file >= 0)
        close(rebuild->file);
    path = segment_path(rebuild->folder, number);
    rebuild->file = open(path, O_RDONLY | O_CLOEXEC);
    rebuild->file_number = number;
    free(path);
    return rebuild->file;
}

static bool read_at(int file, void *bytes, size_t length, uint64_t at)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = pread(file, (char *)bytes + done, length - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct rebuild_segment *)a)->record.number;
    uint32_t y = ((const struct rebuild_segment *)b)->record.number;

    return (x > y) - (x < y);
}

struct rebuild_segment *rebuild_segment(struct rebuild *rebuild, uint32_t number)
{
    const struct rebuild_segment wanted = {.record.number = number};

    return rebuild->segment_count == 0 ? NULL
                                       : bsearch(&wanted, rebuild->segments, rebuild->segment_count,
                                                 sizeof(wanted), by_number);
}

/* What the copy knows of the segment; false: nothing. */
static bool known(struct rebuild *rebuild, uint32_t number, struct segment_record *row)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(number);
    struct bytes bytes;

    return tx_get(&tx, TABLE_SEGMENT, &key, &bytes, NULL) == ERR_NONE &&
           segment_unpack(bytes, number, row);
}

/* Where the copy's knowledge of the segment ends. */
static void settle(struct rebuild *rebuild, struct rebuild_segment *segment)
{
    struct segment_record *record = &segment->record;
    struct segment_record row;

    record->state = SEGMENT_SEALED;
    record->used = segment->from = SEGMENT_HEADER;
    if (!known(rebuild, record->number, &row) || row.generation < record->generation)
        return;
    if (row.generation > record->generation) { /* free since before the copy, and not used since */
        *record = row;
        segment->settled = true;
        return;
    }
    record->used = segment->from = row.used;
    record->died = row.died;
    segment->settled = row.state == SEGMENT_SEALED;
}

/* False for a file whose header is damaged: nothing in it can be trusted to be of one generation. */
static bool read_header(struct rebuild *rebuild, struct rebuild_segment *segment, uint32_t number)
{
    uint8_t header[SEGMENT_HEADER_USED];
    int file = open_file(rebuild, number);
    struct stat facts;

    return file >= 0 && read_at(file, header, sizeof(header), 0) &&
           segment_header_unpack(header, &segment->record) && segment->record.number == number &&
           fstat(file, &facts) == 0 && (uint64_t)facts.st_size >= segment->record.size;
}

enum err_code rebuild_list(struct rebuild *rebuild, struct err *err)
{
    DIR *dir = opendir(rebuild->folder);
    const struct dirent *entry;

    if (dir == NULL)
        return err_errno(err, errno, "%s", rebuild->folder);
    while ((entry = readdir(dir)) != NULL) {
        uint32_t number = segment_number_of(entry->d_name);
        struct rebuild_segment segment = {0};

        if (number == 0)
            continue;
        if (!read_header(rebuild, &segment, number)) {
            rebuild->result->damaged++;
            rebuild_say(rebuild, "%s has a damaged header or is cut: nothing in it can be read",
                        entry->d_name);
            continue;
        }
        settle(rebuild, &segment);
        rebuild->segments =
            mem_grow(rebuild->segments, rebuild->segment_count + 1, sizeof(segment));
        rebuild->segments[rebuild->segment_count++] = segment;
    }
    closedir(dir);
    if (rebuild->segment_count > 0)
        qsort(rebuild->segments, rebuild->segment_count, sizeof(struct rebuild_segment), by_number);
    return ERR_NONE;
}

bool rebuild_has_piece(struct rebuild *rebuild, const struct piece *piece)
{
    const struct rebuild_segment *segment = rebuild_segment(rebuild, piece->segment);
    uint8_t bytes[RECORD_HEADER];
    struct record_head head;
    int file;

    if (segment == NULL || segment->record.state == SEGMENT_FREE)
        return false;
    file = open_file(rebuild, piece->segment);
    return file >= 0 && read_at(file, bytes, sizeof(bytes), piece->offset) &&
           record_head_unpack(bytes, &head, piece->segment, piece->offset) &&
           head.type == RECORD_PIECE && head.generation == segment->record.generation &&
           head.stored == piece->stored && head.real == piece->real;
}

enum err_code rebuild_read_piece(struct rebuild *rebuild, const struct piece *piece, uint8_t *real,
                                 struct err *err)
{
    uint8_t *bytes = mem_alloc(RECORD_HEADER + (size_t)piece->stored);
    const struct rebuild_segment *segment = rebuild_segment(rebuild, piece->segment);
    struct segment open = {.fd = open_file(rebuild, piece->segment)};
    struct record_head head;
    enum err_code code = ERR_NONE;

    if (segment == NULL || open.fd < 0 || piece->real > PIECE_BYTES || piece->stored > piece->real)
        code = err_set(err, ERR_CORRUPT, "segment %" PRIu32 " is missing", piece->segment);
    else
        open.record = segment->record;
    if (code == ERR_NONE)
        code = piece_read(&open, piece, bytes, &head, err);
    if (code == ERR_NONE && head.compressed)
        code = codec_unpack(&rebuild->store.codecs, bytes + RECORD_HEADER, piece->stored, real,
                            piece->real, err);
    else if (code == ERR_NONE)
        memcpy(real, bytes + RECORD_HEADER, piece->stored);
    free(bytes);
    return code;
}

/* ---- records ---- */

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
    return read_at(walk->file, walk->bytes, head->stored, at + RECORD_HEADER) &&
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
    if (at + record_space(head.stored) > record->used)
        record->used = at + record_space(head.stored);
    return record_space(head.stored);
}

static void walk_segment(struct walk *walk)
{
    const uint8_t *bytes;
    uint64_t at = walk->segment->from;

    walk->file = open_file(walk->rebuild, walk->segment->record.number);
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
    int file = open_file(rebuild, part->segment);
    uint8_t *bytes = mem_alloc(part->stored);
    Journal__Batch *batch = NULL;

    if (file >= 0 && read_at(file, bytes, part->stored, part->offset + (uint64_t)RECORD_HEADER))
        batch = journal__batch__unpack(NULL, part->stored, bytes);
    free(bytes);
    return batch;
}
