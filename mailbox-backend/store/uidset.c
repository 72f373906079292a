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

/* Adds a range that begins behind the beginning of the last one. */
static void append(struct uidset *set, struct uid_range range)
{
    struct uid_range *last = set->count == 0 ? NULL : &set->ranges[set->count - 1];

    if (last == NULL || (uint64_t)range.first > (uint64_t)last->last + 1)
        splice(set, set->count, 0, &range, 1);
    else if (range.last > last->last)
        last->last = range.last;
}

void uidset_unite(struct uidset *set, const struct uidset *added)
{
    struct uidset all = {0};
    size_t i = 0;
    size_t j = 0;

    if (added->count == 0)
        return;
    make_room(&all, set->count + added->count);
    while (i < set->count || j < added->count) {
        if (j == added->count || (i < set->count && set->ranges[i].first <= added->ranges[j].first))
            append(&all, set->ranges[i++]);
        else
            append(&all, added->ranges[j++]);
    }
    uidset_release(set);
    *set = all;
}

/* Appends what the ranges of taken, from index at on, leave of a range. */
static void append_rest(struct uidset *set, struct uid_range range, const struct uidset *taken,
                        size_t at)
{
    uint64_t first = range.first;

    for (; at < taken->count && taken->ranges[at].first <= range.last; at++) {
        if (taken->ranges[at].first > first)
            append(set, (struct uid_range){(uint32_t)first, taken->ranges[at].first - 1});
        first = (uint64_t)taken->ranges[at].last + 1;
    }
    if (first <= range.last)
        append(set, (struct uid_range){(uint32_t)first, range.last});
}

void uidset_subtract(struct uidset *set, const struct uidset *taken)
{
    struct uidset rest = {0};
    size_t at = 0;

    if (set->count == 0 || taken->count == 0)
        return;
    for (size_t i = 0; i < set->count; i++) {
        while (at < taken->count && taken->ranges[at].last < set->ranges[i].first)
            at++;
        append_rest(&rest, set->ranges[i], taken, at);
    }
    uidset_release(set);
    *set = rest;
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

/* ---- two sets ---- */

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void uidset_add_common(struct uidset *to, const struct uidset *a, const struct uidset *b)
{
    size_t i = 0;
    size_t j = 0;

    while (i < a->count && j < b->count) {
        uint32_t first = greater(a->ranges[i].first, b->ranges[j].first);
        uint32_t last = lesser(a->ranges[i].last, b->ranges[j].last);

        if (first <= last)
            uidset_add_range(to, first, last);
        if (a->ranges[i].last < b->ranges[j].last)
            i++;
        else
            j++;
    }
}

void uidset_add_missing(struct uidset *to, const struct uidset *a, const struct uidset *b)
{
    struct uidset rest = {0};

    uidset_copy(&rest, a);
    uidset_subtract(&rest, b);
    uidset_unite(to, &rest);
    uidset_release(&rest);
}
