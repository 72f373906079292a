/* Bounded worker threads for what is too long for a loop: cold content, scans, hashes, compression.
   Not libuv's global pool, so that one kind of work cannot starve another. */
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include "common/loop.h"

struct pool;

/* Embed it. run is called on a worker, then done on loop's thread. The job must live until done
   has been called; it may be submitted again from done. */
struct pool_job {
    void (*run)(struct pool_job *job);
    void (*done)(struct pool_job *job);
    struct loop *loop;
    struct loop_task task; /* the pool's own */
    struct pool_job *next; /* the pool's own */
};

/* threads from 1 up; name is for thread names and logs. */
enum err_code pool_create(struct pool **pool, const char *name, unsigned threads, struct err *err);

/* Any thread. First come, first served; never refuses (what is submitted is bounded by sessions). */
void pool_submit(struct pool *pool, struct pool_job *job);

/* Waits until the jobs that were submitted have run, ends the threads, sets *pool to NULL. */
void pool_destroy(struct pool **pool);

#endif
