/* Real sessions over a real link: a front and a back on the test's own thread, pools on threads of
   their own, and an engine that does what it is told, line by line:

     echo TEXT      writes TEXT
     flood N        writes N bytes, STEP_MORE whenever there is no room
     work           STEP_WORK, then writes whether it is on a worker
     wait           the same, but the worker waits for session_rig_release()
     turns N        N times STEP_NEXT, noting its number each time, then writes "turned"
     set            makes a folder; writes "set" when it is done
     watch          watches the mailbox; from then on writes "changed" for WHY_CHANGED
     tick           sets the tick; writes "tick" when it comes
     eat            consumes everything from now on, and writes nothing
     ignore         consumes nothing any more
     quit           writes "bye", STEP_END */
#ifndef TESTS_UNIT_BACKEND_SESSION_RIG_H
#define TESTS_UNIT_BACKEND_SESSION_RIG_H

#include "tests/unit/proto/rig.h"

#include <pthread.h>
#include <semaphore.h>

#include "common/mem.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/session_registry.h"
#include "mailbox-backend/session_start.h"

enum fake_mode {
    FAKE_LINES,
    FAKE_FLOOD,
    FAKE_WORK,
    FAKE_WAIT,
    FAKE_TURNS,
    FAKE_SET,
    FAKE_EAT,
    FAKE_IGNORE
};

struct fake {
    enum fake_mode mode;
    size_t left;
    size_t written;
    struct store_mailbox *mailbox;
    struct store_op op;
    char value[16];
};

/* What the engines of a test have done. */
static struct {
    pthread_t loop_thread;
    sem_t release;
    int opens, closes;
    unsigned sets;
    char turns[64]; /* letters of the sessions in the order of their turns */
    size_t most_output;
    enum err_code open_fails;
    struct store *store;
    struct store_guid guid;
} fake_log;

static inline struct str fake_line(struct buf *input)
{
    const uint8_t *bytes = buf_length(input) == 0 ? (const uint8_t *)"" : buf_bytes(input);
    const uint8_t *end = memchr(bytes, '\n', buf_length(input));

    return end == NULL ? (struct str){NULL, 0} : str_n(bytes, (size_t)(end - bytes));
}

static inline enum step fake_set(struct session *session, struct fake *fake)
{
    snprintf(fake->value, sizeof(fake->value), "folder %u", ++fake_log.sets);
    fake->op = (struct store_op){.kind = OP_FOLDER_CREATE, .mailbox = fake->mailbox};
    fake->op.in.create.parent = STORE_ROOT_FOLDER;
    fake->op.in.create.name = fake->value;
    fake->op.in.create.class = CLASS_MAIL;
    fake->mode = FAKE_SET;
    session_submit(session, &fake->op);
    assert_true(session_is_waiting(session));
    return STEP_WAIT;
}

static inline bool fake_starts(struct str line, const char *word, size_t *number)
{
    size_t length = strlen(word);

    if (line.length < length || memcmp(line.data, word, length) != 0)
        return false;
    *number = strtoul(line.data + length, NULL, 10);
    return true;
}

/* One line; STEP_IDLE: go on with the next. */
static inline enum step fake_command(struct session *session, struct fake *fake, struct str line)
{
    struct buf *output = session_output(session);
    size_t number;

    if (fake_starts(line, "echo ", &number)) {
        buf_append(output, line.data + 5, line.length - 5);
    } else if (fake_starts(line, "flood ", &number)) {
        fake->mode = FAKE_FLOOD;
        fake->left = number;
    } else if (fake_starts(line, "work", &number)) {
        fake->mode = FAKE_WORK;
        return STEP_WORK;
    } else if (fake_starts(line, "wait", &number)) {
        fake->mode = FAKE_WAIT;
        return STEP_WORK;
    } else if (fake_starts(line, "turns ", &number)) {
        fake->mode = FAKE_TURNS;
        fake->left = number;
    } else if (fake_starts(line, "set", &number)) {
        return fake_set(session, fake);
    } else if (fake_starts(line, "watch", &number)) {
        session_watch(session, fake->mailbox, 0);
        buf_text(output, "watching");
    } else if (fake_starts(line, "tick", &number)) {
        session_set_tick(session, 1);
    } else if (fake_starts(line, "eat", &number)) {
        fake->mode = FAKE_EAT;
    } else if (fake_starts(line, "ignore", &number)) {
        fake->mode = FAKE_IGNORE;
    } else if (fake_starts(line, "quit", &number)) {
        buf_text(output, "bye");
        return STEP_END;
    }
    return STEP_IDLE;
}

static inline enum step fake_lines(struct session *session, struct fake *fake)
{
    struct buf *input = session_input(session);
    enum step step = STEP_IDLE;
    struct str line;

    while (fake->mode == FAKE_LINES && (line = fake_line(input)).data != NULL) {
        step = fake_command(session, fake, line);
        buf_consume(input, line.length + 1);
        if (step != STEP_IDLE)
            return step;
    }
    if (fake->mode == FAKE_EAT)
        buf_consume(input, buf_length(input));
    return fake->mode == FAKE_FLOOD || fake->mode == FAKE_TURNS ? STEP_NEXT : STEP_IDLE;
}

static inline enum step fake_flood(struct session *session, struct fake *fake)
{
    while (fake->left > 0) {
        size_t room = session_room(session);
        size_t share = room < fake->left ? room : fake->left;

        if (room == 0)
            return STEP_MORE;
        for (size_t i = 0; i < share; i++)
            buf_byte(session_output(session), (uint8_t)(fake->written++ % 251));
        fake->left -= share;
        if (buf_length(session_output(session)) > fake_log.most_output)
            fake_log.most_output = buf_length(session_output(session));
    }
    fake->mode = FAKE_LINES;
    return STEP_NEXT;
}

static inline enum step fake_work(struct session *session, struct fake *fake, unsigned why)
{
    bool elsewhere = pthread_equal(pthread_self(), fake_log.loop_thread) == 0;

    assert_true((why & WHY_WORKER) != 0);
    if (fake->mode == FAKE_WAIT)
        sem_wait(&fake_log.release);
    buf_text(session_output(session), elsewhere ? "on a worker" : "on the loop");
    fake->mode = FAKE_LINES;
    return STEP_NEXT;
}

static inline enum step fake_turns(struct session *session, struct fake *fake)
{
    size_t noted = strlen(fake_log.turns);

    fake_log.turns[noted] = (char)('a' + session_client(session)->port);
    if (--fake->left > 0)
        return STEP_NEXT;
    buf_text(session_output(session), "turned");
    fake->mode = FAKE_LINES;
    return STEP_NEXT;
}

static inline enum step fake_advance(struct session *session, void *state, unsigned why)
{
    struct fake *fake = state;

    if ((why & WHY_CHANGED) != 0)
        buf_text(session_output(session), "changed");
    if ((why & WHY_TICK) != 0)
        buf_text(session_output(session), "tick");
    if (fake->mode == FAKE_SET) {
        if (session_is_waiting(session))
            return STEP_WAIT;
        assert_int_equal(fake->op.err.code, ERR_NONE);
        buf_text(session_output(session), "set");
        fake->mode = FAKE_LINES;
    }
    if ((why & WHY_STOP) != 0) {
        buf_text(session_output(session), session_stop_text(session));
        return STEP_END;
    }
    if (fake->mode == FAKE_WORK || fake->mode == FAKE_WAIT)
        return fake_work(session, fake, why);
    if (fake->mode == FAKE_FLOOD)
        return fake_flood(session, fake);
    if (fake->mode == FAKE_TURNS)
        return fake_turns(session, fake);
    return fake_lines(session, fake);
}

static inline enum err_code fake_open(struct session *session, const Link__Open *open, void **state,
                                      struct err *err)
{
    struct fake *fake;

    assert_int_equal(open->initial_response.len, 0); /* engines do not see credentials */
    if (fake_log.open_fails != ERR_NONE)
        return err_set(err, fake_log.open_fails, "as told");
    fake = mem_alloc(sizeof(*fake));
    if (fake_log.store != NULL)
        assert_int_equal(
            store_mailbox_open(fake_log.store, &fake_log.guid, true, &fake->mailbox, NULL, err),
            ERR_NONE);
    buf_printf(session_output(session), "hello %s ",
               session_account(session) == NULL ? "front" : session_account(session)->name);
    fake_log.opens++;
    *state = fake;
    return ERR_NONE;
}

static inline void fake_close(struct session *session, void *state)
{
    struct fake *fake = state;

    (void)session;
    if (fake->mailbox != NULL)
        store_mailbox_unref(&fake->mailbox);
    free(fake);
    fake_log.closes++;
}

static inline const char *const *fake_capabilities(const struct backend *backend,
                                                   struct arena *arena)
{
    static const char *const none[] = {NULL};

    (void)backend;
    (void)arena;
    return none;
}

static const struct engine fake_engine = {
    .service = "fake",
    .open = fake_open,
    .advance = fake_advance,
    .close = fake_close,
    .capabilities = fake_capabilities,
};

static inline uint64_t fake_idle_timeout(const struct backend_settings *settings)
{
    return settings->imap4be.idle_timeout;
}

static inline uint64_t fake_max_sessions(const struct backend_settings *settings)
{
    return settings->imap4be.max_sessions_user;
}

static const struct engine_entry fake_open_to_all = {&fake_engine, SERVICE_LMTP, true,
                                                     fake_idle_timeout, NULL};
static const struct engine_entry fake_for_users = {&fake_engine, SERVICE_IMAP4, false,
                                                   fake_idle_timeout, fake_max_sessions};

/* ---- a back end of it ---- */

struct session_rig {
    struct rig rig;
    struct backend_settings settings;
    struct backend backend;
    struct loop *loops[1];
    const struct engine_entry *entry;
    struct link *link; /* the back's */
};

static inline void session_rig_open(void *context, struct link *link, struct link_session *session,
                                    const Link__Open *open)
{
    struct session_rig *rig = context;

    (void)link;
    session_start(&rig->backend, rig->rig.loop, session, rig->entry, open);
}

static inline void session_rig_down(void *context, struct link *link, const struct err *why)
{
    (void)link;
    (void)why;
    ((struct session_rig *)context)->link = NULL;
}

static inline void session_rig_accept(struct listener *listener, int fd,
                                      const struct net_address *peer, void *context)
{
    static const struct link_events events = {.open = session_rig_open, .down = session_rig_down};
    struct session_rig *rig = context;

    (void)listener;
    (void)peer;
    rig->link = link_server(rig->rig.loop, fd, NULL, &rig_back_self, &events, rig);
}

static inline void session_rig_begin(struct session_rig *rig)
{
    struct err err = {0};
    int fd;

    memset(&fake_log, 0, sizeof(fake_log));
    fake_log.loop_thread = pthread_self();
    sem_init(&fake_log.release, 0, 0);
    memset(rig, 0, sizeof(*rig));
    rig_begin(&rig->rig);
    rig->settings.imap4be.idle_timeout = 1800;
    rig->settings.imap4be.max_sessions_user = 2;
    rig->entry = &fake_open_to_all;
    rig->loops[0] = rig->rig.loop;
    rig->backend = (struct backend){
        .settings = &rig->settings, .loops = rig->loops, .loop_count = 1, .lock = -1};
    rig->backend.registry = session_registry_create();
    assert_int_equal(pool_create(&rig->backend.step_pool, "step", 2, &err), ERR_NONE);
    assert_int_equal(pool_create(&rig->backend.hash_pool, "hash", 1, &err), ERR_NONE);
    assert_int_equal(net_listen(&fd, &rig->rig.address, false, 0, &err), ERR_NONE);
    rig->rig.listener = listener_open(rig->rig.loop, fd, session_rig_accept, rig);
    rig_client(&rig->rig, "back1");
    rig_until(&rig->rig, &rig->rig.front.ups, 1);
}

static inline void session_rig_end(struct session_rig *rig)
{
    link_destroy(&rig->rig.front.link);
    link_destroy(&rig->link);
    while (sessions_on_loop(rig->rig.loop) != 0)
        uv_run(loop_uv(rig->rig.loop), UV_RUN_ONCE);
    assert_int_equal(fake_log.opens, fake_log.closes);
    pool_destroy(&rig->backend.step_pool);
    pool_destroy(&rig->backend.hash_pool);
    if (rig->backend.store != NULL)
        store_close(&rig->backend.store);
    if (rig->backend.directory != NULL)
        directory_close(&rig->backend.directory);
    rig_end(&rig->rig);
    session_registry_destroy(&rig->backend.registry);
    sem_destroy(&fake_log.release);
}

static inline void session_rig_release(void)
{
    sem_post(&fake_log.release);
}

/* ---- parts that only some tests have ---- */

static inline void session_rig_store(struct session_rig *rig)
{
    char folder[128];
    struct store_settings settings = {
        .folder = folder,
        .databases = 1,
        .map_size = (uint64_t)1 << 28,
        .max_readers = 32,
        .message_size_limit = (uint64_t)1 << 20,
        .content_budget = (uint64_t)64 << 20,
        .recovery_seconds = 3600,
    };
    struct err err = {0};

    snprintf(folder, sizeof(folder), "%s/store", rig->rig.folder);
    assert_int_equal(store_open(&rig->backend.store, &settings, &err), ERR_NONE);
    fake_log.store = rig->backend.store;
    fake_log.guid.bytes[0] = 1;
}

static inline void session_rig_account_changed(void *context, const struct store_guid *guid,
                                               unsigned services_left)
{
    const struct session_choice choice = {.account = guid, .services_left = services_left};

    sessions_stop(context, &choice, LINK__CLOSE__REASON__DISABLED, "account changed");
}

/* A directory with alice, whose password is "secret". */
static inline void session_rig_directory(struct session_rig *rig)
{
    char folder[128];
    struct directory_settings settings = {
        .folder = folder, .default_domain = "example.test", .delimiter = "+", .cache_seconds = 60};
    struct account_new alice = {
        .name = STR("alice"), .password = STR("secret"), .services = SERVICES_ALL};
    struct arena arena = {0};
    struct err err = {0};

    rig->entry = &fake_for_users;
    snprintf(folder, sizeof(folder), "%s/directory", rig->rig.folder);
    assert_int_equal(directory_open(&rig->backend.directory, &settings, &err), ERR_NONE);
    assert_int_equal(account_add(rig->backend.directory, &alice, false, &arena, NULL, &err),
                     ERR_NONE);
    directory_listen(rig->backend.directory, session_rig_account_changed, &rig->backend);
    arena_reset(&arena);
}

/* ---- the front ---- */

struct client {
    struct told told;
    struct session_rig *rig;
};

/* Opens a session; number names it in fake_log.turns. Returns when the back end has answered. */
static inline void client_open(struct client *client, struct session_rig *rig, unsigned number,
                               const char *mechanism, struct str response)
{
    Link__Open open = LINK__OPEN__INIT;
    Link__Client facts = LINK__CLIENT__INIT;

    memset(client, 0, sizeof(*client));
    client->rig = rig;
    facts.address = (char *)"192.0.2.1";
    facts.port = number;
    open.service = (char *)"fake";
    open.mechanism = (char *)mechanism;
    open.client = &facts;
    open.has_initial_response = response.data != NULL;
    open.initial_response.data = (uint8_t *)response.data;
    open.initial_response.len = response.length;
    client->told.session =
        link_open(rig->rig.front.link, &open, &rig_session_events, &client->told);
    assert_non_null(client->told.session);
    rig_until(&rig->rig, &client->told.messages, 1);
}

static inline void client_open_plainly(struct client *client, struct session_rig *rig,
                                       unsigned number)
{
    client_open(client, rig, number, "", (struct str){NULL, 0});
}

static inline void client_say(struct client *client, const char *text)
{
    assert_int_equal(link_session_data(client->told.session, text, strlen(text)), strlen(text));
}

/* Waits for these bytes, which must be the next. */
static inline void client_expect(struct client *client, const char *text)
{
    size_t length = strlen(text);

    rig_until_data(&client->rig->rig, &client->told, length);
    assert_memory_equal(buf_bytes(&client->told.data), text, length);
    buf_consume(&client->told.data, length);
}

static inline void client_forget(struct client *client)
{
    buf_release(&client->told.data);
}

#endif
