/* Sorting in steps: an order of numbers, merged from runs of growing length, in as many calls as it takes. */
#ifndef IMAP4_MERGE_SORT_H
#define IMAP4_MERGE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_sort {
    uint32_t *order; /* count numbers, in order at the end */
    uint32_t *spare; /* room for as many */
    size_t count;
    size_t width; /* of the runs that are in order */
    size_t at;    /* runs before here are merged to the next width */
};

/* Negative, 0 or positive as a comes before b. */
typedef int merge_compare(const void *context, uint32_t a, uint32_t b);

/* order and spare are the caller's; which of them is which may change. Equal ones keep their order. */
void merge_sort_begin(struct merge_sort *sort, uint32_t *order, uint32_t *spare, size_t count);

/* Goes on for about budget comparisons (at least one merge of two runs); true when all is in order. */
bool merge_sort_run(struct merge_sort *sort, merge_compare *compare, const void *context,
                    size_t budget);

#endif
