#include "tests/unit/store/disk_calls.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

void (*disk_before)(struct disk_call *call);
void (*disk_after)(const struct disk_call *call);

static void before(struct disk_call *call)
{
    if (disk_before != NULL)
        disk_before(call);
}

static long after(const struct disk_call *call, long result)
{
    if (disk_after != NULL && result >= 0)
        disk_after(call);
    return result;
}

void disk_write_part(const struct disk_call *call, uint64_t length)
{
    int64_t offset = call->offset;

    for (int i = 0; i < call->count && length > 0; i++) {
        uint64_t part = call->parts[i].iov_len < length ? call->parts[i].iov_len : length;

        syscall(SYS_pwrite64, call->fd, call->parts[i].iov_base, part, offset);
        offset += (int64_t)part;
        length -= part;
    }
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    struct disk_call call = {DISK_WRITE, fd, &part, 1, offset, NULL, NULL, 0};

    before(&call);
    return after(&call, syscall(SYS_pwrite64, fd, bytes, length, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite(fd, bytes, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    struct disk_call call = {DISK_WRITE, fd, parts, count, offset, NULL, NULL, 0};

    before(&call);
    return after(&call, syscall(SYS_pwritev, fd, parts, count, offset, 0));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct disk_call call = {DISK_WRITE, fd, parts, count, 0, NULL, NULL, 0};

    call.offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    if (call.offset < 0) /* no file */
        return syscall(SYS_writev, fd, parts, count);
    before(&call);
    return after(&call, syscall(SYS_writev, fd, parts, count));
}

int fdatasync(int fd)
{
    struct disk_call call = {DISK_SYNC, fd, NULL, 0, 0, NULL, NULL, 0};

    before(&call);
    return (int)after(&call, syscall(SYS_fdatasync, fd));
}

int fsync(int fd)
{
    struct disk_call call = {DISK_SYNC, fd, NULL, 0, 0, NULL, NULL, 0};

    before(&call);
    return (int)after(&call, syscall(SYS_fsync, fd));
}

int rename(const char *from, const char *to)
{
    struct disk_call call = {DISK_RENAME, -1, NULL, 0, 0, from, to, 0};

    before(&call);
    return (int)after(&call, syscall(SYS_rename, from, to));
}

int unlink(const char *path)
{
    struct disk_call call = {DISK_UNLINK, -1, NULL, 0, 0, path, NULL, 0};

    before(&call);
    return (int)after(&call, syscall(SYS_unlink, path));
}
