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

#define META_MAGIC 0xBEEFC0DEu
#define META_VERSION 1u
#define TABLES_IN_META 2

/* The start of a meta page of LMDB 0.9 (data version 1), as the machine lays it out. */
struct meta_page {
    size_t page_number;
    uint16_t pad;
    uint16_t flags;
    uint32_t bounds;
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_size;
    struct {
        uint32_t pad; /* in the first: the page size */
        uint16_t flags, depth;
        size_t branch, leaf, overflow, entries, root;
    } tables[TABLES_IN_META];
    size_t last_page;
    size_t txn;
};

static bool read_meta(int fd, off_t at, struct meta_page *meta)
{
    return pread(fd, meta, sizeof(*meta), at) == (ssize_t)sizeof(*meta) &&
           meta->magic == META_MAGIC && meta->version == META_VERSION;
}

static enum err_code copy_meta(int fd, const char *path, const struct meta_page *from, off_t to,
                               struct err *err)
{
    struct meta_page page = *from;

    page.page_number = to == 0 ? 0 : 1;
    if (pwrite(fd, &page, sizeof(page), to) != (ssize_t)sizeof(page) || fdatasync(fd) != 0)
        return err_errno(err, errno, "%s", path);
    return ERR_NONE;
}

static enum err_code roll_back(int fd, const char *path, uint64_t txn, struct err *err)
{
    struct meta_page meta[2];
    off_t size;

    if (!read_meta(fd, 0, &meta[0]))
        return err_set(err, ERR_CORRUPT, "%s: no index of a known version", path);
    size = meta[0].tables[0].pad;
    if (!read_meta(fd, size, &meta[1]))
        return err_set(err, ERR_CORRUPT, "%s: no index of a known version", path);
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
