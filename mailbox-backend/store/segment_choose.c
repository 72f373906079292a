/* Which segments compaction should rewrite. */
#include "mailbox-backend/store/segment_internal.h"

#include <inttypes.h>

#include "common/log.h"

uint64_t segments_sealed(const struct segments *set)
{
    return atomic_load(&set->sealed);
}

/* What a sealed segment takes is its file, however much of it was used. */
static bool is_below(const struct segment *segment, unsigned percent)
{
    return segment->record.live * 100 < segment->record.size * percent;
}

static bool is_old(const struct segment *segment, int64_t old)
{
    return segment->record.died != 0 && segment->record.died < old;
}

static bool can_move(const struct segment *segment)
{
    return segment->record.state == SEGMENT_SEALED && segment->record.live > 0 && !segment->stuck;
}

/* Below the 1.7 that the store promises for all files: some are free, active, or wait for readers to
   end. */
#define FULL_TENTHS 15u

bool segments_overfull(struct segments *set)
{
    uint64_t size = 0, live = 0;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->count; i++) {
        if (!can_move(set->all[i]))
            continue;
        size += set->all[i]->record.size;
        live += set->all[i]->record.live;
    }
    pthread_mutex_unlock(&set->lock);
    return size * 10 > live * FULL_TENTHS;
}

static bool has_number(const uint32_t *numbers, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* The one that is too old, or else has the least live share, of those not chosen yet. */
static const struct segment *best(const struct segments *set, const struct segments_rule *rule,
                                  const uint32_t *numbers, size_t count)
{
    const struct segment *found = NULL;

    for (size_t i = 0; i < set->count; i++) {
        const struct segment *segment = set->all[i];
        bool old = is_old(segment, rule->old);

        if (!can_move(segment) || (!old && !is_below(segment, rule->percent)) ||
            has_number(numbers, count, segment->record.number))
            continue;
        if (old)
            return segment;
        if (found == NULL ||
            segment->record.live * found->record.size < found->record.live * segment->record.size)
            found = segment;
    }
    return found;
}

/* Inserts in order. */
static void insert(uint32_t *numbers, size_t count, uint32_t number)
{
    for (; count > 0 && numbers[count - 1] > number; count--)
        numbers[count] = numbers[count - 1];
    numbers[count] = number;
}

size_t segments_choose(struct segments *set, const struct segments_rule *rule, uint32_t *numbers,
                       size_t room)
{
    const struct segment *segment;
    uint64_t live = 0;
    size_t count = 0;

    pthread_mutex_lock(&set->lock);
    if (set->active != NULL && is_old(set->active, rule->old))
        segments_seal(set, set->active);
    while (count < room && (segment = best(set, rule, numbers, count)) != NULL) {
        live += segment->record.live;
        if (count > 0 && live > set->largest)
            break;
        insert(numbers, count++, segment->record.number);
    }
    pthread_mutex_unlock(&set->lock);
    return count;
}

size_t segments_give_up(struct segments *set, const uint32_t *numbers, size_t count)
{
    size_t kept = 0;

    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < count; i++) {
        struct segment *segment = segments_find(set, numbers[i]);

        if (segment == NULL || segment->record.live == 0 || segment->pins > 0)
            continue;
        segment->stuck = true;
        kept++;
        log_error(NULL, "%s: segment %" PRIu32 " has damaged records and is not compacted",
                  set->folder, numbers[i]);
    }
    pthread_mutex_unlock(&set->lock);
    return kept;
}
