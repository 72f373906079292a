/* The sessions of a link, found by their number. */
#include <stdlib.h>

#include "common/mem.h"
#include "proto/link_private.h"

#define FIRST_BUCKETS 16u

static struct link_session **bucket_of(struct link *link, uint32_t number)
{
    return &link->buckets[number & (link->bucket_count - 1)]; /* numbers run upwards: no hash */
}

static void put(struct link *link, struct link_session *session)
{
    struct link_session **bucket = bucket_of(link, session->number);

    session->next_in_bucket = *bucket;
    *bucket = session;
}

static void grow(struct link *link)
{
    free(link->buckets);
    link->bucket_count = link->bucket_count == 0 ? FIRST_BUCKETS : link->bucket_count * 2;
    link->buckets = mem_array(link->bucket_count, sizeof(*link->buckets));
    for (struct link_session *s = link->all.next; s != &link->all; s = s->next)
        put(link, s);
}

struct link_session *link_session_add(struct link *link, uint32_t number)
{
    struct link_session *session = mem_alloc(sizeof(*session));

    if (link->session_count >= link->bucket_count)
        grow(link);
    session->link = link;
    session->number = number;
    session->credit = LINK_CREDIT_FIRST;
    session->allowed = LINK_CREDIT_FIRST;
    session->window = LINK_CREDIT_FIRST;
    put(link, session);
    session->next = &link->all;
    session->previous = link->all.previous;
    session->previous->next = session;
    link->all.previous = session;
    link->session_count++;
    link->highest = number;
    return session;
}

struct link_session *link_session_find(struct link *link, uint32_t number)
{
    struct link_session *session = link->bucket_count == 0 ? NULL : *bucket_of(link, number);

    while (session != NULL && session->number != number)
        session = session->next_in_bucket;
    return session;
}

static void take_from_bucket(struct link_session *session)
{
    struct link_session **at = bucket_of(session->link, session->number);

    while (*at != session)
        at = &(*at)->next_in_bucket;
    *at = session->next_in_bucket;
}

void link_session_remove(struct link_session *session)
{
    take_from_bucket(session);
    session->previous->next = session->next;
    session->next->previous = session->previous;
    if (session->blocked) {
        session->previous_blocked->next_blocked = session->next_blocked;
        session->next_blocked->previous_blocked = session->previous_blocked;
    }
    session->link->session_count--;
    free(session);
}
