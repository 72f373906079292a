#include "tests/unit/common/unit.h"

#include <pthread.h>

#include "common/loop.h"

struct numbered {
    struct loop_task task;
    struct loop *loop;
    int number;
    int *order; /* where the numbers are noted as they run */
    int *count;
    int stop_at;
};

static void note(struct loop_task *task)
{
    struct numbered *numbered = (struct numbered *)task;

    assert_true(loop_is_current(numbered->loop));
    numbered->order[(*numbered->count)++] = numbered->number;
    if (*numbered->count == numbered->stop_at)
        loop_stop(numbered->loop);
}

static void tasks_run_in_the_order_of_posting(void **state)
{
    struct loop *loop = loop_create(3);
    struct numbered tasks[10];
    int order[10];
    int count = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        tasks[i] = (struct numbered){
            {note, NULL},
            loop, i, order, &count, 10
        };
        loop_post(loop, &tasks[i].task);
    }
    assert_false(loop_is_current(loop));
    assert_int_equal(loop_index(loop), 3);
    loop_run(loop);
    assert_int_equal(count, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(order[i], i);
    loop_destroy(&loop);
    assert_null(loop);
}

#define POSTERS 4
#define POSTS 2000

struct poster {
    pthread_t thread;
    struct loop *loop;
    struct numbered tasks[POSTS];
    int order[POSTS];
    int count;
};

static void *post_all(void *context)
{
    struct poster *poster = context;

    for (int i = 0; i < POSTS; i++)
        loop_post(poster->loop, &poster->tasks[i].task);
    return NULL;
}

static void every_task_of_many_threads_runs_once_and_in_order(void **state)
{
    struct poster *posters = calloc(POSTERS, sizeof(*posters));
    struct loop *loop = loop_create(0);

    (void)state;
    assert_int_equal(loop_start(loop, NULL), ERR_NONE);
    for (int p = 0; p < POSTERS; p++) {
        posters[p].loop = loop;
        for (int i = 0; i < POSTS; i++)
            posters[p].tasks[i] = (struct numbered){
                {note, NULL},
                loop, i, posters[p].order, &posters[p].count, -1
            };
        pthread_create(&posters[p].thread, NULL, post_all, &posters[p]);
    }
    for (int p = 0; p < POSTERS; p++)
        pthread_join(posters[p].thread, NULL);
    loop_stop(loop);
    for (int p = 0; p < POSTERS; p++) {
        assert_int_equal(posters[p].count, POSTS);
        for (int i = 0; i < POSTS; i++)
            assert_int_equal(posters[p].order[i], i);
    }
    loop_destroy(&loop);
    free(posters);
}

static void a_task_posted_after_the_stop_runs_at_destruction(void **state)
{
    struct loop *loop = loop_create(0);
    int order[1];
    int count = 0;
    struct numbered task = {
        {note, NULL},
        loop, 7, order, &count, -1
    };

    (void)state;
    assert_int_equal(loop_start(loop, NULL), ERR_NONE);
    loop_stop(loop);
    loop_post(loop, &task.task);
    assert_int_equal(count, 0);
    loop_destroy(&loop);
    assert_int_equal(count, 1);
}

struct counter {
    struct loop_turn turn;
    struct loop *loop;
    struct counter *victim; /* removed from within the turn */
    int runs;
    int again_until;
};

static void count_turn(struct loop_turn *turn)
{
    struct counter *counter = (struct counter *)turn;

    counter->runs++;
    if (counter->victim != NULL) {
        loop_turn_remove(counter->loop, &counter->victim->turn);
        counter->victim = NULL;
    }
    if (counter->runs < counter->again_until)
        loop_again(counter->loop);
    else if (counter->again_until != 0)
        loop_stop(counter->loop);
}

static void again_brings_the_next_turn_without_an_event(void **state)
{
    struct loop *loop = loop_create(0);
    struct counter counter = {
        {count_turn, NULL, NULL},
        loop, NULL, 0, 100
    };

    (void)state;
    loop_turn_add(loop, &counter.turn);
    loop_run(loop);
    assert_true(counter.runs >= 100);
    loop_turn_remove(loop, &counter.turn);
    loop_destroy(&loop);
}

static void a_turn_may_remove_itself_and_its_neighbour(void **state)
{
    struct loop *loop = loop_create(0);
    struct counter last = {
        {count_turn, NULL, NULL},
        loop, NULL, 0, 3
    };
    struct counter second = {
        {count_turn, NULL, NULL},
        loop, NULL, 0, 0
    };
    struct counter first = {
        {count_turn, NULL, NULL},
        loop, &second, 0, 0
    };
    struct counter alone = {
        {count_turn, NULL, NULL},
        loop, &alone, 0, 0
    };

    (void)state;
    loop_turn_add(loop, &alone.turn);
    loop_turn_add(loop, &first.turn);
    loop_turn_add(loop, &second.turn);
    loop_turn_add(loop, &last.turn);
    loop_run(loop);
    assert_int_equal(alone.runs, 1);
    assert_int_equal(second.runs, 0);
    assert_int_equal(first.runs, last.runs);
    assert_true(last.runs >= 3);
    loop_turn_remove(loop, &first.turn);
    loop_turn_remove(loop, &last.turn);
    loop_destroy(&loop);
}

static int destroyed;

static void note_destroyed(struct loop_local *local)
{
    (void)local;
    destroyed++;
}

static void a_local_is_found_by_its_key_and_ends_with_the_loop(void **state)
{
    static const char key = 0;
    struct loop *loop = loop_create(0);
    struct loop_local local = {&key, note_destroyed, NULL};

    (void)state;
    assert_null(loop_local(loop, &key));
    loop_local_add(loop, &local);
    assert_ptr_equal(loop_local(loop, &key), &local);
    assert_null(loop_local(loop, &destroyed));
    destroyed = 0;
    loop_destroy(&loop);
    assert_int_equal(destroyed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_the_order_of_posting),
        cmocka_unit_test(every_task_of_many_threads_runs_once_and_in_order),
        cmocka_unit_test(a_task_posted_after_the_stop_runs_at_destruction),
        cmocka_unit_test(again_brings_the_next_turn_without_an_event),
        cmocka_unit_test(a_turn_may_remove_itself_and_its_neighbour),
        cmocka_unit_test(a_local_is_found_by_its_key_and_ends_with_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
