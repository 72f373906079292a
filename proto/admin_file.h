/* The file or folder that an administrator names, opened with the administrator's rights. */
#ifndef PROTO_ADMIN_FILE_H
#define PROTO_ADMIN_FILE_H

#include <sys/types.h>

#include "proto/admin.h"

struct admin_file {
    int descriptor; /* -1: none */
    pid_t helper;   /* the process at the other end of the pipe that descriptor is; 0: none */
};
#define ADMIN_FILE_NONE                                                                            \
    {                                                                                              \
        -1, 0                                                                                      \
    }

/* Opens path ("-": the standard input). A folder of a command with feed() or drain() becomes a pipe,
   which a process of its own fills or empties: so this comes before there are threads. */
enum err_code admin_file_open(struct admin_file *file, const struct admin_command *command,
                              const char *path, struct err *err);

/* Closes it and waits for the process. ERR_UNAVAILABLE when that process failed; it has said why on
   stderr. */
enum err_code admin_file_close(struct admin_file *file, struct err *err);

#endif
