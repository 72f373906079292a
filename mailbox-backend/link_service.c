#include "mailbox-backend/link_service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/link_service_private.h"
#include "mailbox-backend/session_start.h"

#define SOCKET_MODE 0660
#define LINKS_MOST 4096 /* no deployment has so many: it is a flood */

/* ---- settings ---- */

static enum err_code read_tls(const struct backend_settings *settings, struct tls_context **tls,
                              struct err *err)
{
    const struct tls_settings files = {
        .engine = (enum tls_engine)settings->backend.tls_engine,
        .role = TLS_SERVER,
        .certificate_file = settings->link.certificate,
        .key_file = settings->link.key,
        .ca_file = settings->link.ca,
        .peer = TLS_PEER_REQUIRED,
    };

    *tls = NULL;
    if (settings->link.certificate == NULL || settings->link.certificate[0] == '\0')
        return ERR_NONE;
    return tls_context_create(tls, &files, err);
}

static enum err_code read_users(struct link_service *service, struct err *err)
{
    const struct setting_list *users = &service->backend->settings->link.unix_users;
    enum err_code code = link_find_users(users, &service->uids, err);

    service->self.uids = service->uids;
    service->self.uid_count = users->count;
    return code;
}

static enum err_code bind_sockets(struct link_service *service, struct err *err)
{
    const struct setting_list *listen = &service->backend->settings->link.listen;

    if (listen->count == 0)
        return err_set(err, ERR_INVALID, "[link] listen is empty: no front could ever connect");
    service->sockets = mem_array(listen->count, sizeof(int));
    service->listeners = mem_array(listen->count, sizeof(*service->listeners));
    for (size_t i = 0; i < listen->count; i++) {
        struct net_address address;
        enum err_code code = net_parse(&address, listen->items[i], err);

        if (code == ERR_NONE)
            code = net_listen(&service->sockets[i], &address, false, SOCKET_MODE, err);
        if (code != ERR_NONE)
            return err_prefix(err, "[link] listen");
        service->listener_count++;
    }
    return ERR_NONE;
}

static void make_homes(struct link_service *service)
{
    struct backend *backend = service->backend;

    service->homes = mem_array(backend->loop_count, sizeof(*service->homes));
    for (unsigned i = 0; i < backend->loop_count; i++) {
        service->homes[i].service = service;
        service->homes[i].loop = backend->loops[i];
        LIST_INIT(&service->homes[i].links);
    }
}

enum err_code link_service_open(struct link_service **where, struct backend *backend,
                                struct loop *loop, struct err *err)
{
    struct link_service *service = mem_alloc(sizeof(*service));

    service->backend = backend;
    service->loop = loop;
    service->self = (struct link_self){
        .role = LINK__HELLO__ROLE__BACK,
        .name = backend->settings->backend.name,
        .software = "mailbox-backend " VERSION,
        .services = link_service_say,
        .context = service,
        .allow_plain_tcp = backend->settings->link.allow_plain_tcp,
    };
    make_homes(service);
    if (read_users(service, err) != ERR_NONE ||
        read_tls(backend->settings, &service->tls, err) != ERR_NONE ||
        bind_sockets(service, err) != ERR_NONE) {
        link_service_close(&service);
        return err->code;
    }
    *where = service;
    return ERR_NONE;
}

enum err_code link_service_reload(struct link_service *service, struct err *err)
{
    struct tls_context *tls;

    if (read_tls(service->backend->settings, &tls, err) != ERR_NONE)
        return err->code;
    tls_context_unref(&service->tls);
    service->tls = tls;
    return ERR_NONE;
}

/* ---- links that come ---- */

/* An accepted socket on its way to the loop that will have it. */
struct arrival {
    struct loop_task task;
    struct link_home *home;
    struct tls_context *tls;
    int fd;
};

static void arrive(struct loop_task *task)
{
    struct arrival *arrival = (struct arrival *)task;
    struct link_home *home = arrival->home;
    struct front_link *front;

    if (atomic_load(&home->service->draining)) {
        close(arrival->fd);
    } else {
        front = mem_alloc(sizeof(*front));
        front->home = home;
        LIST_INSERT_HEAD(&home->links, front, in_home);
        atomic_fetch_add(&home->service->link_count, 1);
        front->link = link_server(home->loop, arrival->fd, arrival->tls, &home->service->self,
                                  &link_service_events, front);
    }
    tls_context_unref(&arrival->tls);
    free(arrival);
}

/* A front has a link from each of its loops, so taking turns spreads its sessions evenly. */
static void on_accept(struct listener *listener, int fd, const struct net_address *peer,
                      void *context)
{
    struct link_service *service = context;
    struct arrival *arrival;

    (void)listener;
    (void)peer;
    if (atomic_load(&service->link_count) >= LINKS_MOST) {
        log_warning(NULL, "a link was refused: there are %d already", LINKS_MOST);
        close(fd);
        return;
    }
    arrival = mem_alloc(sizeof(*arrival));
    arrival->task.run = arrive;
    arrival->home = &service->homes[service->next_home++ % service->backend->loop_count];
    arrival->tls = service->tls == NULL ? NULL : tls_context_ref(service->tls);
    arrival->fd = fd;
    loop_post(arrival->home->loop, &arrival->task);
}

void link_service_start(struct link_service *service)
{
    for (size_t i = 0; i < service->listener_count; i++)
        service->listeners[i] =
            listener_open(service->loop, service->sockets[i], on_accept, service);
}

void front_link_forget(struct front_link *front)
{
    atomic_fetch_sub(&front->home->service->link_count, 1);
    LIST_REMOVE(front, in_home);
    free(front);
}

/* ---- on every loop ---- */

struct errand {
    struct loop_task task;
    struct link_home *home;
    void (*visit)(struct front_link *front, const char *text);
    const char *text;
};

static void visit_all(struct loop_task *task)
{
    struct errand *errand = (struct errand *)task;
    struct front_link *front = LIST_FIRST(&errand->home->links);

    while (front != NULL) {
        struct front_link *next = LIST_NEXT(front, in_home); /* a visit may forget the link */

        errand->visit(front, errand->text);
        front = next;
    }
    free(errand);
}

static void visit_links(struct link_service *service,
                        void (*visit)(struct front_link *front, const char *text), const char *text)
{
    for (unsigned i = 0; i < service->backend->loop_count; i++) {
        struct errand *errand = mem_alloc(sizeof(*errand));

        errand->task.run = visit_all;
        errand->home = &service->homes[i];
        errand->visit = visit;
        errand->text = text;
        loop_post(errand->home->loop, &errand->task);
    }
}

static void say_services(struct front_link *front, const char *text)
{
    (void)text;
    link_say_services(front->link);
}

static void say_drain(struct front_link *front, const char *text)
{
    link_say_drain(front->link, text);
}

static void end_link(struct front_link *front, const char *text)
{
    (void)text;
    link_destroy(&front->link);
    front_link_forget(front);
}

enum err_code link_service_switch(void *context, const char *name, bool run, struct err *err)
{
    struct link_service *service = context;
    const struct engine_entry *entry = engine_find(name);
    const struct session_choice choice = {.entry = entry};
    unsigned bit;

    if (entry == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no service %s", name);
    bit = 1u << (entry - engines);
    if (run) {
        atomic_fetch_or(&service->running, bit);
    } else {
        atomic_fetch_and(&service->running, ~bit);
        sessions_stop(service->backend, &choice, LINK__CLOSE__REASON__DISABLED,
                      "the service was switched off");
    }
    visit_links(service, say_services, NULL);
    log_notice(NULL, "service %s %s", name, run ? "started" : "stopped");
    return ERR_NONE;
}

static void stop_listening(struct link_service *service)
{
    for (size_t i = 0; i < service->listener_count; i++) {
        if (service->listeners[i] != NULL)
            listener_close(service->listeners[i]);
        else
            close(service->sockets[i]);
    }
    service->listener_count = 0;
}

void link_service_drain(struct link_service *service, const char *reason)
{
    atomic_store(&service->draining, true);
    stop_listening(service);
    visit_links(service, say_drain, reason);
}

void link_service_end_links(struct link_service *service)
{
    visit_links(service, end_link, NULL);
}

unsigned link_service_links(struct link_service *service)
{
    return atomic_load(&service->link_count);
}

void link_service_close(struct link_service **where)
{
    struct link_service *service = *where;

    if (service == NULL)
        return;
    *where = NULL;
    stop_listening(service);
    tls_context_unref(&service->tls);
    free(service->uids);
    free(service->sockets);
    free(service->listeners);
    free(service->homes);
    free(service);
}
