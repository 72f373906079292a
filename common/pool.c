#include "common/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

struct pool {
    char name[12]; /* a thread's name has room for 15 bytes */
    uv_mutex_t lock;
    uv_cond_t more; /* a job has come, or ending was set */
    struct pool_job *first;
    struct pool_job **last;
    bool ending;
    unsigned thread_count;
    uv_thread_t threads[];
};

/* NULL when the pool ends and everything has been run. */
static struct pool_job *wait_for_job(struct pool *pool)
{
    struct pool_job *job;

    uv_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->ending)
        uv_cond_wait(&pool->more, &pool->lock);
    job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
    }
    uv_mutex_unlock(&pool->lock);
    return job;
}

static void on_done(struct loop_task *task)
{
    struct pool_job *job = (struct pool_job *)((char *)task - offsetof(struct pool_job, task));

    job->done(job);
}

static void on_thread(void *context)
{
    struct pool *pool = context;
    struct pool_job *job;

    pthread_setname_np(pthread_self(), pool->name);
    while ((job = wait_for_job(pool)) != NULL) {
        job->run(job);
        job->task.run = on_done;
        loop_post(job->loop, &job->task);
    }
}

enum err_code pool_create(struct pool **where, const char *name, unsigned threads, struct err *err)
{
    struct pool *pool = mem_alloc(sizeof(*pool) + threads * sizeof(pool->threads[0]));

    assert(threads > 0);
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    pool->last = &pool->first;
    uv_mutex_init(&pool->lock);
    uv_cond_init(&pool->more);
    while (pool->thread_count < threads) {
        int status = uv_thread_create(&pool->threads[pool->thread_count], on_thread, pool);

        if (status != 0) {
            pool_destroy(&pool);
            return err_set(err, ERR_UNAVAILABLE, "cannot start a thread of pool %s: %s", name,
                           uv_strerror(status));
        }
        pool->thread_count++;
    }
    *where = pool;
    return ERR_NONE;
}

void pool_submit(struct pool *pool, struct pool_job *job)
{
    job->next = NULL;
    uv_mutex_lock(&pool->lock);
    *pool->last = job;
    pool->last = &job->next;
    uv_mutex_unlock(&pool->lock);
    uv_cond_signal(&pool->more); /* behind the lock, which the woken thread takes at once */
}

void pool_destroy(struct pool **where)
{
    struct pool *pool = *where;

    if (pool == NULL)
        return;
    uv_mutex_lock(&pool->lock);
    pool->ending = true;
    uv_cond_broadcast(&pool->more);
    uv_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        uv_thread_join(&pool->threads[i]);
    uv_cond_destroy(&pool->more);
    uv_mutex_destroy(&pool->lock);
    free(pool);
    *where = NULL;
}
