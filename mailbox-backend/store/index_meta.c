#include "mailbox-backend/store/index_meta.h"

#include <unistd.h>

#define META_MAGIC 0xBEEFC0DEu
#define META_VERSION 1u
#define PAGE_LEAST 512u
#define PAGE_MOST 32768u

bool index_meta_read(int fd, off_t at, struct index_meta *meta)
{
    return pread(fd, meta, sizeof(*meta), at) == (ssize_t)sizeof(*meta) &&
           meta->magic == META_MAGIC && meta->version == META_VERSION;
}

bool index_metas_read(int fd, struct index_meta metas[2])
{
    uint32_t size;

    if (!index_meta_read(fd, 0, &metas[0]))
        return false;
    size = metas[0].trees[0].pad;
    return size >= PAGE_LEAST && size <= PAGE_MOST && (size & (size - 1)) == 0 &&
           index_meta_read(fd, size, &metas[1]);
}
