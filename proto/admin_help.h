/* --help at every level, printed from the table. */
#ifndef PROTO_ADMIN_HELP_H
#define PROTO_ADMIN_HELP_H

#include <stdio.h>

#include "proto/admin_args.h"

/* For the whole program, a noun, or a command, as args say. */
void admin_help(const struct admin_program *program, const struct admin_args *args, FILE *to);

#endif
