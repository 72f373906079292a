#include "common/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t turn;
    uv_idle_t again; /* active: the loop does not sleep */
    unsigned index;

    uv_thread_t thread;
    bool joinable; /* loop_start() made a thread that nobody has joined yet */
    atomic_bool stopping;

    uv_mutex_t lock; /* of the two below */
    struct loop_task *first_task;
    struct loop_task **last_task;
    bool posts_to_itself; /* tasks are run in this turn's callback, without a wake-up */

    struct loop_turn turns;      /* head of a ring */
    struct loop_turn *next_turn; /* where run_turns() goes on, so that any turn may be removed */
    struct loop_local *locals;
};

static _Thread_local struct loop *current;

static struct loop_task *take_tasks(struct loop *loop)
{
    struct loop_task *tasks;

    uv_mutex_lock(&loop->lock);
    tasks = loop->first_task;
    loop->first_task = NULL;
    loop->last_task = &loop->first_task;
    uv_mutex_unlock(&loop->lock);
    return tasks;
}

static void run_tasks(struct loop *loop)
{
    struct loop_task *task = take_tasks(loop);

    while (task != NULL) {
        struct loop_task *next = task->next; /* run may free the task or post it again */

        task->run(task);
        task = next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    bool stopping =
        atomic_load(&loop->stopping); /* before the tasks: what was posted first, runs */

    run_tasks(loop);
    if (stopping)
        uv_stop(&loop->uv);
}

static void on_again(uv_idle_t *again)
{
    (void)again; /* being active is all that it is for */
}

static void on_turn(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    struct loop_turn *turn;

    uv_idle_stop(&loop->again);
    if (loop->posts_to_itself) {
        loop->posts_to_itself = false;
        run_tasks(loop);
    }
    turn = loop->turns.next;
    while (turn != &loop->turns) {
        loop->next_turn = turn->next;
        turn->run(turn);
        turn = loop->next_turn;
    }
    log_flush();
}

/* The loop can only fail to start when the process has no descriptors left: nothing works then. */
static void must(int status, const char *what)
{
    if (status != 0) {
        log_error(NULL, "cannot make a loop: %s: %s", what, uv_strerror(status));
        abort();
    }
}

struct loop *loop_create(unsigned index)
{
    struct loop *loop = mem_alloc(sizeof(*loop));

    mem_tune();
    loop->index = index;
    loop->last_task = &loop->first_task;
    loop->turns.next = loop->turns.previous = &loop->turns;
    must(uv_mutex_init(&loop->lock), "mutex");
    must(uv_loop_init(&loop->uv), "epoll");
    must(uv_async_init(&loop->uv, &loop->wake, on_wake), "eventfd");
    uv_prepare_init(&loop->uv, &loop->turn);
    uv_idle_init(&loop->uv, &loop->again);
    loop->wake.data = loop->turn.data = loop->again.data = loop;
    uv_prepare_start(&loop->turn, on_turn);
    return loop;
}

void loop_run(struct loop *loop)
{
    struct loop *outer = current;

    current = loop;
    log_hold();
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    log_let_go();
    atomic_store(&loop->stopping, false);
    current = outer;
}

static void on_thread(void *context)
{
    struct loop *loop = context;
    char name[16];

    snprintf(name, sizeof(name), "loop-%u", loop->index % 1000);
    pthread_setname_np(pthread_self(), name);
    loop_run(loop);
}

enum err_code loop_start(struct loop *loop, struct err *err)
{
    int status = uv_thread_create(&loop->thread, on_thread, loop);

    if (status != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start a thread: %s", uv_strerror(status));
    loop->joinable = true;
    return ERR_NONE;
}

static void join(struct loop *loop)
{
    if (loop->joinable) {
        loop->joinable = false;
        uv_thread_join(&loop->thread);
    }
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    uv_async_send(&loop->wake);
    if (!loop_is_current(loop))
        join(loop);
}

static void destroy_locals(struct loop *loop)
{
    while (loop->locals != NULL) {
        struct loop_local *local = loop->locals;

        loop->locals = local->next;
        local->destroy(local);
    }
}

/* Gives libuv the turns it needs to let go of what is closing. */
static void finish_closing(struct loop *loop)
{
    for (int i = 0; i < 8 && uv_loop_alive(&loop->uv); i++)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void loop_destroy(struct loop **where)
{
    struct loop *loop = *where;
    struct loop *outer = current;

    if (loop == NULL)
        return;
    join(loop);
    current = loop;
    run_tasks(loop);
    destroy_locals(loop);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->turn, NULL);
    uv_close((uv_handle_t *)&loop->again, NULL);
    finish_closing(loop);
    current = outer;
    *where = NULL;
    if (uv_loop_close(&loop->uv) != 0) {
        log_error(NULL, "loop %u was destroyed with handles open", loop->index);
        return; /* they still point into it: a leak is the lesser harm */
    }
    uv_mutex_destroy(&loop->lock);
    free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    bool own = loop_is_current(loop);
    bool first;

    task->next = NULL;
    uv_mutex_lock(&loop->lock);
    first = loop->first_task == NULL;
    *loop->last_task = task;
    loop->last_task = &task->next;
    if (first &&
        !own) /* with the lock held: once it is open the loop may run the task and be destroyed */
        uv_async_send(&loop->wake);
    uv_mutex_unlock(&loop->lock);
    if (own) {
        loop->posts_to_itself = true;
        loop_again(loop);
    }
}

bool loop_is_current(const struct loop *loop)
{
    return current == loop;
}

void loop_turn_add(struct loop *loop, struct loop_turn *turn)
{
    assert(turn->run != NULL);
    turn->next = &loop->turns;
    turn->previous = loop->turns.previous;
    turn->previous->next = turn;
    loop->turns.previous = turn;
}

void loop_turn_remove(struct loop *loop, struct loop_turn *turn)
{
    if (loop->next_turn == turn)
        loop->next_turn = turn->next;
    turn->next->previous = turn->previous;
    turn->previous->next = turn->next;
    turn->next = turn->previous = NULL;
}

void loop_again(struct loop *loop)
{
    uv_idle_start(&loop->again, on_again);
}

struct loop_local *loop_local(struct loop *loop, const void *key)
{
    struct loop_local *local = loop->locals;

    while (local != NULL && local->key != key)
        local = local->next;
    return local;
}

void loop_local_add(struct loop *loop, struct loop_local *local)
{
    local->next = loop->locals;
    loop->locals = local;
}

uint64_t loop_now(struct loop *loop)
{
    return uv_now(&loop->uv);
}
