/* Taking the index back by one transaction. An LMDB file has two meta pages, each the root of a
   whole tree; a commit writes the older of them, and the tree of the other stays untouched until the
   next commit. When a commit failed and the file still shows it, the other page is written over it:
   what a power cut just before the commit's last write would have left. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailbox-backend/store/index_internal.h"
#include "mailbox-backend/store/index_meta.h"

static enum err_code copy_meta(int fd, const char *path, const struct index_meta *from, off_t to,
                               struct err *err)
{
    struct index_meta page = *from;

    page.page_number = to == 0 ? 0 : 1;
    if (pwrite(fd, &page, sizeof(page), to) != (ssize_t)sizeof(page) || fdatasync(fd) != 0)
        return err_errno(err, errno, "%s", path);
    return ERR_NONE;
}

static enum err_code roll_back(int fd, const char *path, uint64_t txn, struct err *err)
{
    struct index_meta meta[2];
    off_t size;

    if (!index_metas_read(fd, meta))
        return err_set(err, ERR_CORRUPT, "%s: no index of a known version", path);
    size = meta[0].trees[0].pad;
    if (meta[0].txn == txn && meta[1].txn < txn)
        return copy_meta(fd, path, &meta[1], 0, err);
    if (meta[1].txn == txn && meta[0].txn < txn)
        return copy_meta(fd, path, &meta[0], size, err);
    return ERR_NONE;
}

enum err_code index_roll_back(const char *path, uint64_t txn, struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    enum err_code code;

    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    code = roll_back(fd, path, txn, err);
    close(fd);
    return code;
}
