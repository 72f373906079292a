#include "mailbox-backend/store/segment_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"

/* Index of the first segment whose number is not below. */
static size_t place_of(const struct segments *set, uint32_t number)
{
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->all[middle]->record.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct segment *segments_find(struct segments *set, uint32_t number)
{
    size_t at = place_of(set, number);

    return at < set->count && set->all[at]->record.number == number ? set->all[at] : NULL;
}

void segments_insert(struct segments *set, const struct segment_record *record, bool row_dirty)
{
    struct segment *segment = mem_alloc(sizeof(*segment));
    size_t at = place_of(set, record->number);

    if (set->count == set->room) {
        set->room = set->room == 0 ? 16 : set->room * 2;
        set->all = mem_grow(set->all, set->room, sizeof(struct segment *));
    }
    memmove(set->all + at + 1, set->all + at, (set->count - at) * sizeof(struct segment *));
    set->all[at] = segment;
    set->count++;
    segment->record = *record;
    segment->opened = record->used;
    segment->fd = -1;
    segment->row_dirty = row_dirty;
    if (record->size > set->largest)
        set->largest = record->size;
}

struct segment *segments_find_free(struct segments *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->all[i]->record.state == SEGMENT_FREE && !set->all[i]->failed &&
            !set->all[i]->going)
            return set->all[i];
    return NULL;
}

uint64_t segments_next_size(const struct segments *set)
{
    uint64_t size = set->largest == 0 ? SEGMENT_FIRST_SIZE : set->largest * 2;

    return size > set->most ? set->most : size;
}

/* ---- pins, with the lock held ---- */

static void close_idle(struct segments *set, struct segment *segment)
{
    TAILQ_REMOVE(&set->idle, segment, in_idle);
    set->idle_count--;
    close(segment->fd);
    segment->fd = -1;
}

enum err_code segments_pin_locked(struct segments *set, struct segment *segment, struct err *err)
{
    if (segment->fd >= 0 && segment->pins == 0) {
        TAILQ_REMOVE(&set->idle, segment, in_idle);
        set->idle_count--;
    }
    if (segment->fd < 0) {
        enum err_code code = (set->read_only ? segment_open_copy : segment_open_file)(
            set->folder, &segment->record, &segment->fd, err);

        if (code != ERR_NONE)
            return code;
    }
    segment->pins++;
    return ERR_NONE;
}

/* One that failed is opened anew the next time. */
static void unpin(struct segments *set, struct segment *segment)
{
    assert(segment->pins > 0);
    if (--segment->pins > 0)
        return;
    TAILQ_INSERT_TAIL(&set->idle, segment, in_idle);
    set->idle_count++;
    if (segment->failed)
        close_idle(set, segment);
    else if (set->idle_count > SEGMENTS_KEPT_OPEN)
        close_idle(set, TAILQ_FIRST(&set->idle));
}

void segments_free(struct segments *set, struct segment *segment)
{
    if (segment->fd >= 0 && segment->pins == 0)
        close_idle(set, segment);
    else if (segment->fd >= 0)
        close(segment->fd);
    free(segment);
}

void segments_seal(struct segments *set, struct segment *segment)
{
    if (segment->record.state != SEGMENT_ACTIVE)
        return;
    segment->record.state = SEGMENT_SEALED;
    segment->row_dirty = true;
    atomic_fetch_add(&set->sealed, 1);
    if (set->active == segment) {
        set->active = NULL;
        unpin(set, segment);
    }
}

/* ---- opening ---- */

static void take_rows(struct segments *set, const struct segment_record *rows, size_t count,
                      uint64_t txn)
{
    struct err err;

    for (size_t i = 0; i < count; i++) {
        struct segment *segment;

        segments_insert(set, &rows[i], false);
        segment = segments_find(set, rows[i].number);
        segment->operations_txn = txn;
        if (rows[i].state != SEGMENT_ACTIVE)
            continue;
        if (set->active != NULL)
            segments_seal(set, set->active);
        if (segments_pin_locked(set, segment, &err) == ERR_NONE) {
            set->active = segment;
        } else {
            log_error(NULL, "%s: %s", set->folder, err.text);
            segments_seal(set, segment);
        }
    }
}

void segments_open(struct segments **out, const struct segments_start *how,
                   const struct segment_record *rows, size_t count)
{
    struct segments *set = mem_alloc(sizeof(*set));

    set->folder = mem_string(how->folder);
    set->start = how->start;
    set->next = how->next;
    set->most = how->most == 0 ? SEGMENT_MOST_SIZE : how->most;
    set->copied = UINT64_MAX;
    pthread_mutex_init(&set->lock, NULL);
    pthread_cond_init(&set->changed, NULL);
    TAILQ_INIT(&set->idle);
    take_rows(set, rows, count, how->txn);
    segments_settle(set, how);
    segments_maker_start(set);
    *out = set;
}

void segments_open_copy(struct segments **out, const char *folder,
                        const struct segment_record *rows, size_t count)
{
    struct segments *set = mem_alloc(sizeof(*set));

    set->folder = mem_string(folder);
    set->read_only = true;
    pthread_mutex_init(&set->lock, NULL);
    pthread_cond_init(&set->changed, NULL);
    TAILQ_INIT(&set->idle);
    for (size_t i = 0; i < count; i++)
        segments_insert(set, &rows[i], false);
    *out = set;
}

void segments_close(struct segments **out)
{
    struct segments *set = *out;

    *out = NULL;
    if (set == NULL)
        return;
    if (!set->read_only)
        segments_maker_stop(set);
    for (size_t i = 0; i < set->count; i++)
        segments_free(set, set->all[i]);
    free(set->all);
    free(set->folder);
    pthread_mutex_destroy(&set->lock);
    pthread_cond_destroy(&set->changed);
    free(set);
}

uint32_t segments_start(const struct segments *set)
{
    return set->start;
}

/* ---- reserving ---- */

static enum err_code activate(struct segments *set, struct segment *segment, struct err *err)
{
    enum err_code code = segments_pin_locked(set, segment, err);

    if (code == ERR_NONE) {
        code = segment_write_header(segment->fd, &segment->record, err);
        if (code != ERR_NONE)
            unpin(set, segment);
    }
    segment->row_dirty = true;
    if (code != ERR_NONE) {
        segment->failed = true; /* another is taken the next time */
        return err_set(err, ERR_UNAVAILABLE, "segment %" PRIu32 " cannot be written to",
                       segment->record.number);
    }
    atomic_store(&segment->dirty, true);
    segment->record.state = SEGMENT_ACTIVE;
    segment->record.died = 0;
    set->active = segment;
    return ERR_NONE;
}

static bool has_room(const struct segment *segment, uint32_t space)
{
    return segment != NULL && segment->record.used + space <= segment->record.size;
}

static void ask_maker(struct segments *set)
{
    if (set->wanted || segments_find_free(set) != NULL)
        return;
    set->wanted = true;
    pthread_cond_broadcast(&set->changed);
}

/* Makes the next segment active, waiting for the maker if it must. */
static enum err_code advance(struct segments *set, struct err *err)
{
    unsigned failures = set->failures;
    struct segment *next;

    if (set->active != NULL)
        segments_seal(set, set->active);
    while ((next = segments_find_free(set)) == NULL) {
        if (set->failures != failures)
            return err_set(err, ERR_UNAVAILABLE, "%s", set->why.text);
        ask_maker(set);
        pthread_cond_wait(&set->changed, &set->lock);
        if (set->active != NULL)
            return ERR_NONE; /* another thread was first */
    }
    return activate(set, next, err);
}

enum err_code segments_reserve(struct segments *set, uint32_t stored, struct segment **segment,
                               uint32_t *offset, struct err *err)
{
    uint32_t space = record_space(stored);
    enum err_code code = ERR_NONE;

    pthread_mutex_lock(&set->lock);
    while (code == ERR_NONE && !has_room(set->active, space))
        code = advance(set, err);
    if (code == ERR_NONE) {
        *segment = set->active;
        (*segment)->pins++;
        *offset = (uint32_t)(*segment)->record.used;
        (*segment)->record.used += space;
        (*segment)->row_dirty = true;
        if ((*segment)->record.size - (*segment)->record.used < (*segment)->record.size / 2)
            ask_maker(set);
    }
    pthread_mutex_unlock(&set->lock);
    return code;
}

enum err_code segments_pin(struct segments *set, uint32_t number, struct segment **out,
                           struct err *err)
{
    enum err_code code;
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    if (segment == NULL || segment->record.state == SEGMENT_FREE)
        code = err_set(err, ERR_CORRUPT, "segment %" PRIu32 " is missing", number);
    else
        code = segments_pin_locked(set, segment, err);
    *out = code == ERR_NONE ? segment : NULL;
    pthread_mutex_unlock(&set->lock);
    return code;
}

void segments_pin_again(struct segments *set, struct segment *segment)
{
    pthread_mutex_lock(&set->lock);
    assert(segment->pins > 0);
    segment->pins++;
    pthread_mutex_unlock(&set->lock);
}

void segments_unpin(struct segments *set, struct segment *segment)
{
    pthread_mutex_lock(&set->lock);
    unpin(set, segment);
    pthread_mutex_unlock(&set->lock);
}

bool segment_has_failed(struct segments *set, struct segment *segment)
{
    bool failed;

    pthread_mutex_lock(&set->lock);
    failed = segment->failed;
    pthread_mutex_unlock(&set->lock);
    return failed;
}

void segments_measure(struct segments *set, struct segments_size *size)
{
    *size = (struct segments_size){0};
    pthread_mutex_lock(&set->lock);
    size->files = set->count;
    for (size_t i = 0; i < set->count; i++) {
        const struct segment_record *record = &set->all[i]->record;

        size->disk += record->size;
        size->live += record->live;
        if (record->state == SEGMENT_FREE)
            size->free += record->size;
        size->erasing += record->died == SEGMENT_ERASE;
    }
    size->next_size = segments_next_size(set);
    pthread_mutex_unlock(&set->lock);
}

uint32_t segments_next_number(struct segments *set)
{
    uint32_t next;

    pthread_mutex_lock(&set->lock);
    next = set->next;
    pthread_mutex_unlock(&set->lock);
    return next;
}
