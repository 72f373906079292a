#include "proto/link.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "proto/link_private.h"

static void on_turn(struct loop_turn *turn);

static void name_link(struct link *link)
{
    char text[NET_TEXT_MAX];

    snprintf(link->who, sizeof(link->who), "link[%llu] %s", (unsigned long long)link->number,
             link->peer != NULL            ? link->peer->name
             : link->expected_name != NULL ? link->expected_name
                                           : net_text(&link->address, text));
}

struct link *link_create(struct loop *loop, struct tls_context *tls, const struct link_self *self,
                         const struct link_events *events, void *context)
{
    static atomic_uint_fast64_t count;
    struct link *link = mem_alloc(sizeof(*link));

    link->loop = loop;
    link->tls = tls == NULL ? NULL : tls_context_ref(tls);
    link->self = self;
    link->events = events;
    link->context = context;
    link->number = atomic_fetch_add(&count, 1) + 1;
    link->all.next = link->all.previous = &link->all;
    link->blocked.next_blocked = link->blocked.previous_blocked = &link->blocked;
    link->turn.run = on_turn;
    return link;
}

static void free_client(uv_handle_t *retry)
{
    free(retry->data);
}

static void free_link(struct link *link)
{
    if (link->failure.code != ERR_NONE)
        loop_turn_remove(link->loop, &link->turn);
    tls_context_unref(&link->tls);
    arena_reset(&link->peer_arena);
    arena_reset(&link->frame_arena);
    free(link->buckets);
    if (link->is_client)
        uv_close((uv_handle_t *)&link->retry, free_client);
    else
        free(link);
}

void link_enter(struct link *link)
{
    link->depth++;
}

void link_leave(struct link *link)
{
    if (--link->depth == 0 && link->dead)
        free_link(link);
}

void link_destroy(struct link **where)
{
    struct link *link = *where;

    if (link == NULL)
        return;
    *where = NULL;
    link_enter(link);
    link->dead = true;
    link->state = LINK_AWAY;
    if (link->conn != NULL)
        conn_finish(link->conn);
    link->conn = NULL;
    link_sessions_end_all(link, "the link was closed");
    link_leave(link);
}

/* A back end that stays away is told once, not at every try. */
static void log_end(struct link *link, bool was_up, const struct err *why)
{
    if (was_up || !link->is_client) {
        log_line(link->orderly ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, link->who,
                 "link is down: %s", why->text);
    } else if (strcmp(link->last_failure, why->text) != 0) {
        log_warning(link->who, "no link yet: %s; trying again", why->text);
        snprintf(link->last_failure, sizeof(link->last_failure), "%s", why->text);
    }
}

static void end_connection(struct link *link, const struct err *why)
{
    log_end(link, link->state == LINK_UP, why);
    if (link->conn != NULL)
        conn_close(link->conn);
    link->conn = NULL;
    link->state = LINK_AWAY;
    link->draining = false;
    link->peer = NULL;
    arena_reset(&link->peer_arena);
    link_sessions_end_all(link, why->text);
    name_link(link);
}

void link_fail(struct link *link, enum err_code code, const char *format, ...)
{
    struct err why;
    va_list args;

    why.code = code;
    va_start(args, format);
    vsnprintf(why.text, sizeof(why.text), format, args);
    va_end(args);
    if (link->dead)
        return;
    end_connection(link, &why);
    if (!link->dead && link->events->down != NULL)
        link->events->down(link->context, link, &why);
    if (link->dead)
        return;
    if (link->is_client)
        link_client_retry(link);
    else
        link->dead = true;
}

static void on_turn(struct loop_turn *turn)
{
    struct link *link = (struct link *)((char *)turn - offsetof(struct link, turn));
    struct err why = link->failure;

    loop_turn_remove(link->loop, turn);
    link->failure.code = ERR_NONE;
    link_enter(link);
    if (link->conn != NULL)
        link_fail(link, why.code, "%s", why.text);
    link_leave(link);
}

void link_fail_later(struct link *link, const struct err *why)
{
    if (link->failure.code != ERR_NONE || link->dead)
        return;
    link->failure = *why;
    loop_turn_add(link->loop, &link->turn);
    loop_again(link->loop);
}

static void greet(struct link *link)
{
    link->state = LINK_GREETING;
    link_say_hello(link);
}

void link_begin(struct link *link)
{
    struct tls_options options = {.server_name = link->expected_name};
    struct err err = {0};

    if (link->address.at.any.sa_family == AF_UNIX) {
        if (link_check_uid(link, &err) == ERR_NONE)
            greet(link);
        else
            link_fail_later(link, &err);
    } else if (link->tls != NULL) {
        link->state = LINK_SECURING;
        conn_start_tls(link->conn, link->tls, &options);
    } else if (link->self->allow_plain_tcp) {
        greet(link);
    } else {
        err_set(&err, ERR_DENIED, "a link over TCP needs a certificate and a key on both sides");
        link_fail_later(link, &err);
    }
}

static void tick(struct link *link)
{
    uint64_t silent = (loop_now(link->loop) - link->heard) / 1000;
    Link__Ping ping = LINK__PING__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    if (link->state != LINK_UP) {
        link_fail(link, ERR_UNAVAILABLE, "no %s within %d seconds",
                  link->state == LINK_CONNECTING ? "connection" : "Hello", LINK_HELLO_SECONDS);
        return;
    }
    if (silent >= 2 * LINK_PING_SECONDS) {
        link_fail(link, ERR_UNAVAILABLE, "silent for %llu seconds", (unsigned long long)silent);
        return;
    }
    if (silent >= LINK_PING_SECONDS) {
        frame.body_case = LINK__FRAME__BODY_PING;
        frame.ping = &ping;
        link_send(link, &frame);
    }
    conn_set_timeout(link->conn, LINK_TICK_SECONDS);
}

static void on_gone(struct link *link)
{
    const struct err *why = conn_error(link->conn);

    link->orderly = why->code == ERR_NONE;
    if (link->orderly)
        link_fail(link, ERR_UNAVAILABLE, "closed by the other side");
    else
        link_fail(link, why->code, "%s", why->text);
}

static void on_event(struct conn *conn, enum conn_event event, void *context)
{
    struct link *link = context;

    (void)conn;
    link_enter(link);
    switch (event) {
    case CONN_CONNECTED:
        link_begin(link);
        break;
    case CONN_SECURED:
        greet(link);
        break;
    case CONN_INPUT:
        link->heard = loop_now(link->loop);
        link_receive(link);
        break;
    case CONN_DRAINED:
        link_sessions_unblock(link);
        break;
    case CONN_TIMEOUT:
        tick(link);
        break;
    case CONN_GONE:
        on_gone(link);
        break;
    }
    link_leave(link);
}

void link_attach_conn(struct link *link, struct conn *conn)
{
    link->conn = conn;
    link->highest = 0;
    link->orderly = false;
    link->heard = loop_now(link->loop);
    name_link(link);
    conn_set_handler(conn, on_event, link);
    conn_set_input_limit(conn, LINK_INPUT_LIMIT);
    conn_set_timeout(conn, LINK_HELLO_SECONDS);
}

void link_flush(struct link *link)
{
    struct err why;

    conn_flush(link->conn);
    if (conn_pending(link->conn) > LINK_OUTPUT_MOST) {
        err_set(&why, ERR_LIMIT, "the other side reads nothing: %u bytes are waiting for it",
                LINK_OUTPUT_MOST);
        link_fail_later(link, &why);
    }
}

void link_send(struct link *link, const Link__Frame *frame)
{
    if (link->conn == NULL || link->state < LINK_GREETING)
        return;
    if (!frame_write(conn_output(link->conn), frame)) {
        struct err why;

        err_set(&why, ERR_INTERNAL, "a frame of kind %d became too large", (int)frame->body_case);
        link_fail_later(link, &why);
        return;
    }
    link_flush(link);
}

uint64_t link_number(const struct link *link)
{
    return link->number;
}

bool link_is_up(const struct link *link)
{
    return link->state == LINK_UP;
}

bool link_is_draining(const struct link *link)
{
    return link->draining;
}

bool link_is_local(const struct link *link)
{
    return link->address.at.any.sa_family == AF_UNIX;
}

const Link__Hello *link_peer(const struct link *link)
{
    return link->state == LINK_UP ? link->peer : NULL;
}

const char *link_peer_name(const struct link *link)
{
    return link->peer != NULL            ? link->peer->name
           : link->expected_name != NULL ? link->expected_name
                                         : link->who;
}

size_t link_session_count(const struct link *link)
{
    return link->session_count;
}
