/* The daemon: from its settings to its end. */
#ifndef BACKEND_SERVE_H
#define BACKEND_SERVE_H

#include "mailbox-backend/backend.h"
#include "proto/admin.h"

/* Serves until SIGTERM or SIGINT; SIGHUP reads the certificates again. Returns when everything has
   ended, or with an error when it could not start. */
enum err_code serve(const struct backend_settings *settings, const struct admin_program *program,
                    struct err *err);

#endif
