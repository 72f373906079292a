#include "cas-proxy/listeners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cas-proxy/certificates.h"
#include "cas-proxy/client.h"
#include "cas-proxy/imap4.h"
#include "cas-proxy/lmtp.h"
#include "cas-proxy/pop3.h"
#include "common/log.h"
#include "common/mem.h"

#define UNIX_MODE 0660 /* whoever reaches the lmtp socket can inject mail */

const struct service_name listeners_names[] = {
    {"imap4", "imap4be", "IMAP4 for mail clients"},
    {"pop3",  "pop3be",  "POP3 for mail clients" },
    {"lmtp",  "lmtpbe",  "LMTP for MTAs"         },
};
const size_t listeners_name_count = sizeof(listeners_names) / sizeof(*listeners_names);

static const struct client_protocol *const protocols[] = {&imap4_protocol, &pop3_protocol,
                                                          &lmtp_protocol};

/* One listening socket of one loop. */
struct door {
    struct loop_task open_task;
    struct front_loop *home;
    struct door *next; /* in home->doors; before that, of those that are opened together */
    const struct client_protocol *protocol;
    const struct service_settings *settings;
    struct listener *listener;
    int fd;
    bool tls;
};

static void on_connection(struct listener *listener, int fd, const struct net_address *peer,
                          void *context)
{
    struct door *door = context;

    (void)listener;
    client_accept(door->home, door->protocol, door->settings, door->tls, fd, peer);
}

static void open_on_loop(struct loop_task *task)
{
    struct door *door = (struct door *)((char *)task - offsetof(struct door, open_task));

    door->next = door->home->doors;
    door->home->doors = door;
    door->listener = listener_open(door->home->loop, door->fd, on_connection, door);
}

/* Closes the loop's doors of one protocol, or of all with NULL. */
static void close_doors(struct front_loop *home, const struct client_protocol *protocol)
{
    struct door **place = &home->doors;

    while (*place != NULL) {
        struct door *door = *place;

        if (protocol != NULL && door->protocol != protocol) {
            place = &door->next;
            continue;
        }
        *place = door->next;
        listener_close(door->listener);
        free(door);
    }
}

void listeners_close(struct front_loop *home)
{
    close_doors(home, NULL);
}

static void stop_on_loop(struct front_loop *home, void *context)
{
    const struct client_protocol *protocol = context;

    close_doors(home, protocol);
    client_stop_all(home, protocol->service);
}

/* The sockets of one address, put before *doors. */
static enum err_code listen_on(struct front *front, const struct door *like, const char *text,
                               struct door **doors, struct err *err)
{
    struct net_address address;
    bool local;

    if (net_parse(&address, text, err) != ERR_NONE)
        return err->code;
    local = address.at.any.sa_family == AF_UNIX;
    for (unsigned i = 0; i < (local ? 1 : front->loop_count); i++) {
        struct door *door;
        int fd;

        if (net_listen(&fd, &address, !local, local ? UNIX_MODE : 0, err) != ERR_NONE)
            return err->code;
        door = mem_alloc(sizeof(*door));
        *door = *like;
        door->home = &front->loops[i];
        door->fd = fd;
        door->next = *doors;
        *doors = door;
    }
    return ERR_NONE;
}

static enum err_code listen_on_all(struct front *front, const struct door *like,
                                   const struct setting_list *list, struct door **doors,
                                   struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (listen_on(front, like, list->items[i], doors, err) != ERR_NONE)
            return err->code;
        log_notice(like->protocol->service, "listens on %s%s", list->items[i],
                   like->tls ? " (TLS)" : "");
    }
    return ERR_NONE;
}

/* Where MTAs of this host look for lmtp when the settings say nothing. */
static enum err_code listen_as_usual(struct front *front, const struct door *like,
                                     struct door **doors, struct err *err)
{
    char *path = front_settings_path(front->settings, "lmtp");
    char local[NET_TEXT_MAX];
    char *items[] = {local, (char *)"127.0.0.1:24"};
    struct setting_list list = {items, 2};

    snprintf(local, sizeof(local), "unix:%s", path);
    free(path);
    return listen_on_all(front, like, &list, doors, err);
}

static void give_up(struct door *doors)
{
    while (doors != NULL) {
        struct door *door = doors;

        doors = door->next;
        close(door->fd);
        free(door);
    }
}

static enum err_code start(struct front *front, const struct client_protocol *protocol,
                           struct err *err)
{
    const struct service_settings *settings =
        front_settings_service(front->settings, protocol->service);
    struct door like = {.open_task.run = open_on_loop, .protocol = protocol, .settings = settings};
    struct door *doors = NULL;
    enum err_code code = listen_on_all(front, &like, &settings->listen, &doors, err);

    if (code == ERR_NONE && protocol == &lmtp_protocol && settings->listen.count == 0)
        code = listen_as_usual(front, &like, &doors, err);
    like.tls = true;
    if (code == ERR_NONE && certificates_are_there(front->certificates))
        code = listen_on_all(front, &like, &settings->listen_tls, &doors, err);
    if (code == ERR_NONE && doors == NULL)
        code = err_set(err, ERR_INVALID, "[%s] has no address to listen on", protocol->service);
    if (code != ERR_NONE) {
        give_up(doors);
        return err_prefix(err, "%s cannot start", protocol->service);
    }
    for (struct door *next; doors != NULL; doors = next) {
        next = doors->next;
        loop_post(doors->home->loop, &doors->open_task);
    }
    return ERR_NONE;
}

enum err_code listeners_switch(void *context, const char *service, bool run, struct err *err)
{
    struct front *front = context;
    const struct client_protocol *protocol = NULL;

    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
        if (strcmp(protocols[i]->service, service) == 0)
            protocol = protocols[i];
    }
    if (protocol == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no service %s", service);
    if (run)
        return start(front, protocol, err);
    front_on_loops(front, stop_on_loop, (void *)protocol);
    log_notice(service, "stopped");
    return ERR_NONE;
}
