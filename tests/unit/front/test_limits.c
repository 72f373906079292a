#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/limits.h"

static struct net_address address(const char *text)
{
    struct net_address parsed;

    assert_int_equal(net_parse(&parsed, text, NULL), ERR_NONE);
    return parsed;
}

static int make(void **state)
{
    struct limits_settings settings = {.delay = 1, .delay_most = 15, .memory = 60};

    *state = limits_create(&settings);
    return 0;
}

static int end(void **state)
{
    struct limits *limits = *state;

    limits_destroy(&limits);
    return 0;
}

static void connections_are_limited_in_all(void **state)
{
    struct net_address one = address("192.0.2.1:1"), two = address("192.0.2.2:1");

    assert_int_equal(limits_enter(*state, 0, &one, 1, 10), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &two, 1, 10), LIMITS_TOO_MANY);
    assert_int_equal(limits_enter(*state, 1, &two, 1, 10), LIMITS_FINE);
    limits_leave(*state, 0, &one);
    assert_int_equal(limits_enter(*state, 0, &two, 1, 10), LIMITS_FINE);
    assert_int_equal(limits_count(*state, 0), 1);
}

static void connections_are_limited_for_each_address(void **state)
{
    struct net_address one = address("192.0.2.1:1"), two = address("192.0.2.2:1");

    assert_int_equal(limits_enter(*state, 0, &one, 10, 1), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &one, 10, 1), LIMITS_TOO_MANY_FROM_ADDRESS);
    assert_int_equal(limits_enter(*state, 0, &two, 10, 1), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &one, 10, 0), LIMITS_FINE);
}

static void ipv6_counts_by_its_network_and_mapped_ipv4_as_ipv4(void **state)
{
    struct net_address one = address("[2001:db8::1]:1"), near = address("[2001:db8::2]:1");
    struct net_address far = address("[2001:db8:0:1::1]:1");
    struct net_address plain = address("192.0.2.1:1"), mapped = address("[::ffff:192.0.2.1]:1");

    assert_int_equal(limits_enter(*state, 0, &one, 10, 1), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &near, 10, 1), LIMITS_TOO_MANY_FROM_ADDRESS);
    assert_int_equal(limits_enter(*state, 0, &far, 10, 1), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &plain, 10, 1), LIMITS_FINE);
    assert_int_equal(limits_enter(*state, 0, &mapped, 10, 1), LIMITS_TOO_MANY_FROM_ADDRESS);
}

static void first_failures_cost_nothing_then_the_wait_doubles(void **state)
{
    static const unsigned expected[] = {0, 0, 0, 1, 2, 4, 8, 15, 15};
    struct net_address one = address("192.0.2.1:1"), two = address("192.0.2.2:1");

    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        assert_int_equal(limits_delay(*state, &one, 100), expected[i]);
        limits_failed(*state, &one, 100);
    }
    assert_int_equal(limits_delay(*state, &two, 100), 0);
}

static void failures_are_forgotten_one_by_one(void **state)
{
    struct net_address one = address("192.0.2.1:1");

    for (int i = 0; i < 5; i++)
        limits_failed(*state, &one, 100);
    assert_int_equal(limits_delay(*state, &one, 159), 4);
    assert_int_equal(limits_delay(*state, &one, 160), 2);
    assert_int_equal(limits_delay(*state, &one, 220), 1);
    assert_int_equal(limits_delay(*state, &one, 10000), 0);
    limits_failed(*state, &one, 10000);
    assert_int_equal(limits_delay(*state, &one, 10000), 0);
}

static void oldest_failures_are_forgotten_when_there_are_too_many(void **state)
{
    struct net_address first = address("[2001:db8::1]:1"), other;
    char text[64];

    for (int i = 0; i < 3; i++)
        limits_failed(*state, &first, 100);
    assert_int_equal(limits_delay(*state, &first, 100), 1);
    for (unsigned i = 0; i < LIMITS_FAILED_MOST; i++) {
        snprintf(text, sizeof(text), "10.%u.%u.%u:1", i >> 16, i >> 8 & 255, i & 255);
        other = address(text);
        limits_failed(*state, &other, 100);
    }
    assert_int_equal(limits_delay(*state, &first, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connections_are_limited_in_all, make, end),
        cmocka_unit_test_setup_teardown(connections_are_limited_for_each_address, make, end),
        cmocka_unit_test_setup_teardown(ipv6_counts_by_its_network_and_mapped_ipv4_as_ipv4, make,
                                        end),
        cmocka_unit_test_setup_teardown(first_failures_cost_nothing_then_the_wait_doubles, make,
                                        end),
        cmocka_unit_test_setup_teardown(failures_are_forgotten_one_by_one, make, end),
        cmocka_unit_test_setup_teardown(oldest_failures_are_forgotten_when_there_are_too_many, make,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
