/* The front's end of a link: connects, and connects again for as long as it lives. */
#include <stdlib.h>

#include "common/log.h"
#include "common/random.h"
#include "proto/link_private.h"

#define RETRY_FIRST_MS 100u
#define RETRY_MOST_MS 5000u

static void ignore_events(struct conn *conn, enum conn_event event, void *context)
{
    (void)conn;
    (void)event;
    (void)context;
}

static void try_now(struct link *link)
{
    struct conn *conn = conn_connect(link->loop, &link->address, ignore_events, NULL);

    link_attach_conn(link, conn);
    link->state = LINK_CONNECTING;
}

static void on_retry(uv_timer_t *timer)
{
    try_now(timer->data);
}

/* Between a half and the whole of the back-off, so that the fronts of a back end that came back do
   not all come in the same moment. */
static unsigned with_jitter(unsigned milliseconds)
{
    uint32_t random;

    random_bytes(&random, sizeof(random));
    return milliseconds / 2 + random % (milliseconds / 2 + 1);
}

void link_client_retry(struct link *link)
{
    if (link->retry_ms == 0)
        link->retry_ms = RETRY_FIRST_MS;
    uv_timer_start(&link->retry, on_retry, with_jitter(link->retry_ms), 0);
    link->retry_ms = link->retry_ms * 2 < RETRY_MOST_MS ? link->retry_ms * 2 : RETRY_MOST_MS;
}

void link_hurry(struct link *link)
{
    if (!uv_is_active((uv_handle_t *)&link->retry))
        return;
    uv_timer_stop(&link->retry);
    try_now(link);
}

struct link *link_client(struct loop *loop, const struct net_address *address,
                         struct tls_context *tls, const char *expected_name,
                         const struct link_self *self, const struct link_events *events,
                         void *context)
{
    struct link *link = link_create(loop, tls, self, events, context);

    link->is_client = true;
    link->address = *address;
    link->expected_name = expected_name;
    uv_timer_init(loop_uv(loop), &link->retry);
    link->retry.data = link;
    try_now(link);
    return link;
}

void link_renew_tls(struct link *link, struct tls_context *tls)
{
    if (link->tls == NULL)
        return;
    tls_context_unref(&link->tls);
    link->tls = tls_context_ref(tls);
}

static bool ask(struct link *link, Link__Frame *frame)
{
    if (link->state != LINK_UP)
        return false;
    link_send(link, frame);
    return true;
}

bool link_ask_location(struct link *link, uint64_t request, const char *name, const char *service)
{
    Link__Locate locate = LINK__LOCATE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    locate.request = request;
    locate.name = (char *)name;
    locate.service = (char *)service;
    frame.body_case = LINK__FRAME__BODY_LOCATE;
    frame.locate = &locate;
    return ask(link, &frame);
}

bool link_ask_resolve(struct link *link, uint64_t request, const char *address)
{
    Link__Resolve resolve = LINK__RESOLVE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    resolve.request = request;
    resolve.address = (char *)address;
    frame.body_case = LINK__FRAME__BODY_RESOLVE;
    frame.resolve = &resolve;
    return ask(link, &frame);
}
