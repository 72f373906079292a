/* Which services of this program are on. Two things are known of each: whether it is enabled (kept on
   the disk; it starts with the program) and whether it runs now. As in Exchange, everything is off
   until an administrator enables it. Any thread may call. */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct services;

struct service_name {
    const char *name;  /* "imap4be" */
    const char *other; /* what the same service is called on the other side: "imap4" */
    const char *help;  /* one line */
};

struct services_settings {
    const char *file;                 /* where the state is kept; made at the first change */
    const struct service_name *names; /* constant: kept, not copied */
    size_t count;                     /* at most 32 */
    const char *other_side; /* "front" or "back end", for the message about a name of that side */
};

/* Reads the state; nothing runs yet. ERR_CORRUPT when the file cannot be understood. */
enum err_code services_open(struct services **services, const struct services_settings *settings,
                            struct err *err);
void services_close(struct services **services);

/* Does the starting and stopping: called on the thread that asked, one call at a time. When starting
   fails (a port is taken) the service counts as stopped and the error goes to whoever asked. One
   listener; without one nothing can be started. */
typedef enum err_code service_switch(void *context, const char *name, bool run, struct err *err);
void services_listen(struct services *services, service_switch *handler, void *context);

/* Starts everything that is enabled; goes on after a failure and returns the first. */
enum err_code services_start_enabled(struct services *services, struct err *err);

/* The names, in order; NULL behind the last. */
const struct service_name *services_name(const struct services *services, size_t n);
bool service_is_enabled(struct services *services, const char *name); /* false: unknown, too */
bool service_is_running(struct services *services, const char *name);

/* ERR_NOT_FOUND for an unknown name, whose text says what there is, or what a name of the other side
   is called here. Enabling what is enabled is no error. */
enum err_code service_enable(struct services *services, const char *name, bool enabled,
                             struct err *err);
/* ERR_UNAVAILABLE in a process that has no listener. */
enum err_code service_run(struct services *services, const char *name, bool run, struct err *err);

/* ERR_NONE when the name is one of this program's, else as service_enable(). */
enum err_code service_check(const struct services *services, const char *name, struct err *err);

#endif
