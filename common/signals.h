/* What the system tells the program: stop, read the settings again, say how things are. */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include "common/loop.h"

struct signals;

/* Each is called on the loop's thread; NULL leaves the signal to its default. */
struct signals_handlers {
    void (*stop)(void *context);   /* SIGINT, SIGTERM; may come again */
    void (*reload)(void *context); /* SIGHUP */
    void (*report)(void *context); /* SIGUSR1 */
    void *context;
};

/* Listens for the signals on loop, for the whole process, and ignores SIGPIPE. One at a time. */
struct signals *signals_open(struct loop *loop, const struct signals_handlers *handlers);

/* Stops listening, and sets *signals to NULL; on the loop's thread, or before it runs. */
void signals_close(struct signals **signals);

/* SIGPIPE ignored: for tools that have no loop. */
void signals_ignore_pipe(void);

#endif
