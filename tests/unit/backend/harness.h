/* Engines without a link: stands in for mailbox-backend/session.c over a real store in a folder
   of its own. A test program includes it once. Bytes go in with session_send(), what the engine
   wrote is taken with session_take_line(); in between the harness calls advance() as the real
   session would. */
#ifndef UNIT_BACKEND_HARNESS_H
#define UNIT_BACKEND_HARNESS_H

#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "mailbox-backend/mailbox/grants.h"
#include "mailbox-backend/session.h"

#define HARNESS_UNUSED __attribute__((unused))
#define HARNESS_PATIENCE 20 /* seconds until something that must come counts as missing */

/* ---- a back end ---- */

struct harness {
    char folder[64];
    struct backend_settings settings;
    struct backend backend; /* a test may put a directory in */
    struct account account;
};

HARNESS_UNUSED static int harness_remove(const char *path, const struct stat *status, int kind,
                                         struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* A new, empty store; the account has GUID 01 00 … and no quota. */
HARNESS_UNUSED static void harness_open(struct harness *harness)
{
    struct store_settings settings = {
        .databases = 1,
        .map_size = (uint64_t)1 << 30,
        .max_readers = 32,
        .message_size_limit = (uint64_t)1 << 20,
        .content_budget = (uint64_t)64 << 20,
        .recovery_seconds = 3600,
    };
    struct err err;

    *harness = (struct harness){.folder = "/tmp/harness-XXXXXX"};
    assert_non_null(mkdtemp(harness->folder));
    settings.folder = harness->folder;
    if (store_open(&harness->backend.store, &settings, &err) != ERR_NONE)
        fail_msg("store_open: %s", err.text);
    harness->backend.grants = grants_create(harness->backend.store);
    harness->settings.store.message_size_limit = settings.message_size_limit;
    harness->settings.imap4be.max_literal = (uint64_t)64 << 10;
    harness->settings.imap4be.idle_keepalive = 120;
    harness->settings.imap4be.metadata_max_value = 1024;
    harness->settings.imap4be.metadata_max_entries = 10;
    harness->settings.imap4be.progress_interval = 3600;
    harness->settings.lmtpbe.max_recipients = 100;
    harness->settings.pop3be.folder = (char *)(uintptr_t) "INBOX";
    harness->backend.settings = &harness->settings;
    harness->account = (struct account){
        .guid = {{1}},
        .name = "alice@example.com",
        .display_name = "Alice",
        .pop3_folder = "",
        .services = SERVICE_IMAP4 | SERVICE_POP3 | SERVICE_LMTP,
        .enabled = true,
    };
}

HARNESS_UNUSED static void harness_close(struct harness *harness)
{
    grants_destroy(&harness->backend.grants);
    store_close(&harness->backend.store);
    nftw(harness->folder, harness_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- a session ---- */

struct session {
    struct harness *harness;
    const struct engine *engine;
    const struct account *account;
    void *state;
    Link__Client client;
    struct buf input;
    struct buf output; /* of the step */
    struct buf sent;   /* what the client has and the test has not */
    char line[65536];  /* session_take_line()'s */
    size_t room;       /* bytes of output until STEP_MORE; a test may make it small */
    bool bytewise;     /* input comes byte by byte */
    bool ended;
    bool busy;
    bool worked; /* some step asked for a worker */
    unsigned events;
    unsigned tick; /* as set by the engine; session_tick() lets it pass */
    const char *stop_text;
    Link__Refused__Code refusal;
    char log[1024]; /* the newest line of session_log_command() */

    pthread_mutex_t mutex;
    pthread_cond_t woken;
    size_t outstanding;
    bool done, changed;
    bool watching;
    struct store_watch watch;
    struct session_watcher *watchers;
    bool paused; /* as set by the engine; it passes where a test waits for a line */
};

struct backend *session_backend(struct session *session)
{
    return &session->harness->backend;
}

const struct account *session_account(const struct session *session)
{
    return session->account;
}

enum err_code session_find_account(struct session *session, const struct store_guid *guid,
                                   struct arena *arena, struct account *account, struct err *err)
{
    (void)arena;
    if (memcmp(guid, &session->account->guid, sizeof(*guid)) != 0)
        return err_set(err, ERR_NOT_FOUND, "no such account");
    *account = *session->account;
    return ERR_NONE;
}

const char *session_who(const struct session *session)
{
    return session->engine->service;
}

const Link__Client *session_client(const struct session *session)
{
    return &session->client;
}

void session_set_refusal(struct session *session, Link__Refused__Code code)
{
    session->refusal = code;
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
    size_t used = buf_length(&session->output);

    return used < session->room ? session->room - used : 0;
}

static void harness_wake(struct session *session, bool done)
{
    pthread_mutex_lock(&session->mutex);
    if (!done)
        session->changed = true;
    else if (--session->outstanding == 0)
        session->done = true;
    pthread_cond_broadcast(&session->woken);
    pthread_mutex_unlock(&session->mutex);
}

static void harness_op_done(struct store_op *op)
{
    harness_wake(op->context, true);
}

static void harness_changed(struct store_watch *watch, const struct store_change *change)
{
    (void)change;
    harness_wake((struct session *)(void *)((char *)watch - offsetof(struct session, watch)),
                 false);
}

void session_submit_all(struct session *session, struct store_op **ops, size_t count,
                        bool all_or_none)
{
    pthread_mutex_lock(&session->mutex);
    session->outstanding += count;
    pthread_mutex_unlock(&session->mutex);
    for (size_t i = 0; i < count; i++) {
        ops[i]->done = harness_op_done;
        ops[i]->context = session;
    }
    store_submit_all(ops, count, all_or_none);
}

void session_submit(struct session *session, struct store_op *op)
{
    session_submit_all(session, &op, 1, false);
}

bool session_is_waiting(const struct session *session)
{
    struct session *writable = (struct session *)(uintptr_t)session;
    bool waiting;

    pthread_mutex_lock(&writable->mutex);
    waiting = writable->outstanding != 0;
    pthread_mutex_unlock(&writable->mutex);
    return waiting;
}

void session_watch(struct session *session, struct store_mailbox *mailbox, uint32_t folder)
{
    if (session->watching)
        store_watch_remove(&session->watch);
    session->watching = mailbox != NULL;
    session->watch = (struct store_watch){.changed = harness_changed};
    if (mailbox != NULL)
        store_watch_add(mailbox, folder, &session->watch);
}

static void harness_watcher_changed(struct store_watch *watch, const struct store_change *change)
{
    struct session_watcher *watcher =
        (struct session_watcher *)(void *)((char *)watch - offsetof(struct session_watcher, watch));

    if (watcher->changed(watcher, change))
        harness_wake(watcher->session, false);
}

void session_watcher_add(struct session *session, struct store_mailbox *mailbox,
                         struct session_watcher *watcher)
{
    watcher->session = session;
    watcher->watch = (struct store_watch){.changed = harness_watcher_changed};
    watcher->next = session->watchers;
    session->watchers = watcher;
    store_watch_add(mailbox, 0, &watcher->watch);
}

void session_watcher_remove(struct session_watcher *watcher)
{
    struct session_watcher **at;

    if (watcher->session == NULL)
        return;
    for (at = &watcher->session->watchers; *at != watcher; at = &(*at)->next)
        ;
    *at = watcher->next;
    store_watch_remove(&watcher->watch);
    watcher->session = NULL;
}

bool session_is_own_change(const struct session *session, const struct store_change *change)
{
    return change->by == session;
}

void session_set_pause(struct session *session, unsigned milliseconds)
{
    session->paused = milliseconds != 0;
}

void session_set_tick(struct session *session, unsigned seconds)
{
    session->tick = seconds;
}

void session_set_busy(struct session *session, bool busy)
{
    session->busy = busy;
}

const char *session_stop_text(const struct session *session)
{
    return session->stop_text;
}

void session_log_command(struct session *session, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(session->log, sizeof(session->log), format, args);
    va_end(args);
}

/* ---- driving it ---- */

/* Waits for the writer where the engine does, or, with any, until anything comes; false when
   nothing did. */
static bool harness_wait(struct session *session, bool any)
{
    struct timespec until;
    int error = 0;
    bool come;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HARNESS_PATIENCE;
    pthread_mutex_lock(&session->mutex);
    while (error == 0 &&
           (session->outstanding != 0 || (any && !session->done && !session->changed)))
        error = pthread_cond_timedwait(&session->woken, &session->mutex, &until);
    if (session->done)
        session->events |= WHY_DONE;
    if (session->changed)
        session->events |= WHY_CHANGED;
    session->done = session->changed = false;
    come = error == 0;
    pthread_mutex_unlock(&session->mutex);
    return come;
}

/* Steps until the engine has nothing more to do. */
HARNESS_UNUSED static void session_run(struct session *session)
{
    enum step step = STEP_IDLE;
    unsigned worker = 0;

    while (!session->ended) {
        if (!harness_wait(session, false))
            fail_msg("an operation was never done");
        if (step == STEP_IDLE && session->events == 0)
            break;
        step = session->engine->advance(session, session->state, session->events | worker);
        session->events = step == STEP_MORE ? WHY_DRAINED : 0;
        worker = step == STEP_WORK ? WHY_WORKER : 0;
        session->worked |= step == STEP_WORK;
        session->ended = step == STEP_END;
        assert_true(session->room == SIZE_MAX || step != STEP_MORE ||
                    buf_length(&session->output) > 0);
        if (step != STEP_NEXT && step != STEP_WORK)
            buf_move(&session->sent, &session->output);
    }
}

/* open may be NULL where the engine needs none of it but the tag "login". */
HARNESS_UNUSED static struct session *
session_open(struct harness *harness, const struct engine *engine, const Link__Open *open)
{
    struct session *session = mem_alloc(sizeof(*session));
    Link__Open nothing = LINK__OPEN__INIT;
    struct err err;

    nothing.tag = "login";
    session->harness = harness;
    session->engine = engine;
    session->account = &harness->account;
    session->client = (Link__Client)LINK__CLIENT__INIT;
    session->client.address = "192.0.2.1";
    session->room = (size_t)256 << 10;
    session->stop_text = "server shutting down";
    pthread_mutex_init(&session->mutex, NULL);
    pthread_cond_init(&session->woken, NULL);
    if (engine->open(session, open != NULL ? open : &nothing, &session->state, &err) != ERR_NONE)
        fail_msg("open: %s", err.text);
    buf_move(&session->sent, &session->output);
    return session;
}

HARNESS_UNUSED static void session_close(struct session *session)
{
    harness_wait(session, false);
    if (session->watching)
        store_watch_remove(&session->watch);
    while (session->watchers != NULL)
        session_watcher_remove(session->watchers);
    session->engine->close(session, session->state);
    buf_release(&session->input);
    buf_release(&session->output);
    buf_release(&session->sent);
    pthread_mutex_destroy(&session->mutex);
    pthread_cond_destroy(&session->woken);
    free(session);
}

HARNESS_UNUSED static void session_send(struct session *session, const void *bytes, size_t length)
{
    size_t step = session->bytewise ? 1 : length;

    for (size_t at = 0; at < length; at += step) {
        buf_append(&session->input, (const char *)bytes + at, step);
        session->events |= WHY_INPUT;
        session_run(session);
    }
}

HARNESS_UNUSED static void session_send_text(struct session *session, const char *text)
{
    session_send(session, text, strlen(text));
}

HARNESS_UNUSED static void session_tick(struct session *session)
{
    session->events |= WHY_TICK;
    session_run(session);
}

HARNESS_UNUSED static void session_stop(struct session *session)
{
    session->events |= WHY_STOP;
    session_run(session);
}

static const char *harness_cut_line(struct session *session)
{
    size_t length = buf_length(&session->sent);
    const uint8_t *end = length == 0 ? NULL : memmem(buf_bytes(&session->sent), length, "\r\n", 2);
    size_t taken;

    if (end == NULL)
        return NULL;
    taken = (size_t)(end - buf_bytes(&session->sent));
    assert_true(taken < sizeof(session->line));
    memcpy(session->line, buf_bytes(&session->sent), taken);
    session->line[taken] = '\0';
    buf_consume(&session->sent, taken + 2);
    return session->line;
}

/* The next line that the engine sent, without CRLF; waits for changes by others. NULL when none
   comes. */
HARNESS_UNUSED static const char *session_take_line(struct session *session)
{
    for (;;) {
        const char *line;

        session_run(session);
        line = harness_cut_line(session);
        if (line != NULL || session->ended)
            return line;
        if (session->paused) {
            session->paused = false;
            session->events |= WHY_PAUSE;
            continue;
        }
        if (!session->watching && session->watchers == NULL)
            return NULL;
        if (!harness_wait(session, true))
            return NULL;
    }
}

#endif
