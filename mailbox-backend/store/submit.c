/* Operations on their way to the writer of their database. */
#include <string.h>

#include "mailbox-backend/store/writer.h"

static void clear_results(struct store_op *op)
{
    op->err = (struct err){0};
    op->modseq = 0;
    memset(&op->out, 0, sizeof(op->out));
}

void store_submit(struct store_op *op)
{
    store_submit_all(&op, 1, false);
}

static void submit_all(struct database *database, struct store_op **ops, size_t count,
                       bool all_or_none)
{
    for (size_t i = 0; i < count; i++)
        clear_results(ops[i]);
    writer_submit(database->writer, ops, count, all_or_none);
}

void store_submit_all(struct store_op **ops, size_t count, bool all_or_none)
{
    if (count > 0)
        submit_all(ops[0]->mailbox->database, ops, count, all_or_none);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t left;
};

static void on_done(struct store_op *op)
{
    struct waiter *waiter = op->context;

    pthread_mutex_lock(&waiter->lock);
    if (--waiter->left == 0)
        pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

static void run_all(struct database *database, struct store_op **ops, size_t count)
{
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count};

    for (size_t i = 0; i < count; i++) {
        ops[i]->done = on_done;
        ops[i]->context = &waiter;
    }
    submit_all(database, ops, count, false);
    pthread_mutex_lock(&waiter.lock);
    while (waiter.left > 0)
        pthread_cond_wait(&waiter.changed, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.changed);
    for (size_t i = 0; i < count; i++) {
        ops[i]->done = NULL;
        ops[i]->context = NULL;
    }
}

void store_run_all(struct store_op **ops, size_t count)
{
    if (count > 0)
        run_all(ops[0]->mailbox->database, ops, count);
}

enum err_code writer_run(struct database *database, struct store_op *op)
{
    run_all(database, &op, 1);
    return op->err.code;
}

enum err_code store_run(struct store_op *op)
{
    store_run_all(&op, 1);
    return op->err.code;
}
