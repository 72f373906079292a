/* What every test of common/ includes. cmocka wants these headers, in this order, before its own. */
#ifndef TESTS_UNIT_COMMON_UNIT_H
#define TESTS_UNIT_COMMON_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder of the test's own, gone with folder_end(). */
static inline void folder_begin(char folder[64])
{
    snprintf(folder, 64, "/tmp/unit-common-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline void folder_end(const char *folder)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

#endif
