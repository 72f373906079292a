/* Whole small files, written so that a power cut leaves the old or the new, and the lock that keeps
   a second daemon out of a folder. */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

/* Appends the file's bytes to out. ERR_LIMIT when it has more than most bytes, ERR_INVALID when it
   is no regular file, else as err_errno(). Nothing is appended on failure. */
enum err_code file_read(struct buf *out, const char *path, size_t most, struct err *err);

/* Makes or replaces the file in one step (a new file, fsync, rename, fsync of the folder): a reader
   sees the old bytes or the new ones, also after a power cut. mode is exact, whatever the umask. */
enum err_code file_write(const char *path, const void *data, size_t length, unsigned mode,
                         struct err *err);

/* Makes the folder and those above it that are missing, each with this mode (less the umask's). No
   error when it is there. */
enum err_code file_make_folders(const char *path, unsigned mode, struct err *err);

/* fsync of a folder: makes names that were added or removed in it durable. */
enum err_code file_sync_folder(const char *path, struct err *err);

/* Takes the lock that the file at path stands for, and writes our pid into it; makes the file where
   there is none. ERR_EXISTS when another process has it: the text names its pid. The kernel lets go
   of it when the process ends, however that happens. */
enum err_code file_lock(int *fd, const char *path, struct err *err);

/* The pid of the process that has the lock at path; 0 when nobody has it. */
int file_lock_holder(const char *path);

/* Lets go, and sets *fd to -1. The file stays: removing it would let two processes lock two files
   of one name. */
void file_unlock(int *fd);

#endif
