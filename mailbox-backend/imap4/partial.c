#include "mailbox-backend/imap4/partial.h"

bool partial_take(struct parse *parse, struct partial_range *range)
{
    const char *start = parse->at + 1;
    uint32_t a;
    uint32_t b;

    if (!parse_space(parse))
        return false;
    range->from_end = parse_skip(parse, '-');
    if (!parse_nz_number(parse, &a) || !parse_char(parse, ':') ||
        (range->from_end && !parse_char(parse, '-')) || !parse_nz_number(parse, &b))
        return false;
    range->text = str_n(start, (size_t)(parse->at - start));
    range->first = a < b ? a : b;
    range->last = a < b ? b : a;
    return true;
}

/* Counts them from the first on: last < first where there are none. */
static void count_places(const struct partial_range *range, uint64_t total, uint64_t *first,
                         uint64_t *last)
{
    *first = range->first;
    *last = range->last < total ? range->last : total;
    if (range->from_end) {
        *first = total + 1 - *last;
        *last = range->first <= total ? total + 1 - range->first : 0;
    }
}

void partial_cut(const struct partial_range *range, const struct uidset *all, struct uidset *part)
{
    uint64_t first;
    uint64_t last;
    uint64_t before = 0;

    count_places(range, uidset_size(all), &first, &last);
    for (size_t i = 0; i < all->count && before < last; i++) {
        const struct uid_range *uids = &all->ranges[i];
        uint64_t size = (uint64_t)uids->last - uids->first + 1;
        uint64_t from = first > before + 1 ? first - before - 1 : 0;
        uint64_t until = last - before < size ? last - before : size;

        if (from < until)
            uidset_add_range(part, uids->first + (uint32_t)from, uids->first + (uint32_t)until - 1);
        before += size;
    }
}
