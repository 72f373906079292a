#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "common/mem.h"

#define BATCH 16    /* accepted in one turn, before others have theirs */
#define REST_MS 500 /* without accepting, when the process has no descriptor left */

struct listener {
    uv_poll_t poll;
    uv_timer_t rest;
    int fd;
    unsigned open_handles;
    bool is_closed;
    listener_handler *handler;
    void *context;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_rested(uv_timer_t *timer)
{
    struct listener *listener = timer->data;

    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* Those that wait in the kernel's queue stay there: closing one without an answer helps nobody. */
static void rest(struct listener *listener, int error)
{
    struct net_address address;
    char text[NET_TEXT_MAX];

    net_local_of(listener->fd, &address);
    log_warning(NULL, "cannot accept on %s for now: %s", net_text(&address, text), strerror(error));
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->rest, on_rested, REST_MS, 0);
}

/* A peer that has gone while it waited is no reason to stop. */
static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
           error == ENETDOWN || error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
           error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < BATCH && !listener->is_closed; i++) {
        struct net_address peer = {.length = sizeof(peer.at)};
        int fd = accept4(listener->fd, &peer.at.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            listener->handler(listener, fd, &peer, listener->context);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_passing(errno)) {
            rest(listener, errno);
            return;
        }
    }
}

struct listener *listener_open(struct loop *loop, int fd, listener_handler *handler, void *context)
{
    struct listener *listener = mem_alloc(sizeof(*listener));

    listener->fd = fd;
    listener->handler = handler;
    listener->context = context;
    listener->open_handles = 2;
    uv_poll_init(loop_uv(loop), &listener->poll, fd);
    uv_timer_init(loop_uv(loop), &listener->rest);
    listener->poll.data = listener->rest.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    return listener;
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;

    if (--listener->open_handles == 0)
        free(listener);
}

void listener_close(struct listener *listener)
{
    listener->is_closed = true;
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->rest, on_closed);
    close(listener->fd);
}
