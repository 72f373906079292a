/* Asking the running daemon. */
#ifndef PROTO_ADMIN_REMOTE_H
#define PROTO_ADMIN_REMOTE_H

#include "proto/admin_call.h"

/* Connects to a control socket. ERR_UNAVAILABLE when no daemon listens there, ERR_DENIED. */
enum err_code admin_remote_connect(const char *path, int *socket, struct err *err);

/* Sends the request, gives every row of the answer to sink, fills *end from arena. The socket stays the
   caller's. ERR_UNAVAILABLE when the daemon went away before the end. */
enum err_code admin_remote_run(int socket, const Admin__Request *request, int file,
                               struct admin_sink *sink, struct arena *arena, Admin__End *end,
                               struct err *err);

#endif
