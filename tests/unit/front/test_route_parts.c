#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/route_cache.h"
#include "cas-proxy/route_vote.h"

static void highest_epoch_wins_in_any_order(void **unused)
{
    struct route_vote vote = {.home = ROUTE_NOBODY};

    (void)unused;
    route_vote_claim(&vote, 1, 5);
    route_vote_claim(&vote, 2, 7);
    route_vote_claim(&vote, 0, 6);
    assert_int_equal(vote.home, 2);
    assert_false(vote.disputed);
}

static void two_homes_at_one_epoch_dispute(void **unused)
{
    struct route_vote vote = {.home = ROUTE_NOBODY};

    (void)unused;
    route_vote_claim(&vote, 1, 5);
    route_vote_claim(&vote, 2, 5);
    assert_true(vote.disputed);
    route_vote_claim(&vote, 2, 5);
    assert_true(vote.disputed);
}

static void higher_claim_ends_a_dispute(void **unused)
{
    struct route_vote vote = {.home = ROUTE_NOBODY};

    (void)unused;
    route_vote_claim(&vote, 1, 5);
    route_vote_claim(&vote, 2, 5);
    route_vote_claim(&vote, 3, 6);
    assert_false(vote.disputed);
    assert_int_equal(vote.home, 3);
}

static void forward_and_claim_that_agree_are_no_dispute(void **unused)
{
    struct route_vote vote = {.home = ROUTE_NOBODY};

    (void)unused;
    route_vote_claim(&vote, 2, 5);
    route_vote_claim(&vote, 2, 5);
    assert_false(vote.disputed);
}

static void claim_is_remembered_for_a_while(void **unused)
{
    struct route_cache *cache = route_cache_create();

    (void)unused;
    assert_int_equal(route_cache_get(cache, "n:alice", 1000), -1);
    route_cache_put(cache, "n:alice", 3, 1000);
    assert_int_equal(route_cache_get(cache, "n:alice", 1000), 3);
    assert_int_equal(route_cache_get(cache, "a:alice", 1000), -1);
    assert_int_equal(route_cache_get(cache, "n:alice", 1000 + ROUTE_CACHE_MS - 1), 3);
    assert_int_equal(route_cache_get(cache, "n:alice", 1000 + ROUTE_CACHE_MS), -1);
    route_cache_destroy(&cache);
}

static void claim_can_be_dropped_and_replaced(void **unused)
{
    struct route_cache *cache = route_cache_create();

    (void)unused;
    route_cache_put(cache, "n:alice", 3, 0);
    route_cache_put(cache, "n:alice", 1, 0);
    assert_int_equal(route_cache_get(cache, "n:alice", 0), 1);
    route_cache_drop(cache, "n:bob");
    route_cache_drop(cache, "n:alice");
    assert_int_equal(route_cache_get(cache, "n:alice", 0), -1);
    route_cache_destroy(&cache);
}

/* However many names there are, the places are the same. */
static void cache_is_bounded(void **unused)
{
    struct route_cache *cache = route_cache_create();
    char key[32];
    size_t known = 0;

    (void)unused;
    for (unsigned i = 0; i < 3 * ROUTE_CACHE_PLACES; i++) {
        snprintf(key, sizeof(key), "n:user%u", i);
        route_cache_put(cache, key, 0, 0);
    }
    for (unsigned i = 0; i < 3 * ROUTE_CACHE_PLACES; i++) {
        snprintf(key, sizeof(key), "n:user%u", i);
        known += route_cache_get(cache, key, 0) == 0;
    }
    assert_true(known > 0 && known <= ROUTE_CACHE_PLACES);
    route_cache_destroy(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(highest_epoch_wins_in_any_order),
        cmocka_unit_test(two_homes_at_one_epoch_dispute),
        cmocka_unit_test(higher_claim_ends_a_dispute),
        cmocka_unit_test(forward_and_claim_that_agree_are_no_dispute),
        cmocka_unit_test(claim_is_remembered_for_a_while),
        cmocka_unit_test(claim_can_be_dropped_and_replaced),
        cmocka_unit_test(cache_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
