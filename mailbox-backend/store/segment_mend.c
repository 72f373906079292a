/* What a repair sets right in segments. The writer's thread only. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/segment_internal.h"

#define WINDOW (1u << 20)

bool segments_rewrite_row(struct segments *set, uint32_t number)
{
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    if (segment != NULL)
        segment->row_dirty = true;
    pthread_mutex_unlock(&set->lock);
    return segment != NULL;
}

bool segments_adjust_live(struct segments *set, uint32_t number, int64_t difference)
{
    struct segment *segment;
    bool adjusted;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    adjusted = segment != NULL && (int64_t)segment->record.live + segment->delta + difference >= 0;
    if (adjusted)
        segment->delta += difference;
    pthread_mutex_unlock(&set->lock);
    return adjusted;
}

/* ---- a file's header ---- */

/* A record's header has a checksum over the segment's number, too. */
static bool has_record(const uint8_t *window, size_t length, uint64_t at,
                       const struct segment_record *record)
{
    struct record_head head;

    for (size_t i = 0; i + RECORD_HEADER <= length; i += RECORD_ALIGN)
        if (record_head_unpack(window + i, &head, record->number, (uint32_t)(at + i)) &&
            head.generation == record->generation)
            return true;
    return false;
}

static bool has_records(int fd, const struct segment_record *record)
{
    uint8_t *window = mem_alloc(WINDOW);
    bool found = false;

    for (uint64_t at = SEGMENT_HEADER; at < record->used && !found; at += WINDOW) {
        ssize_t got = pread(fd, window, WINDOW, (off_t)at);

        found = got > 0 && has_record(window, (size_t)got, at, record);
    }
    free(window);
    return found;
}

/* Only this thread gives segments up: none goes meanwhile. */
bool segments_mend_header(struct segments *set, uint32_t number)
{
    char *path = segment_path(set->folder, number);
    struct segment_record record = {.state = SEGMENT_FREE};
    struct segment *segment;
    bool mended;
    int fd;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    if (segment != NULL)
        record = segment->record;
    pthread_mutex_unlock(&set->lock);
    fd = record.state == SEGMENT_FREE ? -1 : open(path, O_RDWR | O_CLOEXEC);
    mended = fd >= 0 && has_records(fd, &record) &&
             segment_write_header(fd, &record, NULL) == ERR_NONE && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return mended;
}
