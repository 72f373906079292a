/* A libuv loop on a thread of its own, and the way in for other threads. */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/err.h"

struct loop;

/* Something to be done on a loop's thread. Embed it; it must live until run is called. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next; /* the loop's own */
};

/* A callback that runs once for every loop turn, after the events of the turn and before the loop
   sleeps: where output of the turn is flushed. Embed it; loop_turn_add/_remove on the loop's own
   thread; removing oneself or another from within run is allowed. */
struct loop_turn {
    void (*run)(struct loop_turn *turn);
    struct loop_turn *next, *previous; /* the loop's own */
};

/* A loop that is not running yet. index is its place among the program's loops, from 0. */
struct loop *loop_create(unsigned index);

/* Starts the thread. */
enum err_code loop_start(struct loop *loop, struct err *err);

/* Makes the calling thread the loop's thread until loop_stop(); for the main thread and tests. */
void loop_run(struct loop *loop);

/* Any thread: the loop does what was posted before, ends its turn and leaves. Joins the thread of
   loop_start() when called from another one. Handles must have been closed by then. */
void loop_stop(struct loop *loop);

/* Runs what is still posted, frees a stopped loop and sets *loop to NULL. */
void loop_destroy(struct loop **loop);

uv_loop_t *loop_uv(struct loop *loop);
unsigned loop_index(const struct loop *loop);

/* Any thread: task->run is called on the loop's thread, in the order of posting; never from within
   loop_post(). One wake-up serves all tasks that are waiting, and the loop's own thread needs none. A
   task must not be posted again before it has run. */
void loop_post(struct loop *loop, struct loop_task *task);

/* True on the loop's own thread. */
bool loop_is_current(const struct loop *loop);

void loop_turn_add(struct loop *loop, struct loop_turn *turn);
void loop_turn_remove(struct loop *loop, struct loop_turn *turn);

/* The loop comes to its turn callbacks once more before it sleeps. Own thread; cheap, so whatever
   leaves work to a turn callback calls it. */
void loop_again(struct loop *loop);

/* What a module keeps once for every loop. Embed it; key is any address of the module's own.
   loop_destroy() calls destroy, on the destroying thread, which may still close handles. */
struct loop_local {
    const void *key;
    void (*destroy)(struct loop_local *local);
    struct loop_local *next; /* the loop's own */
};
struct loop_local *loop_local(struct loop *loop, const void *key); /* NULL when there is none */
void loop_local_add(struct loop *loop, struct loop_local *local);

/* Milliseconds of a monotonic clock, as of the start of this turn. */
uint64_t loop_now(struct loop *loop);

#endif
