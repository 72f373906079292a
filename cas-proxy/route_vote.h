/* What the back ends' answers to one question come to. Pure. */
#ifndef FRONT_ROUTE_VOTE_H
#define FRONT_ROUTE_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_NOBODY SIZE_MAX

/* {.home = ROUTE_NOBODY} is the count before any answer. Back ends are named by their place. */
struct route_vote {
    size_t home;    /* whose account it is as far as known */
    uint64_t epoch; /* of that claim */
    bool disputed;  /* another one says so at the same epoch */
    bool uncertain; /* somebody did not answer, or could not say */
};

/* One says that home is home to the account since epoch: of itself, or of another by a forward entry.
   The highest epoch is right; two homes at the highest epoch dispute. */
void route_vote_claim(struct route_vote *vote, size_t home, uint64_t epoch);

/* One did not answer, or said that it cannot tell. */
void route_vote_unknown(struct route_vote *vote);

#endif
