#include "tests/unit/common/unit.h"

#include "common/pool.h"

#define JOBS 500

struct square {
    struct pool_job job;
    struct pool *pool;
    int number;
    int result;
    int rounds; /* how often it is still to be submitted from done */
    int *left;
};

static void compute(struct pool_job *job)
{
    struct square *square = (struct square *)job;

    assert_false(loop_is_current(job->loop));
    square->result += square->number * square->number;
}

static void take_result(struct pool_job *job)
{
    struct square *square = (struct square *)job;

    assert_true(loop_is_current(job->loop));
    if (square->rounds-- > 0)
        pool_submit(square->pool, job);
    else if (--*square->left == 0)
        loop_stop(job->loop);
}

static void every_job_runs_and_is_told_on_its_loop(void **state)
{
    struct square *squares = calloc(JOBS, sizeof(*squares));
    struct loop *loop = loop_create(0);
    struct pool *pool;
    int left = JOBS;

    (void)state;
    assert_int_equal(pool_create(&pool, "test", 3, NULL), ERR_NONE);
    for (int i = 0; i < JOBS; i++) {
        squares[i] = (struct square){
            {compute, take_result, loop, {0}, NULL},
            pool, i, 0, 2, &left
        };
        pool_submit(pool, &squares[i].job);
    }
    loop_run(loop);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(squares[i].result, 3 * i * i);
    pool_destroy(&pool);
    assert_null(pool);
    loop_destroy(&loop);
    free(squares);
}

static void jobs_submitted_before_the_end_are_still_run(void **state)
{
    struct square *squares = calloc(JOBS, sizeof(*squares));
    struct loop *loop = loop_create(0);
    struct pool *pool;
    int left = JOBS + 1; /* nobody stops the loop: it never runs */

    (void)state;
    assert_int_equal(pool_create(&pool, "test", 1, NULL), ERR_NONE);
    for (int i = 0; i < JOBS; i++) {
        squares[i] = (struct square){
            {compute, take_result, loop, {0}, NULL},
            pool, i, 0, 0, &left
        };
        pool_submit(pool, &squares[i].job);
    }
    pool_destroy(&pool);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(squares[i].result, i * i);
    loop_destroy(&loop); /* tells what is done */
    assert_int_equal(left, 1);
    free(squares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_and_is_told_on_its_loop),
        cmocka_unit_test(jobs_submitted_before_the_end_are_still_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
