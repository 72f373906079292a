#include "mailbox-backend/serve.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/privilege.h"
#include "common/signals.h"
#include "mailbox-backend/link_service.h"
#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/removal.h"
#include "mailbox-backend/search/gram_index.h"
#include "mailbox-backend/session_registry.h"
#include "mailbox-backend/session_start.h"
#include "proto/admin_server.h"

#define FILES_WANTED 65536 /* links, databases, segments: sessions take none */
#define LOOK_MS 20         /* how often it is looked whether all has ended */

/* What is waited for, once the program stops. */
enum stop_stage {
    STOP_NOT,
    STOP_SESSIONS, /* to say good-bye, until the deadline */
    STOP_LINKS,    /* to end, and operations of their sessions with them */
    STOP_OUTPUT,   /* one more look, in which the loops hand the last bytes to the kernel */
};

/* The main thread has a loop of its own, for signals, administration and connections that come: what
   waits for the sessions' loops never waits for itself. */
struct server {
    struct backend backend;
    struct loop *loop;
    struct signals *signals;
    struct admin_host host;
    struct admin_server *admin;
    struct removal *removal;
    unsigned running; /* loops whose thread runs */
    enum stop_stage stage;
    uint64_t deadline;
    uv_timer_t look;
};

/* ---- stopping ---- */

static bool all_have_ended(struct server *server)
{
    return session_registry_count(server->backend.registry, 0) == 0;
}

static void end_links(struct server *server)
{
    uint64_t left = session_registry_count(server->backend.registry, 0);

    if (left != 0)
        log_warning(NULL, "%llu sessions did not end in time", (unsigned long long)left);
    link_service_end_links(server->backend.links);
    server->stage = STOP_LINKS;
}

static void on_look(uv_timer_t *timer)
{
    struct server *server = timer->data;

    switch (server->stage) {
    case STOP_NOT:
        break;
    case STOP_SESSIONS:
        if (all_have_ended(server) || loop_now(server->loop) >= server->deadline)
            end_links(server);
        break;
    case STOP_LINKS:
        if (all_have_ended(server) && link_service_links(server->backend.links) == 0)
            server->stage = STOP_OUTPUT;
        break;
    case STOP_OUTPUT:
        uv_close((uv_handle_t *)timer, NULL);
        loop_stop(server->loop);
        break;
    }
}

/* A second signal ends the patience with sessions. */
static void on_stop(void *context)
{
    static const struct session_choice all = {0};
    struct server *server = context;
    uint64_t patience = server->backend.settings->backend.stop_timeout * 1000;

    if (server->stage != STOP_NOT) {
        server->deadline = 0;
        return;
    }
    log_notice(NULL, "stopping");
    server->stage = STOP_SESSIONS;
    server->deadline = loop_now(server->loop) + patience;
    link_service_drain(server->backend.links, "the back end is stopping");
    sessions_stop(&server->backend, &all, LINK__CLOSE__REASON__SHUTDOWN, "server shutting down");
    uv_timer_init(loop_uv(server->loop), &server->look);
    server->look.data = server;
    uv_timer_start(&server->look, on_look, LOOK_MS, LOOK_MS);
}

static void stop_loops(struct server *server)
{
    struct backend *backend = &server->backend;

    while (server->running > 0)
        loop_stop(backend->loops[--server->running]);
    pool_destroy(&backend->step_pool);
    pool_destroy(&backend->hash_pool);
    pool_destroy(&backend->bulk_pool);
    for (unsigned i = 0; i < backend->loop_count; i++)
        loop_destroy(&backend->loops[i]);
    free(backend->loops);
}

static void tear_down(struct server *server)
{
    admin_server_close(&server->admin);
    removal_stop(&server->removal);
    stop_loops(server);
    signals_close(&server->signals);
    link_service_close(&server->backend.links);
    loop_destroy(&server->loop);
    session_registry_destroy(&server->backend.registry);
    gram_index_close(&server->backend.grams);
    backend_close(&server->backend);
    free(server);
}

/* ---- signals and changes ---- */

static void on_reload(void *context)
{
    struct server *server = context;
    struct err err;

    if (link_service_reload(server->backend.links, &err) == ERR_NONE)
        log_notice(NULL, "certificates read again");
    else
        log_error(NULL, "the old certificates stay in use: %s", err.text);
    directory_read_keys(server->backend.directory);
}

static void on_account_changed(void *context, const struct store_guid *guid, unsigned services_left)
{
    const struct session_choice choice = {.account = guid, .services_left = services_left};

    sessions_stop(context, &choice, LINK__CLOSE__REASON__DISABLED,
                  "the account was changed, log in again");
}

/* ---- starting ---- */

static unsigned or_else(uint64_t wanted, unsigned otherwise)
{
    return wanted != 0 ? (unsigned)wanted : otherwise;
}

static enum err_code make_threads(struct backend *backend, struct err *err)
{
    const struct backend_settings *settings = backend->settings;
    unsigned cores = uv_available_parallelism();
    unsigned half = cores > 1 ? cores / 2 : 1;

    backend->loop_count = or_else(settings->backend.loops, cores);
    backend->loops = mem_array(backend->loop_count, sizeof(*backend->loops));
    for (unsigned i = 0; i < backend->loop_count; i++)
        backend->loops[i] = loop_create(i);
    if (pool_create(&backend->step_pool, "step", or_else(settings->backend.step_threads, 2 * cores),
                    err) != ERR_NONE ||
        pool_create(&backend->hash_pool, "hash", or_else(settings->backend.hash_threads, half),
                    err) != ERR_NONE)
        return err->code;
    return pool_create(&backend->bulk_pool, "bulk", half, err);
}

static enum err_code open_search_index(struct backend *backend, struct err *err)
{
    char *folder = backend_path(backend->settings, "search");
    enum err_code code = ERR_NONE;

    if (backend->settings->store.search_index)
        code = gram_index_open(&backend->grams, folder, err);
    free(folder);
    return code;
}

static enum err_code start_services(struct server *server, struct err *err)
{
    struct backend *backend = &server->backend;

    directory_listen(backend->directory, on_account_changed, backend);
    services_listen(backend->services, link_service_switch, backend->links);
    return services_start_enabled(backend->services, err);
}

static enum err_code start_loops(struct server *server, struct err *err)
{
    for (; server->running < server->backend.loop_count; server->running++) {
        if (loop_start(server->backend.loops[server->running], err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

/* A charset that the system lacks is no reason to refuse everybody's mail. */
static void open_charsets(void)
{
    struct err err;

    if (charset_init(&err) != ERR_NONE)
        log_warning(NULL, "%s: such text cannot be searched", err.text);
}

static enum err_code start(struct server *server, const struct backend_settings *settings,
                           struct err *err)
{
    const struct signals_handlers handlers = {
        .stop = on_stop, .reload = on_reload, .context = server};
    struct backend *backend = &server->backend;

    open_charsets();
    privilege_raise_files(FILES_WANTED);
    if (backend_settings_check(settings, err) != ERR_NONE || privilege_restrict(err) != ERR_NONE ||
        backend_open(backend, settings, BACKEND_SERVICES | BACKEND_DIRECTORY | BACKEND_STORE,
                     err) != ERR_NONE ||
        make_threads(backend, err) != ERR_NONE || open_search_index(backend, err) != ERR_NONE)
        return err->code;
    directory_read_keys(backend->directory);
    backend->registry = session_registry_create();
    server->host.services = backend->services;
    server->signals = signals_open(server->loop, &handlers);
    if (link_service_open(&backend->links, backend, server->loop, err) != ERR_NONE ||
        start_services(server, err) != ERR_NONE ||
        admin_server_open(&server->admin, server->loop, &server->host, err) != ERR_NONE)
        return err->code;
    server->removal = removal_start(backend, server->loop);
    link_service_start(backend->links);
    return start_loops(server, err);
}

enum err_code serve(const struct backend_settings *settings, const struct admin_program *program,
                    struct err *err)
{
    struct server *server = mem_alloc(sizeof(*server));
    enum err_code code;

    server->backend.lock = -1;
    server->loop = loop_create(0);
    server->host = (struct admin_host){
        .program = program, .settings = settings, .context = &server->backend, .daemon = true};
    code = start(server, settings, err);
    if (code == ERR_NONE) {
        log_notice(NULL, "mailbox-backend " VERSION " serves as %s, %u loops, %s",
                   settings->backend.name, server->backend.loop_count,
                   tls_library((enum tls_engine)settings->backend.tls_engine));
        loop_run(server->loop);
    }
    tear_down(server);
    if (code == ERR_NONE)
        log_notice(NULL, "stopped");
    return code;
}
