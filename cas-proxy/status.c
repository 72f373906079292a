#include "cas-proxy/status.h"

#include <stdlib.h>
#include <string.h>

#include "cas-proxy/client.h"
#include "cas-proxy/limits.h"
#include "cas-proxy/listeners.h"
#include "common/mem.h"
#include "proto/link.h"

/* What the loops say of one back end. */
struct back_facts {
    unsigned up, draining;
    size_t sessions;
};

static void count_backs(struct front_loop *home, void *context)
{
    struct back_facts *facts = context;

    for (size_t i = 0; i < home->back_count; i++) {
        facts[i].up += link_is_up(home->backs[i].link);
        facts[i].draining += link_is_draining(home->backs[i].link);
        facts[i].sessions += link_session_count(home->backs[i].link);
    }
}

static struct back_facts *facts_of(struct front *front)
{
    struct back_facts *facts =
        mem_array(front->settings->backends.count + 1, sizeof(struct back_facts));

    front_on_loops(front, count_backs, facts);
    return facts;
}

static enum err_code run_status(struct admin_call *call, struct err *err)
{
    struct front *front = admin_host(call)->context;
    size_t count = front->settings->backends.count;
    struct back_facts *facts = facts_of(front);
    size_t up = 0;

    for (size_t i = 0; i < count; i++)
        up += facts[i].up == front->loop_count;
    free(facts);
    admin_put_text(call, "name", front->settings->front.name);
    admin_put_text(call, "version", VERSION);
    admin_put_number(call, "loops", front->loop_count);
    admin_put_number(call, "back-ends", count);
    admin_put_number(call, "back-ends-up", up);
    for (unsigned i = 0; i < listeners_name_count; i++) {
        const char *name = listeners_names[i].name;

        admin_put_text(call, name,
                       service_is_running(front->services, name) ? "running" : "stopped");
        admin_put_number(call, arena_printf(admin_arena(call), "%s-connections", name),
                         limits_count(front->limits, i));
    }
    return admin_row(call, err);
}

static enum err_code run_backend_list(struct admin_call *call, struct err *err)
{
    struct front *front = admin_host(call)->context;
    const struct front_backend *backends = front->settings->backends.items;
    struct back_facts *facts = facts_of(front);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; code == ERR_NONE && i < front->settings->backends.count; i++) {
        admin_put_text(call, "name", backends[i].name);
        admin_put_text(call, "address", backends[i].address);
        admin_put_number(call, "links", front->loop_count);
        admin_put_number(call, "links-up", facts[i].up);
        admin_put_bool(call, "draining", facts[i].draining > 0);
        admin_put_number(call, "sessions", facts[i].sessions);
        code = admin_row(call, err);
    }
    free(facts);
    return code;
}

/* One connection as it was when its loop was asked. */
struct seen {
    uint64_t trace;
    const char *service;
    char *user;
    char peer[NET_TEXT_MAX];
    bool secured;
    int64_t since;
    uint64_t in, out;
};

struct seen_list {
    struct seen *items;
    size_t count, room;
};

static void see(struct seen_list *list, const struct client *client)
{
    struct seen *seen;

    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : list->room * 2;
        list->items = mem_grow(list->items, list->room, sizeof(*list->items));
    }
    seen = &list->items[list->count++];
    *seen = (struct seen){.trace = client->trace,
                          .service = client->protocol->service,
                          .user = mem_string(client->user),
                          .secured = client_is_secured(client),
                          .since = client->since,
                          .in = client->bytes_in,
                          .out = client->bytes_out};
    net_text(&client->peer, seen->peer);
}

static void see_loop(struct front_loop *home, void *context)
{
    for (const struct client *client = home->clients; client != NULL; client = client->next)
        see(context, client);
}

static enum err_code run_connection_list(struct admin_call *call, struct err *err)
{
    struct seen_list list = {0};
    enum err_code code = ERR_NONE;

    front_on_loops(admin_host(call)->context, see_loop, &list);
    for (size_t i = 0; code == ERR_NONE && i < list.count; i++) {
        const struct seen *seen = &list.items[i];

        admin_put_number(call, "number", seen->trace);
        admin_put_text(call, "service", seen->service);
        admin_put_text(call, "user", seen->user == NULL ? "" : seen->user);
        admin_put_text(call, "address", seen->peer);
        admin_put_bool(call, "tls", seen->secured);
        admin_put_time(call, "since", seen->since);
        admin_put_bytes(call, "in", seen->in);
        admin_put_bytes(call, "out", seen->out);
        code = admin_row(call, err);
    }
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i].user);
    free(list.items);
    return code;
}

const struct admin_command status_commands[] = {
    {.noun = "status",
     .verb = "",
     .arguments = "",
     .where = ADMIN_DAEMON,
     .help = "what runs, how many clients there are, whether the back ends are reached",
     .run = run_status},
    {.noun = "backend",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_DAEMON,
     .traits = ADMIN_ROWS,
     .help = "the back ends of the settings and the links to them",
     .run = run_backend_list},
    {.noun = "connection",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_DAEMON,
     .traits = ADMIN_ROWS,
     .help = "the clients that are connected",
     .run = run_connection_list},
    {.noun = NULL                                                                                 },
};
