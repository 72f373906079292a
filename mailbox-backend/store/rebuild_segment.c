/* Segment files without an index: which there are, what their headers tell, and pieces in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/piece.h"
#include "mailbox-backend/store/rebuild_private.h"
#include "mailbox-backend/store/segment_internal.h"

#define WINDOW (1u << 20)

int rebuild_open_file(struct rebuild *rebuild, uint32_t number)
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

bool rebuild_read_at(int file, void *bytes, size_t length, uint64_t at)
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
static bool known(struct rebuild *rebuild, struct rebuild_segment *segment,
                  struct segment_record *row)
{
    uint32_t number = segment->record.number;
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(number);
    struct bytes bytes;
    enum err_code code = tx_get(&tx, TABLE_SEGMENT, &key, &bytes, NULL);
    bool good = code == ERR_NONE && segment_unpack(bytes, number, row);

    segment->doubtful = !good && code != ERR_NOT_FOUND;
    return good;
}

/* Where the copy's knowledge of the segment ends. */
static void settle(struct rebuild *rebuild, struct rebuild_segment *segment)
{
    struct segment_record *record = &segment->record;
    struct segment_record row;

    record->state = SEGMENT_SEALED;
    record->used = segment->from = SEGMENT_HEADER;
    if (!known(rebuild, segment, &row) || row.generation < record->generation)
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

/* ---- headers ---- */

/* The generation of the newest records in the file; 0: there are none. */
static uint32_t generation_of(int file, uint32_t number, uint64_t size)
{
    uint8_t *window = mem_alloc(WINDOW);
    uint32_t newest = 0;

    for (uint64_t at = SEGMENT_HEADER; at < size; at += WINDOW) {
        size_t length = size - at < WINDOW ? (size_t)(size - at) : WINDOW;
        struct record_head head;

        if (!rebuild_read_at(file, window, length, at))
            continue;
        for (size_t i = 0; i + RECORD_HEADER <= length; i += RECORD_ALIGN)
            if (record_head_unpack(window + i, &head, number, (uint32_t)(at + i)) &&
                head.generation > newest)
                newest = head.generation;
    }
    free(window);
    return newest;
}

/* Each record has a checksum and a generation of its own: with these the header is written anew. */
static bool mend_header(struct rebuild *rebuild, struct rebuild_segment *segment, uint32_t number,
                        uint64_t size)
{
    char *path = segment_path(rebuild->folder, number);
    int file = open(path, O_RDWR | O_CLOEXEC);
    bool mended = false;

    segment->record = (struct segment_record){.number = number, .size = size};
    if (file >= 0) {
        segment->record.generation = generation_of(file, number, size);
        mended = segment->record.generation > 0 &&
                 segment_write_header(file, &segment->record, NULL) == ERR_NONE && fsync(file) == 0;
        close(file);
    }
    free(path);
    return mended;
}

/* False for a file in which nothing can be read. */
static bool read_header(struct rebuild *rebuild, struct rebuild_segment *segment, uint32_t number,
                        const char *name)
{
    uint8_t header[SEGMENT_HEADER_USED];
    int file = rebuild_open_file(rebuild, number);
    struct stat facts = {0};
    bool good = file >= 0 && fstat(file, &facts) == 0 &&
                rebuild_read_at(file, header, sizeof(header), 0) &&
                segment_header_unpack(header, &segment->record) && segment->record.number == number;
    bool cut = good && (uint64_t)facts.st_size < segment->record.size;

    if (good && !cut)
        return true;
    rebuild->result->damaged++;
    if (cut)
        rebuild_say(rebuild, "%s is cut: what was behind its end is lost", name);
    else if ((good = mend_header(rebuild, segment, number, (uint64_t)facts.st_size)))
        rebuild_say(rebuild, "%s had a damaged header: its records tell what it said", name);
    else
        rebuild_say(rebuild, "%s has a damaged header and no records: nothing is read from it",
                    name);
    return good;
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

        if (number == 0 || !read_header(rebuild, &segment, number, entry->d_name))
            continue;
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

/* ---- pieces ---- */

bool rebuild_find_piece(struct rebuild *rebuild, struct piece *piece)
{
    const struct rebuild_segment *segment = rebuild_segment(rebuild, piece->segment);
    int file = segment == NULL ? -1 : rebuild_open_file(rebuild, piece->segment);
    uint8_t bytes[RECORD_HEADER];
    struct record_head head;

    if (file < 0 || !rebuild_read_at(file, bytes, sizeof(bytes), piece->offset) ||
        !record_head_unpack(bytes, &head, piece->segment, piece->offset) ||
        head.type != RECORD_PIECE || head.generation != segment->record.generation)
        return false;
    piece->stored = head.stored;
    piece->real = head.real;
    return true;
}

bool rebuild_has_piece(struct rebuild *rebuild, const struct piece *piece)
{
    const struct rebuild_segment *segment = rebuild_segment(rebuild, piece->segment);
    struct piece found = *piece;

    return segment != NULL && segment->record.state != SEGMENT_FREE &&
           rebuild_find_piece(rebuild, &found) && found.stored == piece->stored &&
           found.real == piece->real;
}

enum err_code rebuild_read_piece(struct rebuild *rebuild, const struct piece *piece, uint8_t *real,
                                 struct err *err)
{
    uint8_t *bytes = mem_alloc(RECORD_HEADER + (size_t)piece->stored);
    const struct rebuild_segment *segment = rebuild_segment(rebuild, piece->segment);
    struct segment open = {.fd = rebuild_open_file(rebuild, piece->segment)};
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
