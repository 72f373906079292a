#include "mailbox-backend/store/backup_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/segment_internal.h"

/* ---- which ---- */

static enum err_code keep(struct segment_list *list, const struct segment_record *record,
                          struct err *err)
{
    struct kept_segment kept = {.record = *record};

    if (record->state == SEGMENT_FREE)
        return ERR_NONE;
    if (segments_keep(list->set, record->number, record->generation, &kept.settled)) {
        list->segments = mem_grow(list->segments, list->count + 1, sizeof(*list->segments));
        list->segments[list->count++] = kept;
        return ERR_NONE;
    }
    if (record->live == 0) /* recycled before the copy was begun */
        return ERR_NONE;
    return err_set(err, ERR_CORRUPT, "segment %" PRIu32 " is missing", record->number);
}

enum err_code segment_list_take(struct segment_list *list, struct segments *set, struct index *copy,
                                struct err *err)
{
    struct key key = key_number(1);
    struct segment_record record;
    struct tx tx = {NULL, 0};
    struct tx_scan scan;
    enum err_code code = index_read_begin(copy, &tx.txn, err);

    list->set = set;
    if (code != ERR_NONE)
        return code;
    code = scan_begin(&scan, &tx, TABLE_SEGMENT, PREFIX_NONE, err);
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE) {
        if (scan.key.length != 4 || !segment_unpack(scan.value, get_u32(scan.key.data), &record))
            code = tx_bad_row(&tx, TABLE_SEGMENT, err);
        else
            code = keep(list, &record, err);
        if (code == ERR_NONE)
            code = scan_next(&scan, err);
    }
    scan_end(&scan);
    index_read_end(&tx.txn);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

void segment_list_let_go(struct segment_list *list, size_t n)
{
    if (!list->segments[n].let_go)
        segments_unkeep(list->set, list->segments[n].record.number);
    list->segments[n].let_go = true;
}

void segment_list_release(struct segment_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        segment_list_let_go(list, i);
    free(list->segments);
    *list = (struct segment_list){0};
}

/* ---- copying ---- */

/* A record that was written whole by this process: it stays as it is. Records of processes before it
   may stand in room that was given out again. */
static bool is_written(const struct segment_copy *copy, int file, uint64_t at, uint64_t *space)
{
    const struct segment_record *record = &copy->kept->record;
    uint8_t bytes[RECORD_HEADER];
    struct record_head head;
    uint32_t crc = 0;

    if (at + RECORD_HEADER > record->used ||
        pread(file, bytes, sizeof(bytes), (off_t)at) != (ssize_t)sizeof(bytes) ||
        !record_head_unpack(bytes, &head, record->number, (uint32_t)at) ||
        head.generation != record->generation ||
        head.start != segments_start(copy->database->segments))
        return false;
    *space = record_space(head.stored);
    return at + *space <= record->used &&
           backup_crc(file, at + RECORD_HEADER, head.stored, &crc, NULL) == ERR_NONE &&
           crc == head.crc;
}

/* How far the bytes stay as they are, and their checksum. */
static enum err_code settle(const struct segment_copy *copy, int file,
                            struct backup_segment *segment, struct err *err)
{
    uint64_t space, end = copy->kept->settled < segment->used ? copy->kept->settled : segment->used;
    enum err_code code = ERR_NONE;

    if (end > segment->settled) {
        code = backup_crc(file, segment->settled, end - segment->settled, &segment->crc, err);
        segment->settled = end;
    }
    while (code == ERR_NONE && is_written(copy, file, segment->settled, &space)) {
        code = backup_crc(file, segment->settled, space, &segment->crc, err);
        segment->settled += space;
    }
    return code;
}

static enum err_code copy_tail(const struct segment_copy *copy, int to,
                               struct backup_segment *segment, struct err *err)
{
    int from;
    enum err_code code = segment_open_file(copy->database->folder, &copy->kept->record, &from, err);

    if (code != ERR_NONE)
        return code;
    code = backup_copy(from, to, segment->settled, segment->used, copy->pace, err);
    close(from);
    if (code == ERR_NONE)
        code = settle(copy, to, segment, err);
    if (code == ERR_NONE && fsync(to) != 0)
        code = err_errno(err, errno, "writing");
    return code;
}

/* Takes over what the older backup has, when it is really there. */
static void take_before(const struct segment_copy *copy, int file, struct backup_segment *segment)
{
    const struct backup_segment *before = copy->before;
    struct stat facts;

    if (before == NULL || before->generation != segment->generation ||
        before->settled > segment->used || fstat(file, &facts) != 0 ||
        (uint64_t)facts.st_size < before->settled)
        return;
    segment->settled = before->settled;
    segment->crc = before->crc;
}

enum err_code segment_copy(const struct segment_copy *copy, struct err *err)
{
    struct backup_segment segment = {
        .number = copy->kept->record.number,
        .generation = copy->kept->record.generation,
        .used = copy->kept->record.used,
    };
    char *path = backup_segment_path(copy->folder, copy->entry, &segment);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum err_code code = ERR_NONE;

    if (file < 0) {
        code = err_errno(err, errno, "%s", path);
        free(path);
        return code;
    }
    free(path);
    take_before(copy, file, &segment);
    if (segment.settled < segment.used)
        code = copy_tail(copy, file, &segment, err);
    close(file);
    if (code == ERR_NONE)
        *manifest_add_segment(copy->entry) = segment;
    return code;
}
