/* The writer's side of the segments: writing, syncing, counting live bytes, recycling. */
#include "mailbox-backend/store/segment_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#define FREE_KEPT 2 /* files that wait to be used again; more are given back to the disk */

static enum err_code fail(struct segments *set, struct segment *segment, int error, struct err *err)
{
    pthread_mutex_lock(&set->lock);
    segment->failed = true;
    segments_seal(set, segment);
    pthread_mutex_unlock(&set->lock);
    err_errno(err, error, "segment %" PRIu32, segment->record.number);
    return err_set(err, ERR_UNAVAILABLE, "segment %" PRIu32 ": %s", segment->record.number,
                   strerror(error));
}

enum err_code segment_write(struct segments *set, struct segment *segment, uint32_t offset,
                            const void *bytes, size_t length, struct err *err)
{
    const uint8_t *at = bytes;

    while (length > 0) {
        ssize_t written = pwrite(segment->fd, at, length, offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(set, segment, written < 0 ? errno : EIO, err);
        at += written;
        offset += (uint32_t)written;
        length -= (size_t)written;
    }
    /* Behind the write: a sync that ran meanwhile may not have had these bytes. */
    atomic_store(&segment->dirty, true);
    return ERR_NONE;
}

/* A segment that must be synced, pinned; NULL when there is none. One that was sealed since it was written to, with
   operations only, may have been closed. */
static struct segment *next_dirty(struct segments *set)
{
    struct segment *found = NULL;
    struct err err;

    pthread_mutex_lock(&set->lock);
    for (size_t i = set->count; i > 0 && found == NULL; i--) {
        struct segment *segment = set->all[i - 1];

        if (!atomic_exchange(&segment->dirty, false) || segment->record.state == SEGMENT_FREE)
            continue;
        if (segments_pin_locked(set, segment, &err) == ERR_NONE)
            found = segment;
        else
            log_error(NULL, "%s: %s", set->folder, err.text);
    }
    pthread_mutex_unlock(&set->lock);
    return found;
}

enum err_code segments_sync(struct segments *set, struct err *err)
{
    enum err_code code = ERR_NONE;
    struct segment *segment;

    while (code == ERR_NONE && (segment = next_dirty(set)) != NULL) {
        if (fdatasync(segment->fd) != 0)
            code = fail(set, segment, errno, err);
        segments_unpin(set, segment);
    }
    return code;
}

void segments_count(struct segments *set, const struct piece *piece, int sign)
{
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, piece->segment);
    if (segment != NULL) {
        segment->delta += sign * (int64_t)record_space(piece->stored);
        if (sign < 0 && segment->record.died == 0) {
            segment->record.died = time(NULL);
            segment->row_dirty = true;
        }
    }
    pthread_mutex_unlock(&set->lock);
}

void segments_erase(struct segments *set, const struct piece *piece)
{
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, piece->segment);
    if (segment != NULL) {
        segment->record.died = SEGMENT_ERASE;
        segment->row_dirty = true;
    }
    pthread_mutex_unlock(&set->lock);
}

enum err_code segments_rows(struct segments *set,
                            enum err_code (*row)(void *context, const struct segment_record *record,
                                                 bool removed, struct err *err),
                            void *context, struct err *err)
{
    enum err_code code = ERR_NONE;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count && code == ERR_NONE; i++) {
        struct segment *segment = set->all[i];
        struct segment_record record = segment->record;

        if (!segment->row_dirty && segment->delta == 0)
            continue;
        record.live = (uint64_t)((int64_t)record.live + segment->delta);
        segment->row_dirty = false;
        segment->in_flight = true;
        code = row(context, &record, segment->going, err);
    }
    pthread_mutex_unlock(&set->lock);
    return code;
}

static void remove_file(struct segments *set, size_t at)
{
    struct segment *segment = set->all[at];
    char *path = segment_path(set->folder, segment->record.number);

    if (unlink(path) != 0)
        log_warning(NULL, "%s: %s", path, strerror(errno));
    free(path);
    segments_free(set, segment);
    set->count--;
    memmove(set->all + at, set->all + at + 1, (set->count - at) * sizeof(struct segment *));
}

void segments_committed(struct segments *set, uint64_t txn)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = set->count; i > 0; i--) {
        struct segment *segment = set->all[i - 1];

        if (segment->operations)
            segment->operations_txn = txn;
        segment->operations = false;
        if (!segment->in_flight)
            continue;
        segment->in_flight = false;
        segment->record.live = (uint64_t)((int64_t)segment->record.live + segment->delta);
        if (segment->delta != 0 && segment->record.live == 0)
            segment->dead_since = txn;
        segment->delta = 0;
        if (segment->going)
            remove_file(set, i - 1);
    }
    pthread_mutex_unlock(&set->lock);
}

void segments_aborted(struct segments *set)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        struct segment *segment = set->all[i];

        segment->row_dirty = segment->row_dirty || segment->in_flight;
        segment->in_flight = false;
        segment->operations = false;
        segment->delta = 0;
    }
    pthread_mutex_unlock(&set->lock);
}

static bool is_dead(const struct segments *set, const struct segment *segment,
                    uint64_t oldest_reader)
{
    return segment->record.state == SEGMENT_SEALED && segment->record.live == 0 &&
           segment->pins == 0 && segment->kept == 0 && segment->dead_since <= oldest_reader &&
           segment->operations_txn <= set->copied;
}

/* A free file that is not needed, must not be used, or has held what was deleted for too long. */
static bool must_go(const struct segment *segment, unsigned *kept, int64_t old)
{
    return segment->failed || ++*kept > FREE_KEPT ||
           (segment->record.died != 0 && segment->record.died < old);
}

bool segments_recycle(struct segments *set, uint64_t oldest_reader, int64_t old)
{
    unsigned kept = 0;
    bool changed = false;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        struct segment *segment = set->all[i];

        if (set->held == 0 && is_dead(set, segment, oldest_reader)) {
            segment->record.state = SEGMENT_FREE;
            segment->record.generation++;
            segment->record.used = SEGMENT_HEADER;
            segment->opened = SEGMENT_HEADER;
            if (segment->record.died != SEGMENT_ERASE)
                segment->record.died = time(NULL);
            segment->row_dirty = true;
            changed = true;
        }
        if (segment->record.state == SEGMENT_FREE && !segment->going &&
            must_go(segment, &kept, old)) {
            segment->going = true;
            segment->row_dirty = true;
            changed = true;
        }
    }
    pthread_mutex_unlock(&set->lock);
    return changed;
}

uint64_t segments_waiting(struct segments *set, bool *erasing)
{
    uint64_t bytes = 0;

    *erasing = false;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        const struct segment *segment = set->all[i];

        if (segment->record.state != SEGMENT_SEALED || segment->record.live != 0 ||
            segment->operations_txn <= set->copied)
            continue;
        bytes += segment->record.size;
        *erasing |= segment->record.died == SEGMENT_ERASE;
    }
    pthread_mutex_unlock(&set->lock);
    return bytes;
}

void segments_copied(struct segments *set, uint64_t txn)
{
    pthread_mutex_lock(&set->lock);
    set->copied = txn;
    pthread_mutex_unlock(&set->lock);
}
