#include "mailbox-backend/imap4/merge_sort.h"

void merge_sort_begin(struct merge_sort *sort, uint32_t *order, uint32_t *spare, size_t count)
{
    *sort = (struct merge_sort){.order = order, .spare = spare, .count = count, .width = 1};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Merges the two runs at sort->at into the same place of spare. */
static void merge(struct merge_sort *sort, merge_compare *compare, const void *context)
{
    size_t left = sort->at;
    size_t middle = least(left + sort->width, sort->count);
    size_t end = least(middle + sort->width, sort->count);
    size_t right = middle;

    for (size_t to = left; to < end; to++) {
        bool from_left = right == end || (left < middle && compare(context, sort->order[left],
                                                                   sort->order[right]) <= 0);

        sort->spare[to] = from_left ? sort->order[left++] : sort->order[right++];
    }
    sort->at = end;
}

bool merge_sort_run(struct merge_sort *sort, merge_compare *compare, const void *context,
                    size_t budget)
{
    size_t done = 0;

    while (sort->width < sort->count) {
        size_t from = sort->at;
        uint32_t *merged;

        if (done >= budget)
            return false;
        merge(sort, compare, context);
        done += sort->at - from;
        if (sort->at < sort->count)
            continue;
        merged = sort->spare;
        sort->spare = sort->order;
        sort->order = merged;
        sort->at = 0;
        sort->width *= 2;
    }
    return true;
}
