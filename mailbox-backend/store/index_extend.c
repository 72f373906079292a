#include <sys/stat.h>
#include <unistd.h>

#include "mailbox-backend/store/index_internal.h"

#define STEP_LEAST (128u << 10)
#define STEP_MOST (2u << 20) /* the next sync writes them too */
#define STEPS 16u            /* of its size, that the file grows by */

static uint64_t step_of(uint64_t used)
{
    uint64_t step = used / STEPS;

    return step < STEP_LEAST ? STEP_LEAST : step > STEP_MOST ? STEP_MOST : step;
}

static uint64_t used_of(const struct index *index)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(index->env, &info);
    mdb_env_stat(index->env, &stat);
    return (info.me_last_pgno + 1) * stat.ms_psize;
}

static void write_zeros(int fd, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[64u << 10];

    while (from < to) {
        size_t length = to - from < sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros);
        ssize_t written = pwrite(fd, zeros, length, (off_t)from);

        if (written <= 0)
            return;
        from += (uint64_t)written;
    }
}

void index_extend(struct index *index)
{
    struct stat facts;
    uint64_t used, step;
    int fd;

    if (index->env == NULL)
        return;
    used = used_of(index);
    step = step_of(used);
    if (used + step / 4 <= index->end)
        return;
    index->end = used + step; /* without room it is tried again when that is used up */
    if (mdb_env_get_fd(index->env, &fd) != 0 || fstat(fd, &facts) != 0)
        return;
    if ((uint64_t)facts.st_size < used + step)
        write_zeros(fd, (uint64_t)facts.st_size > used ? (uint64_t)facts.st_size : used,
                    used + step);
}
