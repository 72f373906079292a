/* The lock belongs to the open file (fcntl(2), "open file description locks"): unlike a process lock
   it is not lost when another descriptor of the file is closed, and asking for it does not take it. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/str.h"

static int read_pid(int fd)
{
    char text[16] = "";
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    uint64_t pid;

    if (got <= 0 || !str_number(str_trim(str_n(text, (size_t)got)), INT_MAX, &pid))
        return 0;
    return (int)pid;
}

static enum err_code write_pid(int fd, const char *path, struct err *err)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "%d\n", getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
        return err_errno(err, errno, "%s", path);
    return ERR_NONE;
}

enum err_code file_lock(int *where, const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum err_code code;

    *where = -1;
    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        code = write_pid(fd, path, err);
    else if (errno == EAGAIN || errno == EACCES)
        code = err_set(err, ERR_EXISTS, "%s: in use by process %d", path, read_pid(fd));
    else
        code = err_errno(err, errno, "%s", path);
    if (code != ERR_NONE)
        close(fd);
    else
        *where = fd;
    return code;
}

int file_lock_holder(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int pid = 0;

    if (fd < 0)
        return 0;
    if (fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK)
        pid = read_pid(fd);
    close(fd);
    return pid;
}

void file_unlock(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
