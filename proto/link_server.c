/* The back end's end of a link: a socket that was accepted. */
#include "common/log.h"
#include "proto/link_private.h"

static void ignore_events(struct conn *conn, enum conn_event event, void *context)
{
    (void)conn;
    (void)event;
    (void)context;
}

struct link *link_server(struct loop *loop, int fd, struct tls_context *tls,
                         const struct link_self *self, const struct link_events *events,
                         void *context)
{
    struct link *link = link_create(loop, tls, self, events, context);
    struct conn *conn = conn_open(loop, fd, ignore_events, NULL);

    link->address = *conn_peer(conn);
    link_attach_conn(link, conn);
    link_begin(link);
    return link;
}

static void answer(struct link *link, Link__Frame *frame)
{
    if (link->state == LINK_UP)
        link_send(link, frame);
}

void link_answer_location(struct link *link, const Link__Location *location)
{
    Link__Frame frame = LINK__FRAME__INIT;

    frame.body_case = LINK__FRAME__BODY_LOCATION;
    frame.location = (Link__Location *)location;
    answer(link, &frame);
}

void link_answer_resolved(struct link *link, const Link__Resolved *resolved)
{
    Link__Frame frame = LINK__FRAME__INIT;

    frame.body_case = LINK__FRAME__BODY_RESOLVED;
    frame.resolved = (Link__Resolved *)resolved;
    answer(link, &frame);
}

void link_say_drain(struct link *link, const char *reason)
{
    Link__Drain drain = LINK__DRAIN__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    drain.reason = (char *)reason;
    frame.body_case = LINK__FRAME__BODY_DRAIN;
    frame.drain = &drain;
    link->draining = true;
    answer(link, &frame);
}

void link_say_services(struct link *link)
{
    if (link->state == LINK_UP)
        link_say_hello(link);
}
