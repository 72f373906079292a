/* A set of uids as sorted ranges that neither touch nor overlap. Memory follows the number of
   ranges, so a whole folder of a million uids without gaps is one range. */
#ifndef STORE_UIDSET_H
#define STORE_UIDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uid_range {
    uint32_t first, last; /* both inside; first <= last; never 0 */
};

/* Embed it; {0} is the empty set. */
struct uidset {
    struct uid_range *ranges;
    size_t count;
    size_t room;
};

void uidset_release(struct uidset *set); /* empties and frees */
void uidset_copy(struct uidset *to, const struct uidset *from);
void uidset_add(struct uidset *set, uint32_t uid);
void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last);
void uidset_remove(struct uidset *set, uint32_t uid);
void uidset_remove_range(struct uidset *set, uint32_t first, uint32_t last);
void uidset_unite(struct uidset *set, const struct uidset *added);    /* in linear time */
void uidset_subtract(struct uidset *set, const struct uidset *taken); /* in linear time */
bool uidset_has(const struct uidset *set, uint32_t uid);
bool uidset_is_empty(const struct uidset *set);
uint64_t uidset_size(const struct uidset *set);  /* how many uids */
uint32_t uidset_first(const struct uidset *set); /* 0 when empty */
uint32_t uidset_last(const struct uidset *set);

/* The smallest uid in the set that is >= uid, or 0. */
uint32_t uidset_next(const struct uidset *set, uint32_t uid);

/* What is left of the first range that ends at uid or behind: it begins at uid or behind. {0, 0}
   when there is none. */
struct uid_range uidset_next_range(const struct uidset *set, uint32_t uid);

/* Adds to `to`, which is neither of them, what is in both a and b; or in a and not in b. */
void uidset_add_common(struct uidset *to, const struct uidset *a, const struct uidset *b);
void uidset_add_missing(struct uidset *to, const struct uidset *a, const struct uidset *b);

#endif
