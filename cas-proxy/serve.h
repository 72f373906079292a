/* The daemon: everything that runs between start and SIGTERM. */
#ifndef FRONT_SERVE_H
#define FRONT_SERVE_H

#include "cas-proxy/settings.h"
#include "proto/admin.h"

/* Runs until SIGTERM or SIGINT; SIGHUP has the certificates read again. ERR_NONE after a
   clean stop; else nothing was started, and err says why. */
enum err_code serve(const struct front_settings *settings, const struct admin_program *program,
                    struct err *err);

#endif
