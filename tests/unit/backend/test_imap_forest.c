/* Link-cut trees against plain climbing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mailbox-backend/imap4/forest.h"

#define NODES 300
#define NONE UINT32_MAX

static uint32_t parents[NODES];
static unsigned random_state = 1;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

static uint32_t climb(uint32_t node)
{
    while (parents[node] != NONE)
        node = parents[node];
    return node;
}

static void roots_are_those_that_climbing_finds(void **state)
{
    struct forest forest = {0};
    uint32_t room = 10;

    (void)state;
    for (unsigned i = 0; i < NODES; i++)
        parents[i] = NONE;
    forest_grow(&forest, room);
    for (unsigned move = 0; move < 200000; move++) {
        uint32_t node = pick(room);
        uint32_t other = pick(room);

        if (move % 1000 == 0 && room < NODES)
            forest_grow(&forest, room += 10);
        if (pick(4) == 0) {
            forest_take_off(&forest, node);
            parents[node] = NONE;
        } else if (parents[node] == NONE && climb(other) != node) {
            forest_hang(&forest, node, other);
            parents[node] = other;
        }
        other = pick(room);
        assert_int_equal(forest_root(&forest, other), climb(other));
    }
    forest_release(&forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_that_climbing_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
