#include "cas-proxy/serve.h"

#include <stdlib.h>

#include "cas-proxy/certificates.h"
#include "cas-proxy/client.h"
#include "cas-proxy/data_folder.h"
#include "cas-proxy/front.h"
#include "cas-proxy/limits.h"
#include "cas-proxy/links.h"
#include "cas-proxy/listeners.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/privilege.h"
#include "common/signals.h"
#include "proto/admin_server.h"
#include "proto/link.h"

#define FILES_WANTED 1048576 /* one a connection; the limits of the settings are lower */

/* The main thread has a loop of its own, for signals and administration: a command that waits for the
   clients' loops never waits for itself. */
struct server {
    struct front front;
    struct link_self self;
    unsigned *uids; /* of back ends on this machine, for self */
    struct data_folder folder;
    struct loop *loop;
    struct admin_host host;
    struct admin_server *admin;
    struct signals *signals;
    unsigned running; /* loops whose thread runs */
};

/* ---- signals ---- */

static void on_stop(void *context)
{
    struct server *server = context;

    log_notice(NULL, "stopping");
    loop_stop(server->loop);
}

static enum err_code read_link_tls(const struct front_settings *settings, struct tls_context **tls,
                                   struct err *err)
{
    struct tls_settings files = {.engine = (enum tls_engine)settings->front.tls_engine,
                                 .role = TLS_CLIENT,
                                 .certificate_file = settings->link.certificate,
                                 .key_file = settings->link.key,
                                 .ca_file = settings->link.ca,
                                 .peer = TLS_PEER_REQUIRED};

    *tls = NULL;
    if (settings->link.certificate == NULL || settings->link.ca == NULL)
        return ERR_NONE;
    if (tls_context_create(tls, &files, err) != ERR_NONE)
        return err_prefix(err, "[link]");
    return ERR_NONE;
}

/* All of them or none. */
static enum err_code reload(struct front *front, struct err *err)
{
    struct tls_context *tls;
    enum err_code code = read_link_tls(front->settings, &tls, err);

    if (code == ERR_NONE)
        code = certificates_reload(front->certificates, err);
    if (code == ERR_NONE && tls != NULL)
        front_on_loops(front, links_renew_tls, tls);
    tls_context_unref(&tls);
    return code;
}

static void on_reload(void *context)
{
    struct server *server = context;
    struct err err;

    if (reload(&server->front, &err) == ERR_NONE)
        log_notice(NULL, "certificates read again");
    else
        log_error(NULL, "the old certificates stay in use: %s", err.text);
}

/* ---- starting ---- */

static enum err_code parse_ranges(const struct setting_list *list, struct net_range **ranges,
                                  size_t *count, struct err *err)
{
    *ranges = mem_array(list->count + 1, sizeof(**ranges));
    *count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        if (net_range_parse(&(*ranges)[i], list->items[i], err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

static enum err_code prepare_networks(struct front *front, struct err *err)
{
    const struct front_settings *settings = front->settings;

    if (parse_ranges(&settings->limits.trusted_networks, &front->trusted, &front->trusted_count,
                     err) != ERR_NONE ||
        parse_ranges(&settings->limits.proxy_networks, &front->proxies, &front->proxy_count, err) !=
            ERR_NONE ||
        parse_ranges(&settings->lmtp.lmtp_networks, &front->lmtp_allowed,
                     &front->lmtp_allowed_count, err) != ERR_NONE)
        return err->code;
    return ERR_NONE;
}

static enum err_code prepare_self(struct server *server, struct err *err)
{
    const struct front_settings *settings = server->front.settings;
    const struct setting_list *users = &settings->link.unix_users;
    enum err_code code = link_find_users(users, &server->uids, err);

    server->self = (struct link_self){.role = LINK__HELLO__ROLE__FRONT,
                                      .name = settings->front.name,
                                      .software = "cas-proxy " VERSION,
                                      .uids = server->uids,
                                      .uid_count = users->count,
                                      .allow_plain_tcp = settings->link.allow_plain_tcp};
    server->front.self = &server->self;
    return code;
}

static void make_loops(struct front *front)
{
    uint64_t wanted = front->settings->front.loops;

    front->loop_count = wanted != 0 ? (unsigned)wanted : uv_available_parallelism();
    front->loops = mem_array(front->loop_count, sizeof(*front->loops));
    for (unsigned i = 0; i < front->loop_count; i++) {
        front->loops[i].front = front;
        front->loops[i].loop = loop_create(i);
    }
}

/* As the user that they will be made again by: what root alone may connect to fails at once. */
static enum err_code open_links(struct front *front, struct err *err)
{
    for (unsigned i = 0; i < front->loop_count; i++) {
        if (links_open(&front->loops[i], err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

static enum err_code prepare(struct server *server, struct err *err)
{
    struct front *front = &server->front;
    const struct front_settings *settings = front->settings;
    struct limits_settings limits = {.delay = settings->limits.failed_login_delay,
                                     .delay_most = settings->limits.failed_login_delay_most,
                                     .memory = settings->limits.failed_login_memory};

    front->limits = limits_create(&limits);
    privilege_raise_files(FILES_WANTED);
    if (privilege_restrict(err) != ERR_NONE || front_settings_check(settings, err) != ERR_NONE ||
        data_folder_open(&server->folder, settings, err) != ERR_NONE)
        return err->code;
    front->services = server->host.services = server->folder.services;
    server->host.context = front;
    if (certificates_create(&front->certificates, settings, err) != ERR_NONE ||
        prepare_networks(front, err) != ERR_NONE || prepare_self(server, err) != ERR_NONE ||
        read_link_tls(settings, &front->link_tls, err) != ERR_NONE)
        return err->code;
    make_loops(front);
    return ERR_NONE;
}

/* ---- stopping ---- */

static void stop_loop(struct front_loop *home, void *context)
{
    (void)context;
    listeners_close(home);
    client_stop_all(home, NULL);
    if (home->route != NULL)
        links_close(home);
}

/* Says good-bye to the clients and ends the loops. What was written is handed to the kernel in the
   turn that follows. */
static void stop_loops(struct server *server)
{
    struct front *front = &server->front;

    if (front->loops == NULL)
        return;
    if (server->running == front->loop_count)
        front_on_loops(front, stop_loop, NULL);
    for (unsigned i = 0; i < front->loop_count; i++) {
        struct front_loop *home = &front->loops[i];

        loop_stop(home->loop);
        if (i >= server->running)
            loop_run(home->loop); /* what was posted for its thread: sockets that are closed now */
        stop_loop(home, NULL);
        loop_destroy(&home->loop);
        links_free(home);
    }
    free(front->loops);
}

static void tear_down(struct server *server)
{
    struct front *front = &server->front;

    if (server->admin != NULL)
        admin_server_close(&server->admin);
    stop_loops(server);
    if (server->signals != NULL)
        signals_close(&server->signals);
    loop_destroy(&server->loop);
    if (front->certificates != NULL)
        certificates_destroy(&front->certificates);
    tls_context_unref(&front->link_tls);
    if (server->folder.services != NULL)
        data_folder_close(&server->folder);
    limits_destroy(&front->limits);
    free(server->uids);
    free(front->trusted);
    free(front->proxies);
    free(front->lmtp_allowed);
    free(server);
}

/* ---- running ---- */

/* Sockets first, which may need root; threads last, which never have it. */
static enum err_code start(struct server *server, struct err *err)
{
    struct front *front = &server->front;
    struct signals_handlers handlers = {.stop = on_stop, .reload = on_reload, .context = server};

    if (prepare(server, err) != ERR_NONE)
        return err->code;
    server->signals = signals_open(server->loop, &handlers);
    services_listen(front->services, listeners_switch, front);
    if (services_start_enabled(front->services, err) != ERR_NONE ||
        admin_server_open(&server->admin, server->loop, &server->host, err) != ERR_NONE ||
        data_folder_give(front->settings, err) != ERR_NONE ||
        privilege_drop(front->settings->front.user, front->settings->front.group, err) !=
            ERR_NONE ||
        open_links(front, err) != ERR_NONE)
        return err->code;
    for (; server->running < front->loop_count; server->running++) {
        if (loop_start(front->loops[server->running].loop, err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

enum err_code serve(const struct front_settings *settings, const struct admin_program *program,
                    struct err *err)
{
    struct server *server = mem_alloc(sizeof(*server));
    enum err_code code;

    server->front.settings = settings;
    server->loop = loop_create(0);
    server->host = (struct admin_host){.program = program, .settings = settings, .daemon = true};
    code = start(server, err);
    if (code == ERR_NONE) {
        log_notice(NULL, "cas-proxy " VERSION " serves as %s, %u loops, %zu back ends, %s",
                   settings->front.name, server->front.loop_count, settings->backends.count,
                   tls_library((enum tls_engine)settings->front.tls_engine));
        loop_run(server->loop);
    }
    tear_down(server);
    return code;
}
