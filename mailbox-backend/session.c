#include "mailbox-backend/session.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/session_private.h"
#include "mailbox-backend/session_registry.h"
#include "proto/frame.h"

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;

    session->home->count--;
    free(session);
}

static void free_session(struct session *session)
{
    if (session->state != NULL)
        session->engine->close(session, session->state);
    session_login_free(session);
    if (session->is_counted)
        session_registry_remove(session->backend->registry, &session->account.guid,
                                session->entry->service);
    session_registry_note(session->backend->registry, session->entry->service, false);
    buf_release(&session->input);
    buf_release(&session->inbox);
    buf_release(&session->output);
    buf_release(&session->sending);
    arena_reset(&session->arena);
    TAILQ_REMOVE(&session->home->all, session, in_all);
    uv_close((uv_handle_t *)&session->timer, on_timer_closed);
}

void session_free_if_over(struct session *session)
{
    assert(session->phase == SESSION_CLOSED);
    if (session->working)
        return;
    session_unwatch(session); /* the worker's until now */
    if (!session_is_expected(session))
        free_session(session);
}

void session_off(struct session *session)
{
    session->phase = SESSION_CLOSED;
    session->peer = NULL;
    session_unready(session);
    uv_timer_stop(&session->timer);
    session_free_if_over(session);
}

void session_close(struct session *session, Link__Close__Reason reason, const char *text)
{
    log_info(session->who, "session ended%s%s", text[0] == '\0' ? "" : ": ", text);
    link_session_close(session->peer, reason, text);
    session_off(session);
}

void session_refuse(struct session *session, Link__Refused__Code code, const char *text)
{
    log_notice(session->who, "refused, client %s: %s", session->open->client->address, text);
    link_session_refuse(session->peer, code, text, 0);
    session_off(session);
}

static Link__Refused__Code refusal_of(Link__Close__Reason reason)
{
    return reason == LINK__CLOSE__REASON__DISABLED ? LINK__REFUSED__CODE__DISABLED
                                                   : LINK__REFUSED__CODE__UNAVAILABLE;
}

void session_stop(struct session *session, Link__Close__Reason reason, const char *text)
{
    switch (session->phase) {
    case SESSION_PROVING:
    case SESSION_OPENING:
        session_refuse(session, refusal_of(reason), text);
        break;
    case SESSION_RUNNING:
        session->stopping = true;
        session->stop_reason = reason;
        session->stop_text = text;
        session_wake(session, WHY_STOP);
        break;
    case SESSION_ENDING:
    case SESSION_CLOSED:
        break; /* it ends already */
    }
}

void session_end_if_sent(struct session *session)
{
    if (session->phase != SESSION_ENDING || buf_length(&session->sending) != 0)
        return;
    if (session->stopping)
        session_close(session, session->stop_reason, session->stop_text);
    else
        session_close(session, LINK__CLOSE__REASON__NORMAL, "");
}

/* ---- what the link tells ---- */

static void on_message(void *context, const Link__Frame *frame)
{
    session_login_message(context, frame);
}

static void on_data(void *context, const uint8_t *bytes, size_t length)
{
    struct session *session = context;

    if (session->phase != SESSION_RUNNING)
        return; /* its end is on the way to the front */
    session->unconsumed += length;
    session->heard = session_now();
    buf_append(session->working ? &session->inbox : &session->input, bytes, length);
    session_wake(session, WHY_INPUT);
}

static void on_room(void *context)
{
    struct session *session = context;

    session_flush(session);
    session_end_if_sent(session);
}

static void on_closed(void *context, Link__Close__Reason reason, const char *text)
{
    struct session *session = context;

    (void)reason;
    log_info(session->who, "session ended by the front%s%s", text[0] == '\0' ? "" : ": ", text);
    session_off(session);
}

static const struct link_session_events events = {
    .message = on_message,
    .data = on_data,
    .room = on_room,
    .closed = on_closed,
};

void session_flush(struct session *session)
{
    struct buf *sending = &session->sending;
    size_t room;

    while (buf_length(sending) != 0 && (room = link_session_room(session->peer)) != 0) {
        size_t share = room < buf_length(sending) ? room : buf_length(sending);

        buf_consume(sending, link_session_data(session->peer, buf_bytes(sending), share));
    }
    buf_release_idle(sending);
    if (buf_length(sending) <= SESSION_OUTPUT_LOW && !session->working &&
        session->step == STEP_MORE)
        session_wake(session, WHY_DRAINED);
}

/* ---- the beginning ---- */

static Link__Client no_client = LINK__CLIENT__INIT;

/* A copy in the session's arena, but for the credential, which nobody needs for long. */
static void copy_open(struct session *session, const Link__Open *open)
{
    Link__Open without = *open;
    Link__Frame frame = LINK__FRAME__INIT;
    Link__Frame *copy = NULL;
    struct frame_view view;
    struct buf bytes = {0};

    without.initial_response = (ProtobufCBinaryData){0};
    if (without.client == NULL)
        without.client = &no_client;
    frame.session = link_session_number(session->peer);
    frame.body_case = LINK__FRAME__BODY_OPEN;
    frame.open = &without;
    if (frame_write(&bytes, &frame) &&
        frame_read(buf_bytes(&bytes), buf_length(&bytes), &view, NULL) == FRAME_WHOLE)
        frame_unpack(&view, &session->arena, &copy, NULL);
    buf_release(&bytes);
    session->open = copy != NULL ? copy->open : NULL;
}

void session_name(struct session *session)
{
    unsigned long long number =
        session->open->trace != 0 ? session->open->trace : link_session_number(session->peer);

    snprintf(session->who, sizeof(session->who), "%s[%llu]%s%s", session->engine->service, number,
             session->has_account ? " " : "", session->has_account ? session->account.name : "");
}

void session_start(struct backend *backend, struct loop *loop, struct link_session *peer,
                   const struct engine_entry *entry, const Link__Open *open)
{
    struct session *session = mem_alloc(sizeof(*session));

    session->backend = backend;
    session->home = session_home_of(loop);
    session->peer = peer;
    session->entry = entry;
    session->engine = entry->engine;
    copy_open(session, open);
    if (session->open == NULL) {
        arena_reset(&session->arena);
        free(session);
        link_session_refuse(peer, LINK__REFUSED__CODE__INVALID, "the request to open is too large",
                            0);
        return;
    }
    session_name(session);
    session_wait_init(session);
    session_timer_init(session);
    TAILQ_INSERT_TAIL(&session->home->all, session, in_all);
    session->home->count++;
    session_registry_note(backend->registry, entry->service, true);
    link_session_attach(peer, &events, session);
    session_login(session, open);
}

/* ---- for engines ---- */

struct backend *session_backend(struct session *session)
{
    return session->backend;
}

const struct account *session_account(const struct session *session)
{
    return session->has_account ? &session->account : NULL;
}

enum err_code session_find_account(struct session *session, const struct store_guid *guid,
                                   struct arena *arena, struct account *account, struct err *err)
{
    return directory_find_guid(session->backend->directory, guid, arena, account, err);
}

const char *session_who(const struct session *session)
{
    return session->who;
}

const Link__Client *session_client(const struct session *session)
{
    return session->open->client;
}

struct buf *session_input(struct session *session)
{
    return &session->input;
}

struct buf *session_output(struct session *session)
{
    return &session->output;
}

size_t session_room(const struct session *session)
{
    size_t used = session->backlog + buf_length(&session->output);

    return used < SESSION_OUTPUT_HIGH ? SESSION_OUTPUT_HIGH - used : 0;
}

const char *session_stop_text(const struct session *session)
{
    return session->stop_text != NULL ? session->stop_text : "";
}

void session_log_command(struct session *session, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_info(session->who, "%s, %llu ms", text,
             (unsigned long long)(session_now() - session->command_began));
}
