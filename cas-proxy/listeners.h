/* The sockets that clients connect to: opened when a service starts, closed when it stops. */
#ifndef FRONT_LISTENERS_H
#define FRONT_LISTENERS_H

#include "cas-proxy/front.h"
#include "common/service.h"

/* The services of a front, for services_open(). */
extern const struct service_name listeners_names[];
extern const size_t listeners_name_count;

/* Starts or stops a service on all loops: a service_switch whose context is the front. Every loop has
   a socket of its own on each address (SO_REUSEPORT); a unix socket is the first loop's. When one
   cannot be opened none is. Stopping says good-bye to the service's clients, and is for threads that
   are no loop's. */
enum err_code listeners_switch(void *context, const char *service, bool run, struct err *err);

/* Closes all of a loop, on its thread. */
void listeners_close(struct front_loop *home);

#endif
