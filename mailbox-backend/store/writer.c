#include "mailbox-backend/store/writer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/compact.h"
#include "mailbox-backend/store/housekeeping.h"

#define BATCH_OPERATIONS 256
#define BATCH_BYTES (8u << 20)
#define READER_ALARM_MS 1000
#define REVIVE_MS 500 /* between attempts to open an index that cannot be opened */
#define STALLED_MS 5

/* Operations that were submitted together. */
struct group {
    struct group *next;
    bool all_or_none;
    bool waits; /* all of it, for the next batch */
    size_t count;
    struct task tasks[];
};

struct writer {
    struct database *database;
    struct housekeeping *housekeeping;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct group *first, **last;
    bool stop;

    /* the thread's own */
    bool down;           /* the index must be opened again before anything else */
    uint64_t failed_txn; /* which it must not show then */
    uint64_t revive_at;  /* not before; by now_ms() */
    bool stalled;        /* all operations of the last batch wait for something else */
    bool alarmed;        /* about a reader that takes long */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the queue ---- */

static void enqueue(struct writer *writer, struct group *group)
{
    group->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->last = group;
    writer->last = &group->next;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

static struct group *group_create(size_t count)
{
    struct group *group = mem_alloc(sizeof(*group) + count * sizeof(struct task));

    group->count = count;
    return group;
}

static struct group *group_of(struct store_op **ops, size_t count, bool all_or_none)
{
    struct group *group = group_create(count);

    group->all_or_none = all_or_none;
    for (size_t i = 0; i < count; i++) {
        group->tasks[i].op = ops[i];
        group->tasks[i].next_uid = 1;
    }
    return group;
}

void writer_submit(struct writer *writer, struct store_op **ops, size_t count, bool all_or_none)
{
    while (!all_or_none && count > BATCH_OPERATIONS) { /* a message to many must fit in batches */
        struct group *group = group_of(ops, BATCH_OPERATIONS, false);

        ops += BATCH_OPERATIONS;
        count -= BATCH_OPERATIONS;
        enqueue(writer, group);
    }
    enqueue(writer, group_of(ops, count, all_or_none));
}

static uint64_t bytes_of(const struct group *group)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < group->count; i++)
        if (group->tasks[i].op->kind == OP_APPEND && group->tasks[i].op->in.append.draft != NULL)
            bytes += group->tasks[i].op->in.append.draft->in_memory;
    return bytes;
}

static struct timespec after_ms(unsigned ms)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ms * 1000000L;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* Until when to wait for work. While the database is down no work may come: drafts are refused. Operations
   that wait for housekeeping are tried again after its next slice, or soon. */
static struct timespec wait_until(const struct writer *writer)
{
    struct timespec due, again;

    if (writer->down)
        return after_ms(REVIVE_MS);
    due = housekeeping_due(writer->housekeeping);
    if (!writer->stalled)
        return due;
    again = after_ms(STALLED_MS);
    if (due.tv_sec != again.tv_sec)
        return due.tv_sec < again.tv_sec ? due : again;
    return due.tv_nsec < again.tv_nsec ? due : again;
}

/* Waits for work. Takes what fits in one batch; NULL when housekeeping is due, or at the end. */
static struct group *take(struct writer *writer)
{
    struct group *taken;
    struct group **end = &taken;
    size_t operations = 0;
    uint64_t bytes = 0;

    pthread_mutex_lock(&writer->lock);
    if (writer->stalled || (writer->first == NULL && !writer->stop)) {
        struct timespec until = wait_until(writer);

        pthread_cond_timedwait(&writer->changed, &writer->lock, &until);
    }
    while (writer->first != NULL && operations < BATCH_OPERATIONS && bytes < BATCH_BYTES) {
        struct group *group = writer->first;

        writer->first = group->next;
        operations += group->count;
        bytes += bytes_of(group);
        *end = group;
        end = &group->next;
    }
    if (writer->first == NULL)
        writer->last = &writer->first;
    *end = NULL;
    pthread_mutex_unlock(&writer->lock);
    return taken;
}

/* ---- applying ---- */

static enum err_code plan(struct batch *batch, struct task *task)
{
    const struct op_table *table = op_table(task->op->kind);
    struct err *err = &task->op->err;
    enum err_code code;

    batch->by = task->op->context;
    task->outcome = OUTCOME_DONE;
    if (table == NULL)
        return err_set(err, ERR_INVALID, "no such operation");
    code = table->plan(batch, task, err);
    if (code == ERR_NONE)
        *err = task->late; /* forgets what was no failure */
    return code;
}

static void perform(struct batch *batch, struct task *task)
{
    const struct op_table *table = op_table(task->op->kind);
    struct err *err = &task->op->err;

    if (table->perform == NULL || task->outcome != OUTCOME_DONE)
        return;
    batch->by = task->op->context;
    if (table->perform(batch, task, err) == ERR_NONE)
        *err = (struct err){0};
    else
        index_break(batch->txn, err); /* rows may have been written by half */
}

static void apply_each(struct batch *batch, struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct task *task = &group->tasks[i];

        batch_unit_begin(batch);
        if (plan(batch, task) != ERR_NONE)
            batch_unit_undo(batch);
        else
            perform(batch, task);
    }
}

static void apply_together(struct batch *batch, struct group *group)
{
    struct err err = {0};

    batch_unit_begin(batch);
    group->waits = false;
    for (size_t i = 0; i < group->count && err.code == ERR_NONE && !group->waits; i++) {
        if (group->tasks[i].op->kind != OP_APPEND)
            err_set(&err, ERR_INVALID, "only appends can be made all or none");
        else if (plan(batch, &group->tasks[i]) != ERR_NONE)
            err = group->tasks[i].op->err;
        group->waits = group->tasks[i].outcome == OUTCOME_WAIT;
    }
    if (err.code != ERR_NONE || group->waits)
        batch_unit_undo(batch);
    for (size_t i = 0; i < group->count && !group->waits; i++) {
        if (err.code == ERR_NONE)
            perform(batch, &group->tasks[i]);
        else
            group->tasks[i].op->err = err;
    }
}

static void apply(struct batch *batch, struct group *groups)
{
    for (struct group *group = groups; group != NULL; group = group->next) {
        if (index_is_broken(batch->txn, NULL))
            return;
        if (group->all_or_none)
            apply_together(batch, group);
        else
            apply_each(batch, group);
    }
}

/* ---- answering ---- */

static void finish(struct writer *writer, struct task *task)
{
    struct store_op *op = task->op;

    housekeeping_done(writer->housekeeping, task);
    free(task->copy);
    if (op->kind == OP_MAILBOX_REMOVE && op->err.code == ERR_NONE)
        mailbox_forget(op->mailbox);
    atomic_fetch_add(&writer->database->operations, 1);
    op->done(op);
}

/* Puts groups in front of the queue, in their order. */
static void put_first(struct writer *writer, struct group *groups)
{
    struct group **end = &groups;

    if (groups == NULL)
        return;
    while (*end != NULL)
        end = &(*end)->next;
    pthread_mutex_lock(&writer->lock);
    if (writer->first == NULL)
        writer->last = end;
    *end = writer->first;
    writer->first = groups;
    pthread_mutex_unlock(&writer->lock);
}

static void answer_task(struct writer *writer, struct task *task, struct group ***full)
{
    struct group *group;

    if (task->op->err.code != ERR_NONE || task->outcome == OUTCOME_DONE) {
        finish(writer, task);
        return;
    }
    group = group_create(1);
    group->tasks[0] = *task;
    if (task->outcome == OUTCOME_FULL) {
        **full = group;
        *full = &group->next;
    } else {
        enqueue(writer, group);
    }
}

/* Answers what is finished and puts the rest into the queue again: behind what is waiting, but for
   those that had no turn because the batch was full. */
static void answer(struct writer *writer, struct group *groups, const struct err *failure)
{
    struct group *first = NULL;
    struct group **full = &first;

    while (groups != NULL) {
        struct group *group = groups;

        groups = group->next;
        if (group->waits && failure == NULL) {
            enqueue(writer, group);
            continue;
        }
        for (size_t i = 0; i < group->count; i++) {
            if (failure != NULL)
                group->tasks[i].op->err = *failure;
            answer_task(writer, &group->tasks[i], &full);
        }
        free(group);
    }
    put_first(writer, first);
}

static void answer_failure(struct writer *writer, struct group *groups, const struct err *why)
{
    struct err failure;

    err_set(&failure, ERR_UNAVAILABLE, "%s", why->text);
    answer(writer, groups, &failure);
}

/* ---- batches ---- */

/* After a failure. False while the database cannot be opened. */
static bool revive(struct writer *writer, struct err *err)
{
    if (!writer->down)
        return true;
    if (now_ms() < writer->revive_at) {
        err_set(err, ERR_UNAVAILABLE, "the database is being opened again");
        return false;
    }
    if (index_reopen(writer->database->index, writer->failed_txn, err) != ERR_NONE) {
        writer->revive_at = now_ms() + REVIVE_MS;
        log_error(writer->database->name, "cannot be opened again: %s", err->text);
        return false;
    }
    log_notice(writer->database->name, "is open again");
    writer->down = false;
    return true;
}

static void fail(struct writer *writer, uint64_t txn, const struct err *err)
{
    log_error(writer->database->name, "a batch failed and is taken back: %s", err->text);
    writer->failed_txn = txn;
    writer->down = true;
    writer->revive_at = 0;
    housekeeping_failed(writer->housekeeping);
}

/* Without groups it is housekeeping's. idle: no operations are waiting. */
static void run_batch(struct writer *writer, struct group *groups, bool idle)
{
    struct batch batch;
    struct err err;
    uint64_t txn = 0;
    uint64_t answered = atomic_load(&writer->database->operations);
    bool written = false;
    enum err_code code;

    writer->stalled = false;
    if (!revive(writer, &err)) {
        answer_failure(writer, groups, &err);
        return;
    }
    code = batch_begin(&batch, writer->database, &err);
    if (code == ERR_NONE) {
        if (groups != NULL)
            apply(&batch, groups);
        else
            housekeeping_slice(writer->housekeeping, &batch, idle);
        written = index_has_written(batch.txn);
        code = batch_commit(&batch, &txn, &err);
    }
    if (code == ERR_NONE) {
        batch_publish(&batch);
        answer(writer, groups, NULL);
        writer->stalled =
            groups != NULL && !written && answered == atomic_load(&writer->database->operations);
        if (!atomic_load(&writer->database->short_of_room))
            index_extend(writer->database->index);
    } else {
        fail(writer, txn, &err);
        revive(writer, &(struct err){0});
        answer_failure(writer, groups, &err);
    }
    batch_release(&batch);
}

/* What stalls the operations may be over behind it, or go on: it is seen when they are tried. */
static void run_housekeeping(struct writer *writer, bool idle)
{
    bool stalled = writer->stalled;

    run_batch(writer, NULL, idle);
    writer->stalled = stalled;
}

static void watch_readers(struct writer *writer)
{
    uint64_t age;
    uint64_t oldest = index_oldest_reader(writer->database->index, &age);

    if (age >= READER_ALARM_MS && !writer->alarmed)
        log_warning(writer->database->name, "a reader has held its snapshot for %llu ms",
                    (unsigned long long)age);
    writer->alarmed = age >= READER_ALARM_MS;
    if (segments_recycle(writer->database->segments, oldest, time(NULL) - COMPACT_OLD_SECONDS))
        housekeeping_wake(writer->housekeeping);
}

static bool is_over(struct writer *writer)
{
    bool over;

    pthread_mutex_lock(&writer->lock);
    over = writer->stop && writer->first == NULL;
    pthread_mutex_unlock(&writer->lock);
    return over;
}

static void *run(void *argument)
{
    struct writer *writer = argument;

    while (!is_over(writer)) {
        struct group *groups = take(writer);
        bool idle;

        if (groups != NULL)
            run_batch(writer, groups, false);
        else if (writer->down)
            revive(writer, &(struct err){0});
        watch_readers(writer);
        idle = groups == NULL || writer->stalled;
        if (housekeeping_is_due(writer->housekeeping, idle))
            run_housekeeping(writer, idle);
    }
    run_batch(writer, NULL, false); /* rows of segments that were made meanwhile */
    return NULL;
}

enum err_code writer_start(struct writer **out, struct database *database, struct err *err)
{
    struct writer *writer = mem_alloc(sizeof(*writer));
    enum err_code code;
    int rc;

    writer->database = database;
    writer->last = &writer->first;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    code = housekeeping_create(&writer->housekeeping, database, err);
    if (code == ERR_NONE) {
        rc = pthread_create(&writer->thread, NULL, run, writer);
        if (rc != 0)
            code = err_errno(err, rc, "writer thread");
    }
    if (code != ERR_NONE) {
        housekeeping_destroy(&writer->housekeeping);
        free(writer);
        return code;
    }
    pthread_setname_np(writer->thread, database->name);
    *out = writer;
    return ERR_NONE;
}

void writer_stop(struct writer **out)
{
    struct writer *writer = *out;

    *out = NULL;
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    housekeeping_destroy(&writer->housekeeping);
    pthread_mutex_destroy(&writer->lock);
    pthread_cond_destroy(&writer->changed);
    free(writer);
}
