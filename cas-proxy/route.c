#include "cas-proxy/route.h"

#include <stdlib.h>
#include <string.h>

#include "cas-proxy/route_cache.h"
#include "cas-proxy/route_vote.h"
#include "common/arena.h"
#include "common/keyed_hash.h"
#include "common/log.h"
#include "common/mem.h"
#include "proto/link.h"

#define CHAINS 256   /* requests are numbered in a row, so they spread evenly */
#define WAIT_MS 5000 /* for the back ends to answer */
#define WAIT_CLAIMED_MS                                                                            \
    500 /* for the others, once one has claimed: it would forward if it had moved */
#define TICK_MS 100

/* A question on its way, from the asking until its answer was handed over. */
struct route_ask {
    struct loop_task task;
    struct route *route;
    struct route_query *query; /* NULL: cancelled */
    struct route_ask *next, **to_this;
    uint64_t number, deadline;
    char *key; /* "n:NAME" or "a:ADDRESS", as in the cache */
    struct route_vote vote;
    bool *waits; /* for which back ends, by their place */
    size_t waiting;
    bool decided;
};

struct route {
    struct front_loop *home;
    struct route_cache *cache;
    struct route_ask *chains[CHAINS];
    size_t ask_count; /* in the chains */
    uint64_t last;
    uv_timer_t *tick; /* freed by its own close callback */
};

static bool is_address(const struct route_ask *ask)
{
    return ask->key[0] == 'a';
}

static const char *name_of(const struct route_ask *ask)
{
    return ask->key + 2;
}

static struct route_result result_of(const struct route_ask *ask)
{
    struct front_loop *home = ask->route->home;
    const char *name = name_of(ask);

    if (ask->vote.disputed)
        return (struct route_result){ROUTE_TEMPORARY, NULL, "two back ends claim the account"};
    if (ask->vote.home != ROUTE_NOBODY)
        return (struct route_result){ROUTE_FOUND, &home->backs[ask->vote.home], NULL};
    if (ask->vote.uncertain)
        return (struct route_result){ROUTE_TEMPORARY, NULL, "not every back end has answered"};
    if (home->back_count == 0)
        return (struct route_result){ROUTE_TEMPORARY, NULL, "no back end is configured"};
    if (is_address(ask))
        return (struct route_result){ROUTE_NONE, NULL, NULL};
    return (struct route_result){
        ROUTE_NONE, &home->backs[keyed_hash(name, strlen(name)) % home->back_count], NULL};
}

/* On the loop, after everything that led to the decision has returned. */
static void hand_over(struct loop_task *task)
{
    struct route_ask *ask = (struct route_ask *)((char *)task - offsetof(struct route_ask, task));
    struct route_query *query = ask->query;

    if (query != NULL) { /* else the route itself may be gone */
        struct route_result result = result_of(ask);

        query->ask = NULL;
        query->done(query, &result);
    }
    free(ask->waits);
    free(ask->key);
    free(ask);
}

static void unchain(struct route_ask *ask)
{
    *ask->to_this = ask->next;
    if (ask->next != NULL)
        ask->next->to_this = ask->to_this;
    if (--ask->route->ask_count == 0)
        uv_timer_stop(ask->route->tick);
}

static void decide(struct route_ask *ask)
{
    struct route *route = ask->route;

    ask->decided = true;
    unchain(ask);
    if (ask->vote.disputed)
        log_error("route", "%s: two back ends claim it at epoch %llu", name_of(ask),
                  (unsigned long long)ask->vote.epoch);
    else if (ask->vote.home != ROUTE_NOBODY)
        route_cache_put(route->cache, ask->key, ask->vote.home, loop_now(route->home->loop));
    loop_post(route->home->loop, &ask->task);
}

static void on_tick(uv_timer_t *tick)
{
    struct route *route = tick->data;
    uint64_t now = loop_now(route->home->loop);

    for (size_t i = 0; i < CHAINS; i++) {
        for (struct route_ask *ask = route->chains[i], *next; ask != NULL; ask = next) {
            next = ask->next;
            if (now < ask->deadline)
                continue;
            route_vote_unknown(&ask->vote);
            decide(ask);
        }
    }
}

struct route *route_create(struct front_loop *home)
{
    struct route *route = mem_alloc(sizeof(*route));

    route->home = home;
    route->cache = route_cache_create();
    route->tick = mem_alloc(sizeof(*route->tick));
    uv_timer_init(loop_uv(home->loop), route->tick);
    route->tick->data = route;
    return route;
}

static void on_tick_closed(uv_handle_t *tick)
{
    free(tick);
}

void route_destroy(struct route **route)
{
    for (size_t i = 0; i < CHAINS; i++) {
        for (struct route_ask *ask = (*route)->chains[i], *next; ask != NULL; ask = next) {
            next = ask->next;
            ask->query = NULL;
            hand_over(&ask->task);
        }
    }
    uv_close((uv_handle_t *)(*route)->tick, on_tick_closed);
    route_cache_destroy(&(*route)->cache);
    free(*route);
    *route = NULL;
}

static void chain(struct route *route, struct route_ask *ask)
{
    struct route_ask **first = &route->chains[ask->number % CHAINS];

    ask->next = *first;
    ask->to_this = first;
    if (ask->next != NULL)
        ask->next->to_this = &ask->next;
    *first = ask;
    if (route->ask_count++ == 0)
        uv_timer_start(route->tick, on_tick, TICK_MS, TICK_MS);
}

static void ask_all(struct route_ask *ask, const char *service)
{
    struct front_loop *home = ask->route->home;

    ask->waits = mem_array(home->back_count + 1, sizeof(*ask->waits));
    for (size_t i = 0; i < home->back_count; i++) {
        struct link *link = home->backs[i].link;

        ask->waits[i] = is_address(ask)
                            ? link_ask_resolve(link, ask->number, name_of(ask))
                            : link_ask_location(link, ask->number, name_of(ask), service);
        ask->waiting += ask->waits[i];
        if (!ask->waits[i])
            route_vote_unknown(&ask->vote);
    }
}

static char *key_of(char kind, const char *name)
{
    size_t length = strlen(name);
    char *key = mem_alloc(length + 3);

    key[0] = kind;
    key[1] = ':';
    memcpy(key + 2, name, length);
    return key;
}

static void begin(struct route *route, struct route_query *query, char kind, const char *name,
                  const char *service)
{
    struct route_ask *ask = mem_alloc(sizeof(*ask));
    uint64_t now = loop_now(route->home->loop);
    long known;

    *ask = (struct route_ask){.task.run = hand_over,
                              .route = route,
                              .query = query,
                              .number = ++route->last,
                              .deadline = now + WAIT_MS,
                              .key = key_of(kind, name),
                              .vote.home = ROUTE_NOBODY};
    query->ask = ask;
    known = route_cache_get(route->cache, ask->key, now);
    if (known >= 0) {
        ask->vote.home = (size_t)known;
        ask->decided = true;
        loop_post(route->home->loop, &ask->task);
        return;
    }
    chain(route, ask);
    ask_all(ask, service);
    if (ask->waiting == 0)
        decide(ask);
}

void route_locate(struct route *route, struct route_query *query, const char *name,
                  const char *service)
{
    begin(route, query, 'n', name, service);
}

void route_resolve(struct route *route, struct route_query *query, const char *address)
{
    begin(route, query, 'a', address, NULL);
}

void route_cancel(struct route_query *query)
{
    struct route_ask *ask = query->ask;

    if (ask == NULL)
        return;
    query->ask = NULL;
    ask->query = NULL;
    if (ask->decided)
        return; /* its task is on the way and frees it */
    unchain(ask);
    hand_over(&ask->task);
}

static void forget(struct route *route, char kind, const char *name)
{
    char *key = key_of(kind, name);

    route_cache_drop(route->cache, key);
    free(key);
}

void route_forget_name(struct route *route, const char *name)
{
    forget(route, 'n', name);
}

void route_forget_address(struct route *route, const char *address)
{
    forget(route, 'a', address);
}

/* A forward to a back end that the settings do not have cannot be followed. */
static void take_forward(struct route_ask *ask, const struct back *from, const char *name,
                         uint64_t epoch)
{
    struct back *to = front_back(ask->route->home, name);

    if (to != NULL) {
        route_vote_claim(&ask->vote, (size_t)(to - ask->route->home->backs), epoch);
        return;
    }
    log_warning("route", "back end %s forwards %s to %s, which is not in the settings", from->name,
                name_of(ask), name);
    route_vote_unknown(&ask->vote);
}

static void answered(struct route *route, struct back *back, uint64_t number, bool address,
                     Link__Location__Answer answer, uint64_t epoch, const char *forward)
{
    size_t place = (size_t)(back - route->home->backs);
    struct route_ask *ask = route->chains[number % CHAINS];

    while (ask != NULL && ask->number != number)
        ask = ask->next;
    if (ask == NULL || is_address(ask) != address || !ask->waits[place])
        return; /* late, or never asked */
    ask->waits[place] = false;
    ask->waiting--;
    if (answer == LINK__LOCATION__ANSWER__CLAIM)
        route_vote_claim(&ask->vote, place, epoch);
    else if (answer == LINK__LOCATION__ANSWER__FORWARD)
        take_forward(ask, back, forward, epoch);
    else if (answer != LINK__LOCATION__ANSWER__NONE)
        route_vote_unknown(&ask->vote);
    if (ask->vote.home != ROUTE_NOBODY) {
        uint64_t soon = loop_now(route->home->loop) + WAIT_CLAIMED_MS;

        ask->deadline = soon < ask->deadline ? soon : ask->deadline;
    }
    if (ask->waiting == 0)
        decide(ask);
}

void route_location(struct route *route, struct back *back, const Link__Location *location)
{
    answered(route, back, location->request, false, location->answer, location->epoch,
             location->backend);
}

void route_resolved(struct route *route, struct back *back, const Link__Resolved *resolved)
{
    answered(route, back, resolved->request, true, resolved->answer, resolved->epoch,
             resolved->backend);
}

void route_link_down(struct route *route, struct back *back)
{
    size_t place = (size_t)(back - route->home->backs);

    for (size_t i = 0; i < CHAINS; i++) {
        for (struct route_ask *ask = route->chains[i], *next; ask != NULL; ask = next) {
            next = ask->next;
            if (!ask->waits[place])
                continue;
            ask->waits[place] = false;
            ask->waiting--;
            route_vote_unknown(&ask->vote);
            if (ask->waiting == 0)
                decide(ask);
        }
    }
}
