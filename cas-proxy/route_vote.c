#include "cas-proxy/route_vote.h"

void route_vote_claim(struct route_vote *vote, size_t home, uint64_t epoch)
{
    if (vote->home != ROUTE_NOBODY && epoch < vote->epoch)
        return;
    vote->disputed = vote->home != ROUTE_NOBODY && epoch == vote->epoch &&
                     (home != vote->home || vote->disputed);
    vote->home = home;
    vote->epoch = epoch;
}

void route_vote_unknown(struct route_vote *vote)
{
    vote->uncertain = true;
}
