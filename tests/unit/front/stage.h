/* A front on one loop, on the test's own thread, with back ends that are played by the test and a
   client at the other end of a socket pair. Nothing here waits for a time to pass, but for stage_rest():
   a test that never gets what it waits for hangs, and is ended from outside. */
#ifndef TESTS_UNIT_FRONT_STAGE_H
#define TESTS_UNIT_FRONT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cas-proxy/certificates.h"
#include "cas-proxy/client.h"
#include "cas-proxy/imap4.h"
#include "cas-proxy/limits.h"
#include "cas-proxy/links.h"
#include "cas-proxy/pop3.h"
#include "common/log.h"
#include "proto/link.h"

#define STAGE_BACKS 2

/* A back end of the test: how it answers, and what it was told. */
struct actor {
    char name[16];
    struct link_self self;
    struct listener *listener;
    struct link *link;
    struct stage *stage;
    bool is_up;

    const char *claims; /* the one name that it knows, or NULL */
    uint64_t epoch;
    const char *forwards_to; /* for that name: not home any more */
    bool is_silent;          /* answers no Locate */
    const char *redirects_to;
    bool holds; /* does not answer Open */
    Link__Refused__Code refuses;
    const char *const *capabilities; /* NULL-terminated */

    int locates, opens, closes;
    Link__Close__Reason close_reason;
    struct link_session *session;
    char mechanism[32], tag[32], id[64], service[16];
    struct buf message, data;
    uint32_t hops;
};

struct stage {
    char folder[64];
    struct loop *loop;
    struct front_settings settings;
    struct front front;
    struct front_loop home;
    struct link_self self;
    struct actor backs[STAGE_BACKS];
    int client; /* the test's end, or -1 */
    char got[1 << 16];
    size_t got_length;
};

/* ---- the back ends ---- */

static inline void actor_message(void *context, const Link__Frame *frame)
{
    (void)context;
    (void)frame;
}

static inline void actor_data(void *context, const uint8_t *bytes, size_t length)
{
    struct actor *actor = context;

    buf_append(&actor->data, bytes, length);
    link_session_consumed(actor->session, length);
}

static inline void actor_closed(void *context, Link__Close__Reason reason, const char *text)
{
    struct actor *actor = context;

    (void)text;
    actor->closes++;
    actor->close_reason = reason;
    actor->session = NULL;
}

static const struct link_session_events actor_session_events = {
    .message = actor_message,
    .data = actor_data,
    .closed = actor_closed,
};

static inline void actor_say(struct actor *actor, const char *text)
{
    assert_int_equal(link_session_data(actor->session, text, strlen(text)), strlen(text));
}

static inline void actor_note(struct actor *actor, const Link__Open *open)
{
    actor->opens++;
    snprintf(actor->service, sizeof(actor->service), "%s", open->service);
    snprintf(actor->mechanism, sizeof(actor->mechanism), "%s", open->mechanism);
    snprintf(actor->tag, sizeof(actor->tag), "%s", open->tag);
    actor->id[0] = '\0';
    if (open->n_id > 0)
        snprintf(actor->id, sizeof(actor->id), "%s=%s", open->id[0]->key, open->id[0]->value);
    actor->hops = open->hops;
    buf_release(&actor->message);
    buf_append(&actor->message, open->initial_response.data, open->initial_response.len);
}

static inline void actor_open(void *context, struct link *link, struct link_session *session,
                              const Link__Open *open)
{
    struct actor *actor = context;
    Link__Redirect redirect = LINK__REDIRECT__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)link;
    actor_note(actor, open);
    link_session_attach(session, &actor_session_events, actor);
    actor->session = session;
    if (actor->redirects_to != NULL) {
        redirect.backend = (char *)actor->redirects_to;
        frame.body_case = LINK__FRAME__BODY_REDIRECT;
        frame.redirect = &redirect;
        link_session_send(session, &frame);
    } else if (actor->refuses != LINK__REFUSED__CODE__CODE_UNSET) {
        link_session_refuse(session, actor->refuses, "so [it]\r\nis", 0);
    } else if (!actor->holds) {
        link_session_opened(session, "alice@example.test");
        actor_say(actor, "[the back end speaks]\r\n");
    }
}

static inline void actor_locate(void *context, struct link *link, const Link__Locate *locate)
{
    struct actor *actor = context;
    Link__Location location = LINK__LOCATION__INIT;

    actor->locates++;
    if (actor->is_silent)
        return;
    location.request = locate->request;
    if (actor->claims != NULL && strcmp(actor->claims, locate->name) == 0) {
        location.answer = actor->forwards_to != NULL ? LINK__LOCATION__ANSWER__FORWARD
                                                     : LINK__LOCATION__ANSWER__CLAIM;
        location.epoch = actor->epoch;
        if (actor->forwards_to != NULL)
            location.backend = (char *)actor->forwards_to;
    }
    link_answer_location(link, &location);
}

static inline void actor_up(void *context, struct link *link)
{
    struct actor *actor = context;

    (void)link;
    actor->is_up = true;
}

static inline void actor_down(void *context, struct link *link, const struct err *why)
{
    struct actor *actor = context;

    (void)link;
    (void)why;
    actor->is_up = false;
    actor->link = NULL; /* freed by the link itself */
}

static const struct link_events actor_events = {
    .up = actor_up,
    .down = actor_down,
    .open = actor_open,
    .locate = actor_locate,
};

static inline void actor_services(void *context, struct arena *arena, Link__Hello *hello)
{
    static const char *const names[] = {"imap4be", "pop3be"};
    struct actor *actor = context;

    hello->services = arena_array(arena, 2, sizeof(*hello->services));
    hello->n_services = 2;
    for (size_t i = 0; i < 2; i++) {
        Link__Service *service = arena_alloc(arena, sizeof(*service));

        link__service__init(service);
        service->name = (char *)names[i];
        service->capabilities = (char **)actor->capabilities;
        while (actor->capabilities[service->n_capabilities] != NULL)
            service->n_capabilities++;
        hello->services[i] = service;
    }
}

static inline void actor_accept(struct listener *listener, int fd, const struct net_address *peer,
                                void *context)
{
    struct actor *actor = context;

    (void)listener;
    (void)peer;
    actor->link = link_server(actor->stage->loop, fd, NULL, &actor->self, &actor_events, actor);
}

static inline void actor_begin(struct stage *stage, struct actor *actor)
{
    static const char *const capabilities[] = {"IDLE", "MOVE", NULL};
    struct net_address address;
    char text[128];
    int fd;

    snprintf(actor->name, sizeof(actor->name), "back%d", (int)(actor - stage->backs) + 1);
    snprintf(text, sizeof(text), "unix:%s/%s", stage->folder, actor->name);
    actor->stage = stage;
    actor->capabilities = capabilities;
    actor->self = (struct link_self){.role = LINK__HELLO__ROLE__BACK,
                                     .name = actor->name,
                                     .software = "test",
                                     .services = actor_services,
                                     .context = actor};
    assert_int_equal(net_parse(&address, text, NULL), ERR_NONE);
    assert_int_equal(net_listen(&fd, &address, false, 0, NULL), ERR_NONE);
    actor->listener = listener_open(stage->loop, fd, actor_accept, actor);
}

/* The back end is gone, and stays so: nobody listens any more. */
static inline void actor_leave(struct actor *actor)
{
    listener_close(actor->listener);
    actor->listener = NULL;
    if (actor->link != NULL)
        link_destroy(&actor->link);
    actor->is_up = false;
    actor->session = NULL;
}

/* ---- the front ---- */

static inline void stage_turn(struct stage *stage)
{
    uv_run(loop_uv(stage->loop), UV_RUN_ONCE);
}

static inline void stage_settings(struct stage *stage, const char *more)
{
    char path[128];
    struct err err = {0};
    FILE *file;

    snprintf(path, sizeof(path), "%s/conf", stage->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[front]\ndata = %s\n", stage->folder);
    for (int i = 0; i < STAGE_BACKS; i++)
        fprintf(file, "[backend back%d]\naddress = unix:%s/back%d\n", i + 1, stage->folder, i + 1);
    fputs(more, file);
    fclose(file);
    if (settings_read(&front_settings_table, path, &stage->settings, &err) != ERR_NONE)
        fail_msg("%s", err.text);
}

/* more: lines of the settings, besides the back ends. */
static inline void stage_begin(struct stage *stage, const char *more)
{
    struct limits_settings limits = {.delay = 0, .delay_most = 0, .memory = 60};
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN); /* as the program does */
    log_open("test", LOG_TO_STDERR, LOG_LEVEL_ERROR);
    memset(stage, 0, sizeof(*stage));
    stage->client = -1;
    snprintf(stage->folder, sizeof(stage->folder), "/tmp/unit-front-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    stage_settings(stage, more);
    stage->loop = loop_create(0);
    stage->self =
        (struct link_self){.role = LINK__HELLO__ROLE__FRONT, .name = "front1", .software = "test"};
    stage->front.settings = &stage->settings;
    stage->front.self = &stage->self;
    stage->front.limits = limits_create(&limits);
    if (certificates_create(&stage->front.certificates, &stage->settings, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    stage->front.loops = &stage->home;
    stage->front.loop_count = 1;
    stage->home.front = &stage->front;
    stage->home.loop = stage->loop;
    for (int i = 0; i < STAGE_BACKS; i++)
        actor_begin(stage, &stage->backs[i]);
}

/* The client has heard nothing for so long that it counts as at rest. */
static inline void stage_rest(struct stage *stage)
{
    uint64_t end = loop_now(stage->loop) + 1001;

    while (loop_now(stage->loop) < end) {
        usleep(20000);
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
    }
}

/* Links are up on both sides. */
static inline void stage_link(struct stage *stage)
{
    struct err err = {0};

    assert_int_equal(links_open(&stage->home, &err), ERR_NONE);
    for (int i = 0; i < STAGE_BACKS; i++) {
        while (stage->backs[i].listener != NULL &&
               (!stage->backs[i].is_up || !link_is_up(stage->home.backs[i].link)))
            stage_turn(stage);
    }
}

static inline void stage_end(struct stage *stage)
{
    char command[128];

    client_stop_all(&stage->home, NULL);
    links_close(&stage->home);
    for (int i = 0; i < STAGE_BACKS; i++) {
        if (stage->backs[i].listener != NULL)
            actor_leave(&stage->backs[i]);
        buf_release(&stage->backs[i].message);
        buf_release(&stage->backs[i].data);
    }
    if (stage->client >= 0)
        close(stage->client);
    for (int i = 0; i < 100; i++)
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
    loop_destroy(&stage->loop);
    links_free(&stage->home);
    certificates_destroy(&stage->front.certificates);
    limits_destroy(&stage->front.limits);
    settings_free(&front_settings_table, &stage->settings);
    snprintf(command, sizeof(command), "rm -rf '%s'", stage->folder);
    assert_int_equal(system(command), 0);
}

/* ---- the client ---- */

static inline void stage_connect(struct stage *stage, const struct client_protocol *protocol)
{
    int fds[2];

    if (stage->client >= 0)
        close(stage->client);
    stage->got_length = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    stage->client = fds[1];
    client_accept(&stage->home, protocol,
                  front_settings_service(&stage->settings, protocol->service), false, fds[0], NULL);
}

static inline void stage_say_n(struct stage *stage, const void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t sent = send(stage->client, (const char *)bytes + done, length - done, MSG_NOSIGNAL);

        if (sent > 0)
            done += (size_t)sent;
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
    }
}

static inline void stage_say(struct stage *stage, const char *text)
{
    stage_say_n(stage, text, strlen(text));
}

/* Reads what is there; false when the front has closed. */
static inline bool stage_read(struct stage *stage)
{
    ssize_t got = read(stage->client, stage->got + stage->got_length,
                       sizeof(stage->got) - 1 - stage->got_length);

    if (got > 0)
        stage->got_length += (size_t)got;
    stage->got[stage->got_length] = '\0';
    return got != 0;
}

/* The next bytes from the front are these. */
static inline void stage_expect(struct stage *stage, const char *text)
{
    size_t length = strlen(text);

    while (stage->got_length < length) {
        if (!stage_read(stage))
            fail_msg("closed after \"%s\", not \"%s\"", stage->got, text);
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
    }
    if (memcmp(stage->got, text, length) != 0)
        fail_msg("got \"%s\", not \"%s\"", stage->got, text);
    stage->got_length -= length;
    memmove(stage->got, stage->got + length, stage->got_length + 1);
}

static inline void stage_expect_close(struct stage *stage)
{
    while (stage_read(stage))
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
    if (stage->got_length > 0)
        fail_msg("got \"%s\" before the end", stage->got);
}

/* Until *number is at least wanted. */
static inline void stage_until(struct stage *stage, const int *number, int wanted)
{
    while (*number < wanted)
        stage_turn(stage);
}

static inline void stage_until_data(struct stage *stage, const struct actor *actor, size_t length)
{
    while (buf_length(&actor->data) < length)
        uv_run(loop_uv(stage->loop), UV_RUN_NOWAIT);
}

#endif
