#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/random.h"

static enum err_code read_all(struct buf *out, int fd, size_t most, const char *path,
                              struct err *err)
{
    size_t before = buf_length(out);

    for (;;) {
        ssize_t got = read(fd, buf_reserve(out, 4096), 4096);

        if (got == 0)
            return ERR_NONE;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int error = errno;

            buf_truncate(out, before);
            return err_errno(err, error, "%s", path);
        }
        buf_commit(out, (size_t)got);
        if (buf_length(out) - before > most) {
            buf_truncate(out, before);
            return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, most);
        }
    }
}

enum err_code file_read(struct buf *out, const char *path, size_t most, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would block for ever */
    struct stat facts;
    enum err_code code;

    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    if (fstat(fd, &facts) != 0)
        code = err_errno(err, errno, "%s", path);
    else if (!S_ISREG(facts.st_mode))
        code = err_set(err, ERR_INVALID, "%s: not a regular file", path);
    else
        code = read_all(out, fd, most, path, err);
    close(fd);
    return code;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        data += put;
        length -= (size_t)put;
    }
    return true;
}

/* path without its last part; "." where there is none. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        strcpy(folder, ".");
    else
        snprintf(folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

enum err_code file_sync_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code = ERR_NONE;

    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    if (fsync(fd) != 0)
        code = err_errno(err, errno, "%s: fsync", path);
    close(fd);
    return code;
}

static enum err_code write_new(const char *path, const void *data, size_t length, unsigned mode,
                               struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err_code code = ERR_NONE;

    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    if (!write_all(fd, data, length) || fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0)
        code = err_errno(err, errno, "%s", path);
    if (close(fd) != 0 && code == ERR_NONE)
        code = err_errno(err, errno, "%s", path);
    return code;
}

enum err_code file_write(const char *path, const void *data, size_t length, unsigned mode,
                         struct err *err)
{
    char temporary[PATH_MAX];
    char folder[PATH_MAX];
    unsigned number;
    enum err_code code;

    random_bytes(&number, sizeof(number));
    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new-%08x", path, number) >=
        sizeof(temporary))
        return err_set(err, ERR_INVALID, "%.100s…: the path is too long", path);
    code = write_new(temporary, data, length, mode, err);
    if (code == ERR_NONE && rename(temporary, path) != 0)
        code = err_errno(err, errno, "%s", path);
    if (code != ERR_NONE) {
        unlink(temporary);
        return code;
    }
    folder_of(path, folder);
    return file_sync_folder(folder, err);
}

/* A folder that was just made is not durable before the one that it is in has been synced. */
static enum err_code make_folder(const char *path, unsigned mode, struct err *err)
{
    char above[PATH_MAX];
    enum err_code code;

    if (mkdir(path, (mode_t)mode) != 0)
        return errno == EEXIST ? ERR_NONE : err_errno(err, errno, "%s", path);
    folder_of(path, above);
    code = file_sync_folder(above, err);
    return code == ERR_DENIED ? ERR_NONE : code; /* one may write to what one may not read */
}

enum err_code file_make_folders(const char *path, unsigned mode, struct err *err)
{
    char part[PATH_MAX];
    struct stat facts;
    enum err_code code;

    if (strlen(path) >= sizeof(part))
        return err_set(err, ERR_INVALID, "%.100s…: the path is too long", path);
    strcpy(part, path);
    for (char *at = part + 1; *part != '\0'; at++) {
        char end = *at;

        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        code = make_folder(part, mode, err);
        if (code != ERR_NONE)
            return code;
        if (end == '\0')
            break;
        *at = end;
    }
    if (stat(path, &facts) != 0)
        return err_errno(err, errno, "%s", path);
    if (!S_ISDIR(facts.st_mode))
        return err_set(err, ERR_EXISTS, "%s: is there, and is no folder", path);
    return ERR_NONE;
}
