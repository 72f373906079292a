/* The administrator's side: from the command line to the printed answer. */
#ifndef PROTO_ADMIN_CLIENT_H
#define PROTO_ADMIN_CLIENT_H

#include "proto/admin.h"

enum admin_exit {
    ADMIN_OK = 0,
    ADMIN_PARTIAL = 1, /* findings, a part only, or an error that has no number of its own */
    ADMIN_USAGE = 2,
    ADMIN_AWAY = 3, /* the daemon does not run, or does not answer */
    ADMIN_NOT_FOUND = 4,
};

/* Carries out `PROGRAM NOUN VERB …` (argv[0] is the program) and gives the exit code. Knows --help at
   every level, --version, --config FILE, --json, --yes, --dry-run, --password-stdin. `serve` is
   main()'s own business and does not come here, but the help mentions it. */
int admin_main(const struct admin_program *program, int argc, char **argv);

/* What `serve` reads, too: the settings from path, or, with path NULL, from the program's usual file,
   or the defaults where that file does not exist. settings: program->settings->size bytes. */
enum err_code admin_read_settings(const struct admin_program *program, const char *path,
                                  void *settings, struct err *err);

#endif
