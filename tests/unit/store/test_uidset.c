#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/store/uidset.h"

static void ranges_that_touch_become_one(void **state)
{
    struct uidset set = {0};

    (void)state;
    uidset_add_range(&set, 5, 9);
    uidset_add_range(&set, 20, 29);
    assert_int_equal(set.count, 2);
    uidset_add_range(&set, 10, 19);
    assert_int_equal(set.count, 1);
    assert_int_equal(uidset_first(&set), 5);
    assert_int_equal(uidset_last(&set), 29);
    assert_int_equal(uidset_size(&set), 25);
    uidset_release(&set);
    assert_true(uidset_is_empty(&set));
}

static void a_hole_splits_a_range(void **state)
{
    struct uidset set = {0};

    (void)state;
    uidset_add_range(&set, 1, 10);
    uidset_remove(&set, 5);
    assert_int_equal(set.count, 2);
    assert_false(uidset_has(&set, 5));
    assert_true(uidset_has(&set, 4));
    assert_int_equal(uidset_next(&set, 5), 6);
    assert_int_equal(uidset_next(&set, 11), 0);
    uidset_remove_range(&set, 1, 10);
    assert_true(uidset_is_empty(&set));
    uidset_release(&set);
}

static void the_highest_uid_is_no_special_case(void **state)
{
    struct uidset set = {0};

    (void)state;
    uidset_add(&set, UINT32_MAX);
    uidset_add(&set, UINT32_MAX - 1);
    assert_int_equal(set.count, 1);
    uidset_add_range(&set, 1, UINT32_MAX);
    assert_int_equal(uidset_size(&set), UINT32_MAX);
    uidset_remove(&set, UINT32_MAX);
    assert_int_equal(uidset_last(&set), UINT32_MAX - 1);
    uidset_release(&set);
}

static void a_copy_stands_alone(void **state)
{
    struct uidset set = {0};
    struct uidset copy = {0};

    (void)state;
    uidset_add_range(&copy, 100, 200);
    uidset_add(&set, 7);
    uidset_copy(&copy, &set);
    uidset_remove(&set, 7);
    assert_int_equal(uidset_size(&copy), 1);
    assert_true(uidset_has(&copy, 7));
    uidset_copy(&copy, &set);
    assert_true(uidset_is_empty(&copy));
    uidset_release(&set);
    uidset_release(&copy);
}

#define UNIVERSE 200u

static void check_against(const struct uidset *set, const bool *has)
{
    uint64_t size = 0;

    for (uint32_t uid = 1; uid <= UNIVERSE; uid++) {
        assert_int_equal(uidset_has(set, uid), has[uid]);
        size += has[uid];
    }
    assert_int_equal(uidset_size(set), size);
    for (size_t i = 1; i < set->count; i++)
        assert_true(set->ranges[i].first > set->ranges[i - 1].last + 1);
}

static void random_changes_agree_with_a_plain_table(void **state)
{
    struct uidset set = {0};
    bool has[UNIVERSE + 1] = {false};
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        uint32_t first = 1 + (uint32_t)rand_r(&seed) % UNIVERSE;
        uint32_t last = first + (uint32_t)rand_r(&seed) % 12;
        bool add = rand_r(&seed) % 2 != 0;

        if (last > UNIVERSE)
            last = UNIVERSE;
        if (add)
            uidset_add_range(&set, first, last);
        else
            uidset_remove_range(&set, first, last);
        for (uint32_t uid = first; uid <= last; uid++)
            has[uid] = add;
        check_against(&set, has);
    }
    uidset_release(&set);
}

/* ---- whole sets, against an array of truths ---- */

static void random_set(struct uidset *set, bool truths[UNIVERSE + 1], unsigned *seed)
{
    memset(truths, 0, sizeof(bool[UNIVERSE + 1]));
    for (int n = rand_r(seed) % 12; n > 0; n--) {
        uint32_t first = 1 + (uint32_t)rand_r(seed) % UNIVERSE;
        uint32_t last = first + (uint32_t)rand_r(seed) % 20;

        last = last > UNIVERSE ? UNIVERSE : last;
        uidset_add_range(set, first, last);
        for (uint32_t uid = first; uid <= last; uid++)
            truths[uid] = true;
    }
}

static void assert_set(const struct uidset *set, const bool truths[UNIVERSE + 1])
{
    for (uint32_t uid = 1; uid <= UNIVERSE; uid++)
        assert_int_equal(uidset_has(set, uid), truths[uid]);
    for (size_t i = 1; i < set->count; i++)
        assert_true(set->ranges[i].first > set->ranges[i - 1].last + 1);
}

static void sets_are_united_and_subtracted_as_wholes(void **state)
{
    unsigned seed = 7;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        struct uidset a = {0};
        struct uidset b = {0};
        bool in_a[UNIVERSE + 1];
        bool in_b[UNIVERSE + 1];
        bool unite = round % 2 == 0;

        random_set(&a, in_a, &seed);
        random_set(&b, in_b, &seed);
        for (uint32_t uid = 1; uid <= UNIVERSE; uid++)
            in_a[uid] = unite ? in_a[uid] || in_b[uid] : in_a[uid] && !in_b[uid];
        if (unite)
            uidset_unite(&a, &b);
        else
            uidset_subtract(&a, &b);
        assert_set(&a, in_a);
        assert_set(&b, in_b);
        uidset_release(&a);
        uidset_release(&b);
    }
}

static void whole_sets_reach_the_highest_uid(void **state)
{
    struct uidset a = {0};
    struct uidset b = {0};

    (void)state;
    uidset_add_range(&a, 1, UINT32_MAX);
    uidset_add_range(&b, 10, UINT32_MAX);
    uidset_subtract(&a, &b);
    assert_int_equal(uidset_last(&a), 9);
    uidset_unite(&a, &b);
    assert_int_equal(a.count, 1);
    assert_int_equal(uidset_last(&a), UINT32_MAX);
    uidset_release(&a);
    uidset_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_that_touch_become_one),
        cmocka_unit_test(a_hole_splits_a_range),
        cmocka_unit_test(the_highest_uid_is_no_special_case),
        cmocka_unit_test(a_copy_stands_alone),
        cmocka_unit_test(random_changes_agree_with_a_plain_table),
        cmocka_unit_test(sets_are_united_and_subtracted_as_wholes),
        cmocka_unit_test(whole_sets_reach_the_highest_uid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
