/* Frames that come: who may send which, when, and what happens then. */
#include "common/log.h"
#include "proto/link_private.h"

enum scope { ON_LINK, ON_SESSION };
enum sender { FROM_BOTH, FROM_FRONT, FROM_BACK };

/* A handler may call the owner, and the owner may end the session or the link. */
typedef enum err_code handler(struct link *link, struct link_session *session, Link__Frame *frame,
                              struct err *err);

struct body {
    enum scope scope;
    enum sender sender;
    bool before_opened; /* only while the session is not open yet */
    handler *handle;
};

static enum err_code handle_message(struct link *link, struct link_session *session,
                                    Link__Frame *frame, struct err *err)
{
    (void)link;
    (void)err;
    if (session->events->message != NULL)
        session->events->message(session->context, frame);
    return ERR_NONE;
}

static enum err_code handle_opened(struct link *link, struct link_session *session,
                                   Link__Frame *frame, struct err *err)
{
    session->opened = true;
    return handle_message(link, session, frame, err);
}

static enum err_code handle_refused(struct link *link, struct link_session *session,
                                    Link__Frame *frame, struct err *err)
{
    uint32_t number = session->number;

    handle_message(link, session, frame, err);
    session = link_session_find(link, number);
    if (session != NULL)
        link_session_end(session, LINK__CLOSE__REASON__NORMAL, "");
    return ERR_NONE;
}

static enum err_code handle_window(struct link *link, struct link_session *session,
                                   Link__Frame *frame, struct err *err)
{
    (void)link;
    return link_session_take_window(session, frame->window->credit, err);
}

/* The owner hears it; our own Close says that nothing more comes from here. */
static enum err_code handle_close(struct link *link, struct link_session *session,
                                  Link__Frame *frame, struct err *err)
{
    Link__Close close = LINK__CLOSE__INIT;
    Link__Frame answer = LINK__FRAME__INIT;

    (void)err;
    answer.session = session->number;
    answer.body_case = LINK__FRAME__BODY_CLOSE;
    answer.close = &close;
    link_send(link, &answer);
    link_session_end(session, frame->close->reason, frame->close->text);
    return ERR_NONE;
}

static enum err_code handle_location(struct link *link, struct link_session *session,
                                     Link__Frame *frame, struct err *err)
{
    (void)session;
    (void)err;
    if (link->events->location != NULL)
        link->events->location(link->context, link, frame->location);
    return ERR_NONE;
}

static enum err_code handle_resolved(struct link *link, struct link_session *session,
                                     Link__Frame *frame, struct err *err)
{
    (void)session;
    (void)err;
    if (link->events->resolved != NULL)
        link->events->resolved(link->context, link, frame->resolved);
    return ERR_NONE;
}

static enum err_code handle_locate(struct link *link, struct link_session *session,
                                   Link__Frame *frame, struct err *err)
{
    (void)session;
    (void)err;
    if (link->events->locate != NULL)
        link->events->locate(link->context, link, frame->locate);
    return ERR_NONE;
}

static enum err_code handle_resolve(struct link *link, struct link_session *session,
                                    Link__Frame *frame, struct err *err)
{
    (void)session;
    (void)err;
    if (link->events->resolve != NULL)
        link->events->resolve(link->context, link, frame->resolve);
    return ERR_NONE;
}

static enum err_code handle_ping(struct link *link, struct link_session *session,
                                 Link__Frame *frame, struct err *err)
{
    Link__Pong pong = LINK__PONG__INIT;
    Link__Frame answer = LINK__FRAME__INIT;

    (void)session;
    (void)err;
    pong.id = frame->ping->id;
    answer.body_case = LINK__FRAME__BODY_PONG;
    answer.pong = &pong;
    link_send(link, &answer);
    return ERR_NONE;
}

static enum err_code handle_pong(struct link *link, struct link_session *session,
                                 Link__Frame *frame, struct err *err)
{
    (void)link; /* that bytes came is all that counts: link->heard */
    (void)session;
    (void)frame;
    (void)err;
    return ERR_NONE;
}

static enum err_code handle_drain(struct link *link, struct link_session *session,
                                  Link__Frame *frame, struct err *err)
{
    (void)session;
    (void)err;
    link->draining = true;
    log_notice(link->who, "wants no new sessions: %s", frame->drain->reason);
    if (link->events->drain != NULL)
        link->events->drain(link->context, link);
    return ERR_NONE;
}

/* Hello, Open and Data are not here: they have ways of their own below. */
static const struct body bodies[FRAME_BODY_LAST + 1] = {
    [LINK__FRAME__BODY_CHALLENGE] = {ON_SESSION, FROM_BACK,  true,  handle_message },
    [LINK__FRAME__BODY_RESPONSE] = {ON_SESSION, FROM_FRONT, true,  handle_message },
    [LINK__FRAME__BODY_OPENED] = {ON_SESSION, FROM_BACK,  true,  handle_opened  },
    [LINK__FRAME__BODY_REFUSED] = {ON_SESSION, FROM_BACK,  true,  handle_refused },
    [LINK__FRAME__BODY_REDIRECT] = {ON_SESSION, FROM_BACK,  true,  handle_refused },
    [LINK__FRAME__BODY_WINDOW] = {ON_SESSION, FROM_BOTH,  false, handle_window  },
    [LINK__FRAME__BODY_CLOSE] = {ON_SESSION, FROM_BOTH,  false, handle_close   },
    [LINK__FRAME__BODY_LOCATE] = {ON_LINK,    FROM_FRONT, false, handle_locate  },
    [LINK__FRAME__BODY_LOCATION] = {ON_LINK,    FROM_BACK,  false, handle_location},
    [LINK__FRAME__BODY_RESOLVE] = {ON_LINK,    FROM_FRONT, false, handle_resolve },
    [LINK__FRAME__BODY_RESOLVED] = {ON_LINK,    FROM_BACK,  false, handle_resolved},
    [LINK__FRAME__BODY_PING] = {ON_LINK,    FROM_BOTH,  false, handle_ping    },
    [LINK__FRAME__BODY_PONG] = {ON_LINK,    FROM_BOTH,  false, handle_pong    },
    [LINK__FRAME__BODY_DRAIN] = {ON_LINK,    FROM_BACK,  false, handle_drain   },
};

static enum err_code refuse_session(struct link *link, uint32_t number)
{
    struct link_session *session = link_session_add(link, number);

    link_session_attach(session, NULL, NULL);
    link_session_refuse(session, LINK__REFUSED__CODE__LIMIT, "too many sessions on this link", 0);
    return ERR_NONE;
}

static enum err_code take_open(struct link *link, const struct frame_view *view, struct err *err)
{
    struct link_session *session;
    Link__Frame *frame;

    if (link->is_client)
        return err_set(err, ERR_INVALID, "a back end may not open sessions");
    if (view->session == 0 || view->session <= link->highest)
        return err_set(err, ERR_INVALID, "session %u was opened after session %u", view->session,
                       link->highest);
    if (link->session_count >= LINK_SESSIONS_MOST)
        return refuse_session(link, view->session);
    if (frame_unpack(view, &link->frame_arena, &frame, err) != ERR_NONE)
        return err->code;
    session = link_session_add(link, view->session);
    link_session_attach(session, NULL, NULL);
    if (link->events->open != NULL)
        link->events->open(link->context, link, session, frame->open);
    return ERR_NONE;
}

static enum err_code take_data(struct link *link, const struct frame_view *view, struct err *err)
{
    struct link_session *session = link_session_find(link, view->session);

    if (view->payload_length > FRAME_DATA_MAX)
        return err_set(err, ERR_INVALID, "a data frame holds more than %u bytes", FRAME_DATA_MAX);
    if (session == NULL)
        return ERR_NONE; /* closed here while it was on its way */
    return link_session_take_data(session, view->payload, view->payload_length, err);
}

/* A body that this version does not know: only the session that it was for ends. */
static enum err_code take_unknown(struct link *link, const struct frame_view *view)
{
    struct link_session *session = link_session_find(link, view->session);
    Link__Close close = LINK__CLOSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    if (session == NULL)
        return ERR_NONE;
    close.reason = LINK__CLOSE__REASON__UNSUPPORTED;
    close.text = (char *)"unknown body";
    frame.session = session->number;
    frame.body_case = LINK__FRAME__BODY_CLOSE;
    frame.close = &close;
    link_send(link, &frame);
    link_session_end(session, LINK__CLOSE__REASON__UNSUPPORTED, "unknown body");
    return ERR_NONE;
}

static enum err_code check_rules(const struct link *link, const struct body *body,
                                 const struct frame_view *view, struct err *err)
{
    if ((body->scope == ON_LINK) != (view->session == 0))
        return err_set(err, ERR_INVALID, "body %u came on session %u", view->body, view->session);
    if (body->sender == (link->is_client ? FROM_FRONT : FROM_BACK))
        return err_set(err, ERR_INVALID, "body %u came from the wrong side", view->body);
    return ERR_NONE;
}

static enum err_code take_other(struct link *link, const struct frame_view *view, struct err *err)
{
    const struct body *body = &bodies[view->body];
    struct link_session *session = NULL;
    Link__Frame *frame;

    if (check_rules(link, body, view, err) != ERR_NONE)
        return err->code;
    if (body->scope == ON_SESSION) {
        session = link_session_find(link, view->session);
        if (session == NULL)
            return ERR_NONE; /* closed here while it was on its way */
        if (body->before_opened && session->opened)
            return err_set(err, ERR_INVALID, "body %u came on session %u, which is open already",
                           view->body, view->session);
    }
    if (frame_unpack(view, &link->frame_arena, &frame, err) != ERR_NONE)
        return err->code;
    return body->handle(link, session, frame, err);
}

static enum err_code take_frame(struct link *link, const struct frame_view *view, struct err *err)
{
    if (view->body == LINK__FRAME__BODY_HELLO && view->session == 0)
        return link_take_hello(link, view, err);
    if (link->state != LINK_UP)
        return err_set(err, ERR_INVALID, "body %u came before the Hello", view->body);
    if (view->body == LINK__FRAME__BODY_OPEN)
        return take_open(link, view, err);
    if (view->session > link->highest)
        return err_set(err, ERR_INVALID, "a frame for session %u, which was never opened",
                       view->session);
    if (view->body == LINK__FRAME__BODY_DATA)
        return take_data(link, view, err);
    if (view->body > FRAME_BODY_LAST)
        return take_unknown(link, view);
    if (view->body == LINK__FRAME__BODY_HELLO)
        return err_set(err, ERR_INVALID, "Hello came on session %u", view->session);
    return take_other(link, view, err);
}

/* Takes the frames that are whole. Owners are called from here, and may end the link: the connection
   tells. Nothing but this function touches the connection's input. */
void link_receive(struct link *link)
{
    struct conn *conn = link->conn;
    struct buf *input = conn_input(conn);
    size_t done = 0;
    struct frame_view view;
    struct err err = {0};
    enum frame_result result;

    while ((result = frame_read(buf_bytes(input) + done, buf_length(input) - done, &view, &err)) ==
           FRAME_WHOLE) {
        enum err_code code = take_frame(link, &view, &err);

        arena_reset(&link->frame_arena);
        if (link->conn != conn)
            return;
        if (code != ERR_NONE) {
            link_fail(link, code, "%s", err.text);
            return;
        }
        done += view.size;
    }
    if (result == FRAME_BAD)
        link_fail(link, err.code, "%s", err.text);
    else
        conn_consume(conn, done);
}
