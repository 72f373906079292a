#include "common/signals.h"

#include <signal.h>
#include <stdlib.h>

#include "common/mem.h"

#define MOST 4

struct signals {
    uv_signal_t handles[MOST];
    void (*calls[MOST])(void *context);
    void *context;
    unsigned count;
    unsigned open_handles;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;

    (void)number;
    signals->calls[handle - signals->handles](signals->context);
}

static void add(struct signals *signals, struct loop *loop, int number, void (*call)(void *context))
{
    uv_signal_t *handle = &signals->handles[signals->count];

    if (call == NULL)
        return;
    signals->calls[signals->count++] = call;
    signals->open_handles++;
    uv_signal_init(loop_uv(loop), handle);
    handle->data = signals;
    uv_signal_start(handle, on_signal, number);
}

void signals_ignore_pipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

struct signals *signals_open(struct loop *loop, const struct signals_handlers *handlers)
{
    struct signals *signals = mem_alloc(sizeof(*signals));

    signals_ignore_pipe();
    signals->context = handlers->context;
    add(signals, loop, SIGINT, handlers->stop);
    add(signals, loop, SIGTERM, handlers->stop);
    add(signals, loop, SIGHUP, handlers->reload);
    add(signals, loop, SIGUSR1, handlers->report);
    return signals;
}

static void on_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;

    if (--signals->open_handles == 0)
        free(signals);
}

void signals_close(struct signals **where)
{
    struct signals *signals = *where;

    *where = NULL;
    if (signals == NULL)
        return;
    if (signals->count == 0)
        free(signals);
    else
        for (unsigned i = 0; i < signals->count; i++)
            uv_close((uv_handle_t *)&signals->handles[i], on_closed);
}
