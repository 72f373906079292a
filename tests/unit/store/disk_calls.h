/* Every call by which a program changes its files, taken from the C library: what they do first, or
   what they have done, goes to the test. Link disk_calls.o. */
#ifndef TESTS_STORE_DISK_CALLS_H
#define TESTS_STORE_DISK_CALLS_H

#include <stdint.h>
#include <sys/uio.h>

enum disk_call_kind { DISK_WRITE, DISK_SYNC, DISK_RENAME, DISK_UNLINK };

struct disk_call {
    enum disk_call_kind kind;
    int fd;
    const struct iovec *parts; /* WRITE */
    int count;
    int64_t offset;
    const char *from, *to; /* RENAME; UNLINK: from */
    uint64_t mark;         /* what before() gave it */
};

/* Unset: nothing is told. Called by any thread. after is called when the call went well. */
extern void (*disk_before)(struct disk_call *call);
extern void (*disk_after)(const struct disk_call *call);

/* Does a write as the call would, but for what is behind length bytes. */
void disk_write_part(const struct disk_call *call, uint64_t length);

#endif
