/* The daemon's side: takes commands on the control socket from root or our own user (SO_PEERCRED) and
   runs their handlers on threads of its own, so that no loop ever waits for an administrator. */
#ifndef PROTO_ADMIN_SERVER_H
#define PROTO_ADMIN_SERVER_H

#include "common/loop.h"
#include "proto/admin.h"

struct admin_server;

/* Listens on host->program->control(host->settings); host is kept and must live until
   admin_server_close(). Called on any thread before the loop runs, or on the loop's own. */
enum err_code admin_server_open(struct admin_server **server, struct loop *loop,
                                const struct admin_host *host, struct err *err);

/* Stops listening, cuts off running commands' clients, waits for their handlers. On the loop's own
   thread or after it has ended. */
void admin_server_close(struct admin_server **server);

#endif
