/* One session of a link: credit both ways, data out, and its end. */
#include <assert.h>

#include "proto/link_private.h"

static const struct link_session_events no_events;

/* ---- opening ---- */

struct link_session *link_open(struct link *link, const Link__Open *open,
                               const struct link_session_events *events, void *context)
{
    Link__Frame frame = LINK__FRAME__INIT;
    struct link_session *session;

    if (link->state != LINK_UP || link->draining || link->highest == UINT32_MAX ||
        link->session_count >= LINK_SESSIONS_MOST)
        return NULL;
    session = link_session_add(link, link->highest + 1);
    link_session_attach(session, events, context);
    frame.session = session->number;
    frame.body_case = LINK__FRAME__BODY_OPEN;
    frame.open = (Link__Open *)open;
    link_send(link, &frame);
    return session;
}

void link_session_attach(struct link_session *session, const struct link_session_events *events,
                         void *context)
{
    session->events = events != NULL ? events : &no_events;
    session->context = context;
}

void link_session_send(struct link_session *session, Link__Frame *frame)
{
    frame->session = session->number;
    link_send(session->link, frame);
    if (frame->body_case == LINK__FRAME__BODY_OPENED)
        session->opened = true;
    if (frame->body_case == LINK__FRAME__BODY_REFUSED ||
        frame->body_case == LINK__FRAME__BODY_REDIRECT)
        link_session_remove(session);
}

void link_session_opened(struct link_session *session, const char *user)
{
    Link__Opened opened = LINK__OPENED__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    opened.user = (char *)user;
    frame.body_case = LINK__FRAME__BODY_OPENED;
    frame.opened = &opened;
    link_session_send(session, &frame);
}

void link_session_refuse(struct link_session *session, Link__Refused__Code code, const char *text,
                         unsigned retry_after)
{
    Link__Refused refused = LINK__REFUSED__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    refused.code = code;
    refused.text = (char *)text;
    refused.retry_after = retry_after;
    frame.body_case = LINK__FRAME__BODY_REFUSED;
    frame.refused = &refused;
    link_session_send(session, &frame);
}

/* ---- output ---- */

static void block(struct link_session *session)
{
    struct link_session *head = &session->link->blocked;

    if (session->blocked)
        return;
    session->blocked = true;
    session->next_blocked = head;
    session->previous_blocked = head->previous_blocked;
    session->previous_blocked->next_blocked = session;
    head->previous_blocked = session;
}

static void unblock(struct link_session *session)
{
    session->blocked = false;
    session->previous_blocked->next_blocked = session->next_blocked;
    session->next_blocked->previous_blocked = session->previous_blocked;
}

size_t link_session_room(struct link_session *session)
{
    struct link *link = session->link;

    if (link->state != LINK_UP || !session->opened)
        return 0;
    if (conn_is_full(link->conn)) {
        block(session);
        return 0;
    }
    return session->credit;
}

/* Those that wait go in turn; one that fills the output again leaves the rest in the queue. */
void link_sessions_unblock(struct link *link)
{
    struct link_session *head = &link->blocked;

    while (link->state == LINK_UP && head->next_blocked != head && !conn_is_full(link->conn)) {
        struct link_session *session = head->next_blocked;

        unblock(session);
        if (session->events->room != NULL)
            session->events->room(session->context);
    }
}

size_t link_session_data(struct link_session *session, const void *bytes, size_t length)
{
    size_t room = link_session_room(session);
    size_t done = 0;

    if (length > room)
        length = room;
    while (done < length) {
        size_t part = length - done < FRAME_DATA_MAX ? length - done : FRAME_DATA_MAX;

        frame_write_data(conn_output(session->link->conn), session->number,
                         (const uint8_t *)bytes + done, part);
        done += part;
    }
    session->credit -= (uint32_t)length;
    if (length != 0)
        link_flush(session->link);
    return length;
}

enum err_code link_session_take_window(struct link_session *session, uint32_t credit,
                                       struct err *err)
{
    if (credit > LINK_CREDIT_MOST - session->credit)
        return err_set(err, ERR_INVALID, "session %u was given more than %u bytes of credit",
                       session->number, LINK_CREDIT_MOST);
    session->credit += credit;
    if (session->events->room != NULL && credit != 0)
        session->events->room(session->context);
    return ERR_NONE;
}

/* ---- input ---- */

enum err_code link_session_take_data(struct link_session *session, const uint8_t *bytes,
                                     size_t length, struct err *err)
{
    if (!session->opened)
        return err_set(err, ERR_INVALID, "data on session %u, which is not open", session->number);
    if (length > session->allowed)
        return err_set(err, ERR_INVALID, "data on session %u beyond its credit", session->number);
    session->allowed -= (uint32_t)length;
    session->unconsumed += (uint32_t)length;
    session->received += length;
    if (session->events->data != NULL && length != 0)
        session->events->data(session->context, bytes, length);
    return ERR_NONE;
}

/* A session that moves data gets the whole window, one that does not keeps the small one. Credit is
   given in quarters of the window, so that small reads do not make a frame each. */
void link_session_consumed(struct link_session *session, size_t length)
{
    Link__Window window = LINK__WINDOW__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    uint32_t grant;

    assert(length <= session->unconsumed);
    session->unconsumed -= (uint32_t)length;
    if (session->received >= LINK_CREDIT_FIRST)
        session->window = LINK_CREDIT_MOST;
    grant = session->window - session->allowed - session->unconsumed;
    if (grant < session->window / 4)
        return;
    session->allowed += grant;
    window.credit = grant;
    frame.session = session->number;
    frame.body_case = LINK__FRAME__BODY_WINDOW;
    frame.window = &window;
    link_send(session->link, &frame);
}

/* ---- the end ---- */

static void say_close(struct link_session *session, Link__Close__Reason reason, const char *text)
{
    Link__Close close = LINK__CLOSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    close.reason = reason;
    close.text = (char *)text;
    frame.session = session->number;
    frame.body_case = LINK__FRAME__BODY_CLOSE;
    frame.close = &close;
    link_send(session->link, &frame);
}

void link_session_close(struct link_session *session, Link__Close__Reason reason, const char *text)
{
    say_close(session, reason, text == NULL ? "" : text);
    link_session_remove(session);
}

void link_session_end(struct link_session *session, Link__Close__Reason reason, const char *text)
{
    const struct link_session_events *events = session->events;
    void *context = session->context;

    link_session_remove(session);
    if (events->closed != NULL)
        events->closed(context, reason, text);
}

void link_sessions_end_all(struct link *link, const char *text)
{
    while (link->all.next != &link->all)
        link_session_end(link->all.next, LINK__CLOSE__REASON__INTERNAL, text);
}

uint32_t link_session_number(const struct link_session *session)
{
    return session->number;
}

struct link *link_session_link(const struct link_session *session)
{
    return session->link;
}
