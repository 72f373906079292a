#include "mailbox-backend/store/uidset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void uidset_release(struct uidset *set)
{
    free(set->ranges);
    *set = (struct uidset){0};
}

static void make_room(struct uidset *set, size_t count)
{
    size_t room = set->room == 0 ? 4 : set->room;

    if (count <= set->room)
        return;
    while (room < count)
        room *= 2;
    set->ranges = mem_grow(set->ranges, room, sizeof(*set->ranges));
    set->room = room;
}

void uidset_copy(struct uidset *to, const struct uidset *from)
{
    if (to == from)
        return;
    to->count = 0;
    make_room(to, from->count);
    if (from->count != 0)
        memcpy(to->ranges, from->ranges, from->count * sizeof(*from->ranges));
    to->count = from->count;
}

/* Index of the first range that ends at or behind uid; count when there is none. */
static size_t range_at(const struct uidset *set, uint32_t uid)
{
    size_t low = 0;
    size_t high = set->count;

    if (high > 0 && set->ranges[high - 1].last < uid)
        return high; /* the usual case when a set is built in order */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->ranges[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Replaces the count ranges from index at by the given ones. */
static void splice(struct uidset *set, size_t at, size_t count, const struct uid_range *by,
                   size_t by_count)
{
    size_t behind = set->count - at - count;

    make_room(set, set->count - count + by_count);
    if (behind != 0)
        memmove(set->ranges + at + by_count, set->ranges + at + count,
                behind * sizeof(*set->ranges));
    for (size_t i = 0; i < by_count; i++)
        set->ranges[at + i] = by[i];
    set->count = set->count - count + by_count;
}

void uidset_add(struct uidset *set, uint32_t uid)
{
    uidset_add_range(set, uid, uid);
}

void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last)
{
    struct uid_range merged = {first, last};
    size_t at;
    size_t end;

    assert(first != 0 && first <= last);
    at = range_at(set, first - 1); /* a range that ends just before touches */
    for (end = at; end < set->count; end++) {
        const struct uid_range *range = &set->ranges[end];

        if (last != UINT32_MAX && range->first > last + 1)
            break;
        if (range->first < merged.first)
            merged.first = range->first;
        if (range->last > merged.last)
            merged.last = range->last;
    }
    splice(set, at, end - at, &merged, 1);
}

void uidset_remove(struct uidset *set, uint32_t uid)
{
    uidset_remove_range(set, uid, uid);
}

void uidset_remove_range(struct uidset *set, uint32_t first, uint32_t last)
{
    struct uid_range rest[2];
    size_t rests = 0;
    size_t at;
    size_t end;

    assert(first != 0 && first <= last);
    at = range_at(set, first);
    for (end = at; end < set->count && set->ranges[end].first <= last; end++) {
        const struct uid_range *range = &set->ranges[end];

        if (range->first < first)
            rest[rests++] = (struct uid_range){range->first, first - 1};
        if (range->last > last)
            rest[rests++] = (struct uid_range){last + 1, range->last};
    }
    splice(set, at, end - at, rest, rests);
}

bool uidset_has(const struct uidset *set, uint32_t uid)
{
    return uid != 0 && uidset_next(set, uid) == uid;
}

bool uidset_is_empty(const struct uidset *set)
{
    return set->count == 0;
}

uint64_t uidset_size(const struct uidset *set)
{
    uint64_t size = 0;

    for (size_t i = 0; i < set->count; i++)
        size += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
    return size;
}

uint32_t uidset_first(const struct uidset *set)
{
    return set->count == 0 ? 0 : set->ranges[0].first;
}

uint32_t uidset_last(const struct uidset *set)
{
    return set->count == 0 ? 0 : set->ranges[set->count - 1].last;
}

uint32_t uidset_next(const struct uidset *set, uint32_t uid)
{
    return uidset_next_range(set, uid).first;
}

struct uid_range uidset_next_range(const struct uidset *set, uint32_t uid)
{
    size_t at = range_at(set, uid);
    struct uid_range range = {0, 0};

    if (at < set->count) {
        range = set->ranges[at];
        if (range.first < uid)
            range.first = uid;
    }
    return range;
}
