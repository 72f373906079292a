/* Has a group of tests run with each TLS engine that is built in. */
#ifndef TESTS_UNIT_COMMON_ENGINES_H
#define TESTS_UNIT_COMMON_ENGINES_H

#include "common/tls.h"

static enum tls_engine engine; /* that the tests are to use */

static inline bool is_openssl(void)
{
    return engine == TLS_ENGINE_OPENSSL;
}

/* Whether the engine knows TLS 1.3. */
static inline bool knows_13(void)
{
    return is_openssl() || strstr(tls_library(engine), "TLS 2.") == NULL;
}

/* The value of main(): how many have failed. */
#define RUN_WITH_EACH_ENGINE(tests, setup, teardown)                                               \
    int failed = 0;                                                                                \
                                                                                                   \
    for (engine = TLS_ENGINE_MBEDTLS; engine <= TLS_ENGINE_OPENSSL; engine++) {                    \
        if (tls_engine_check(engine, NULL) == ERR_NONE)                                            \
            failed +=                                                                              \
                cmocka_run_group_tests_name(tls_engine_names[engine], tests, setup, teardown);     \
    }                                                                                              \
    return failed

#endif
