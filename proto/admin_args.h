/* The command line, read by the table. */
#ifndef PROTO_ADMIN_ARGS_H
#define PROTO_ADMIN_ARGS_H

#include "proto/admin.h"
#include "proto/admin.pb-c.h"

struct admin_args {
    const struct admin_command *command; /* NULL when only help was asked for */
    const char *noun;                    /* of a help for a noun; NULL */
    const char *config;                  /* --config; NULL */
    bool json, yes, help, version, password_stdin;
    Admin__Request request; /* noun, verb, names, flags, dry_run; texts are argv's */
};

/* Reads argv (argv[0] is the program). Memory from arena. ERR_INVALID says what is wrong; hint gets
   what to do about it. */
enum err_code admin_args_parse(const struct admin_program *program, int argc, char **argv,
                               struct arena *arena, struct admin_args *args, char *hint,
                               size_t hint_room, struct err *err);

#endif
