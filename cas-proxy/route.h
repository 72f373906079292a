/* Whose back end is it? Every configured back end is asked at once; what they claim is kept for a
   short time. One route belongs to one loop and is used on its thread only. */
#ifndef FRONT_ROUTE_H
#define FRONT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cas-proxy/front.h"
#include "proto/link.pb-c.h"

struct route;
struct route_ask;

enum route_answer {
    ROUTE_FOUND, /* back is home to the account (its link may be down all the same) */
    ROUTE_NONE,  /* every back end has answered and none knows the name. For a login, back is the
                        one that shall go through the motions, so that nothing can be told apart */
    ROUTE_TEMPORARY, /* nobody claims and somebody did not answer, or two claim it: try again later */
};

struct route_result {
    enum route_answer answer;
    struct back *back; /* NULL with ROUTE_TEMPORARY, and with ROUTE_NONE of an address */
    const char *text;  /* with ROUTE_TEMPORARY: why, for the log */
};

/* One question. Embed it; ask is the route's own, the rest the caller's. */
struct route_query {
    void (*done)(struct route_query *query, const struct route_result *result);
    void *context;
    struct route_ask *ask; /* NULL when no answer is awaited */
};

struct route *route_create(struct front_loop *home);

/* Queries must have been cancelled or answered; the loop must have run what was posted. */
void route_destroy(struct route **route);

/* Asks who is home to a login name (as the client gave it) or to a mail address (without angle
   brackets). done is called once, from the loop and never from within this call, after at most
   5 seconds; then the query can be used again. */
void route_locate(struct route *route, struct route_query *query, const char *name,
                  const char *service);
void route_resolve(struct route *route, struct route_query *query, const char *address);

/* No answer is wanted any more. Nothing happens when none was awaited. */
void route_cancel(struct route_query *query);

/* Drops what is remembered about a login name or an address: a back end redirected or refused it as
   not its own. */
void route_forget_name(struct route *route, const char *name);
void route_forget_address(struct route *route, const char *address);

/* What came over a link: for the links' events only. */
void route_location(struct route *route, struct back *back, const Link__Location *location);
void route_resolved(struct route *route, struct back *back, const Link__Resolved *resolved);
void route_link_down(struct route *route, struct back *back);

#endif
