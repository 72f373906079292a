/* What the fronts say on their links, and what the back end answers. */
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/link_service_private.h"
#include "mailbox-backend/session_start.h"

static bool runs(struct link_service *service, size_t n)
{
    return (atomic_load(&service->running) >> n & 1) != 0;
}

static bool has(const struct setting_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0)
            return true;
    }
    return false;
}

/* ---- Hello ---- */

static void say_mechanisms(Link__Service *to, const struct directory *directory,
                           struct arena *arena)
{
    const char **names = arena_array(arena, DIRECTORY_MECHANISMS_MOST, sizeof(*names));

    to->n_mechanisms = directory_mechanisms(directory, names);
    to->mechanisms = (char **)names; /* only read, while the Hello is packed */
    if (directory_external(directory) != EXTERNAL_NO)
        to->external = (char *)(uintptr_t)directory_external_names[directory_external(directory)];
}

static void say_one(Link__Service *to, const struct engine_entry *entry,
                    const struct backend *backend, struct arena *arena)
{
    const char *const *capabilities = entry->engine->capabilities(backend, arena);

    link__service__init(to);
    to->name = (char *)entry->engine->service;
    to->capabilities = (char **)capabilities; /* only read, while the Hello is packed */
    while (capabilities[to->n_capabilities] != NULL)
        to->n_capabilities++;
    if (!entry->for_fronts)
        say_mechanisms(to, backend->directory, arena);
}

void link_service_say(void *context, struct arena *arena, Link__Hello *hello)
{
    struct link_service *service = context;

    hello->services = arena_array(arena, engine_count, sizeof(*hello->services));
    for (size_t i = 0; i < engine_count; i++) {
        Link__Service *one;

        if (!runs(service, i))
            continue;
        one = arena_alloc(arena, sizeof(*one));
        say_one(one, &engines[i], service->backend, arena);
        hello->services[hello->n_services++] = one;
    }
}

/* The certificate was good; the settings may allow only some of the fronts that have one. */
static void on_up(void *context, struct link *link)
{
    struct front_link *front = context;
    const struct setting_list *fronts = &front->home->service->backend->settings->link.fronts;

    if (link_is_local(link) || fronts->count == 0 || has(fronts, link_peer_name(link)))
        return;
    log_warning(NULL, "front %s is not in [link] fronts: refused", link_peer_name(link));
    link_destroy(&front->link);
    front_link_forget(front);
}

static void on_down(void *context, struct link *link, const struct err *why)
{
    (void)link;
    (void)why;
    front_link_forget(context);
}

/* ---- sessions ---- */

/* Who may be the sender of mail: whoever reaches an lmtpbe session puts mail into any mailbox. */
static bool may_deliver(const struct front_link *front, const struct link *link)
{
    const struct setting_list *fronts = &front->home->service->backend->settings->lmtpbe.fronts;

    return link_is_local(link) || has(fronts, "*") || has(fronts, link_peer_name(link));
}

/* The client reads why; what to do about it is for the administrator only. */
static void refuse(struct link *link, struct link_session *session, Link__Refused__Code code,
                   const char *service, const char *why, const char *hint)
{
    char text[160];

    snprintf(text, sizeof(text), "%.32s %s", service, why);
    log_notice(link_peer_name(link), "session refused: %s%s", text, hint);
    link_session_refuse(session, code, text, 0);
}

static void on_open(void *context, struct link *link, struct link_session *session,
                    const Link__Open *open)
{
    struct front_link *front = context;
    struct link_service *service = front->home->service;
    const struct engine_entry *entry = engine_find(open->service);

    if (entry == NULL)
        refuse(link, session, LINK__REFUSED__CODE__UNSUPPORTED, open->service,
               "is no service of this back end", "");
    else if (atomic_load(&service->draining))
        refuse(link, session, LINK__REFUSED__CODE__UNAVAILABLE, open->service, "is stopping", "");
    else if (!runs(service, (size_t)(entry - engines)))
        refuse(link, session, LINK__REFUSED__CODE__UNAVAILABLE, open->service,
               "is off on this back end",
               "; `mailbox-backend service enable` and `service start` turn it on");
    else if (entry->for_fronts && !may_deliver(front, link))
        refuse(link, session, LINK__REFUSED__CODE__UNAVAILABLE, open->service,
               "is not open to this front", "; [lmtpbe] fronts lists those that may bring mail");
    else
        session_start(service->backend, front->home->loop, session, entry, open);
}

/* ---- questions ---- */

static Link__Location__Answer answer_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return LINK__LOCATION__ANSWER__CLAIM;
    case ERR_NOT_FOUND:
    case ERR_INVALID:
        return LINK__LOCATION__ANSWER__NONE;
    default:
        return LINK__LOCATION__ANSWER__UNKNOWN;
    }
}

static void on_locate(void *context, struct link *link, const Link__Locate *locate)
{
    struct front_link *front = context;
    struct backend *backend = front->home->service->backend;
    Link__Location location = LINK__LOCATION__INIT;
    struct arena arena = {0};
    struct account account;
    struct err err;

    location.request = locate->request;
    location.answer =
        answer_of(directory_find(backend->directory, str_of(locate->name), &arena, &account, &err));
    if (location.answer == LINK__LOCATION__ANSWER__CLAIM) {
        location.epoch = account.epoch;
        location.account.data = account.guid.bytes;
        location.account.len = sizeof(account.guid.bytes);
        location.backend = (char *)backend->settings->backend.name;
    }
    link_answer_location(link, &location);
    arena_reset(&arena);
}

static void on_resolve(void *context, struct link *link, const Link__Resolve *resolve)
{
    struct front_link *front = context;
    struct backend *backend = front->home->service->backend;
    Link__Resolved resolved = LINK__RESOLVED__INIT;
    struct arena arena = {0};
    struct account account;
    const char *detail;
    struct err err;

    resolved.request = resolve->request;
    resolved.answer = answer_of(directory_resolve(backend->directory, str_of(resolve->address),
                                                  &arena, &account, &detail, &err));
    if (resolved.answer == LINK__LOCATION__ANSWER__CLAIM) {
        resolved.epoch = account.epoch;
        resolved.account.data = account.guid.bytes;
        resolved.account.len = sizeof(account.guid.bytes);
        resolved.backend = (char *)backend->settings->backend.name;
    }
    link_answer_resolved(link, &resolved);
    arena_reset(&arena);
}

const struct link_events link_service_events = {
    .up = on_up,
    .down = on_down,
    .open = on_open,
    .locate = on_locate,
    .resolve = on_resolve,
};
