#include "cas-proxy/links.h"

#include <stddef.h>
#include <stdlib.h>

#include "cas-proxy/capabilities.h"
#include "cas-proxy/route.h"
#include "common/mem.h"
#include "proto/link.h"

/* Word for another loop that a back end is there again. */
struct word {
    struct loop_task task;
    struct front_loop *home;
    size_t place;
};

static void hear(struct loop_task *task)
{
    struct word *word = (struct word *)((char *)task - offsetof(struct word, task));

    if (word->place < word->home->back_count)
        link_hurry(word->home->backs[word->place].link);
    free(word);
}

/* The other loops need not wait until they try again by themselves: a client that comes to one of them
   now finds its back end. */
static void tell_others(const struct back *back)
{
    struct front *front = back->home->front;

    for (unsigned i = 0; i < front->loop_count; i++) {
        struct word *word;

        if (&front->loops[i] == back->home)
            continue;
        word = mem_alloc(sizeof(*word));
        *word = (struct word){{.run = hear}, &front->loops[i], (size_t)(back - back->home->backs)};
        loop_post(word->home->loop, &word->task);
    }
}

static void on_up(void *context, struct link *link)
{
    struct back *back = context;

    (void)link;
    capabilities_changed(back->home);
    tell_others(back);
}

static void on_down(void *context, struct link *link, const struct err *why)
{
    struct back *back = context;

    (void)link;
    (void)why; /* the link has logged it */
    capabilities_changed(back->home);
    route_link_down(back->home->route, back);
}

static void on_location(void *context, struct link *link, const Link__Location *location)
{
    struct back *back = context;

    (void)link;
    route_location(back->home->route, back, location);
}

static void on_resolved(void *context, struct link *link, const Link__Resolved *resolved)
{
    struct back *back = context;

    (void)link;
    route_resolved(back->home->route, back, resolved);
}

static const struct link_events events = {
    .up = on_up,
    .down = on_down,
    .location = on_location,
    .resolved = on_resolved,
};

static enum err_code open_one(struct back *back, const struct front_backend *named, struct err *err)
{
    const struct front *front = back->home->front;
    struct net_address address;
    enum err_code code = net_parse(&address, named->address, err);

    if (code != ERR_NONE)
        return err_prefix(err, "back end %s", named->name);
    back->name = named->name;
    back->link = link_client(back->home->loop, &address,
                             address.at.any.sa_family == AF_UNIX ? NULL : front->link_tls,
                             named->name, front->self, &events, back);
    return ERR_NONE;
}

enum err_code links_open(struct front_loop *home, struct err *err)
{
    const struct setting_group *group = &home->front->settings->backends;
    const struct front_backend *named = group->items;

    home->backs = mem_array(group->count + 1, sizeof(*home->backs));
    home->route = route_create(home);
    home->capabilities = capabilities_create(home);
    for (size_t i = 0; i < group->count; i++) {
        struct back *back = &home->backs[home->back_count];

        back->home = home;
        if (open_one(back, &named[i], err) != ERR_NONE)
            return err->code;
        home->back_count++;
    }
    return ERR_NONE;
}

void links_renew_tls(struct front_loop *home, void *context)
{
    for (size_t i = 0; i < home->back_count; i++)
        link_renew_tls(home->backs[i].link, context);
}

void links_close(struct front_loop *home)
{
    for (size_t i = 0; i < home->back_count; i++)
        link_destroy(&home->backs[i].link);
    home->back_count = 0;
    route_destroy(&home->route);
}

void links_free(struct front_loop *home)
{
    if (home->capabilities != NULL)
        capabilities_destroy(&home->capabilities);
    free(home->backs);
    home->backs = NULL;
}
