/* LD_PRELOAD: the nth call that changes a file below FAIL_BELOW fails. The file FAIL_CONTROL, mapped by
   the program and by the test, says when and how, and tells how often it did. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* As tests/system/faults.py writes it. */
struct control {
    atomic_int left;  /* calls until the failure; 0: nothing fails */
    atomic_int times; /* that calls fail then, one after the other */
    atomic_int error; /* errno; 0: a write is cut short */
    atomic_int met;   /* failures so far */
    char last[112];   /* what failed last */
};

static struct control *control;
static const char *below;
static size_t below_length;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAIL_CONTROL");
    int fd;

    below = getenv("FAIL_BELOW");
    if (path == NULL || below == NULL)
        return;
    below_length = strlen(below);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED)
        control = NULL;
    syscall(SYS_close, fd);
}

/* The call is the one to fail, or one behind it. */
static bool is_due(void)
{
    int left = atomic_load(&control->left);

    while (left > 1)
        if (atomic_compare_exchange_weak(&control->left, &left, left - 1))
            return false;
    if (left != 1 || atomic_fetch_sub(&control->times, 1) <= 0) {
        atomic_store(&control->left, 0);
        return false;
    }
    return true;
}

static bool fails(const char *call, const char *path)
{
    if (control == NULL || atomic_load(&control->left) == 0 ||
        strncmp(path, below, below_length) != 0 || !is_due())
        return false;
    snprintf(control->last, sizeof(control->last), "%s %.80s", call, path + below_length);
    atomic_fetch_add(&control->met, 1);
    errno = atomic_load(&control->error);
    return true;
}

static bool fd_fails(const char *call, int fd)
{
    char link[40], path[256];
    ssize_t length;
    int error = errno;

    if (control == NULL || atomic_load(&control->left) == 0)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    errno = error;
    if (length < 0)
        return false;
    path[length] = '\0';
    return fails(call, path);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    if (fd_fails("pwrite", fd)) {
        if (errno != 0)
            return -1;
        length = (length + 1) / 2;
    }
    return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite(fd, bytes, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (fd_fails("pwritev", fd)) {
        if (errno != 0)
            return -1;
        count = (count + 1) / 2;
    }
    return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (fd_fails("writev", fd)) {
        if (errno != 0)
            return -1;
        count = (count + 1) / 2;
    }
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (fd_fails("write", fd)) {
        if (errno != 0)
            return -1;
        length = (length + 1) / 2;
    }
    return syscall(SYS_write, fd, bytes, length);
}

/* What has no half fails with an error of its own when writes are to be cut short. */
static int failure(void)
{
    if (errno == 0)
        errno = EIO;
    return -1;
}

int fdatasync(int fd)
{
    return fd_fails("fdatasync", fd) ? failure() : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fd_fails("fsync", fd) ? failure() : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length)
{
    return fd_fails("ftruncate", fd) ? failure() : (int)syscall(SYS_ftruncate, fd, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    if (fd_fails("posix_fallocate", fd))
        return errno == 0 ? EIO : errno;
    return syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
}

int rename(const char *from, const char *to)
{
    return fails("rename", from) ? failure() : (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
    return fails("unlink", path) ? failure() : (int)syscall(SYS_unlink, path);
}

/* Of opens those that can write. */
int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if ((flags & O_ACCMODE) != O_RDONLY && fails("open", path))
        return failure();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open(path, flags, mode);
}
