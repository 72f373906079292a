/* An empty directory in a temporary folder, for one test. */
#ifndef TESTS_UNIT_DIRECTORY_FIXTURE_H
#define TESTS_UNIT_DIRECTORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox-backend/directory/admin.h"

/* What a front says of a client with TLS, and nothing to bind to. */
static Link__Client fixture_client __attribute__((unused)) = {
    .base = PROTOBUF_C_MESSAGE_INIT(&link__client__descriptor),
    .address = (char *)(uintptr_t) "192.0.2.7",
    .secured = true,
};

struct fixture {
    char folder[64];
    struct directory *directory;
    struct arena arena;
};

static inline void fixture_open(struct fixture *fixture)
{
    struct directory_settings settings = {
        .folder = fixture->folder,
        .default_domain = "Example.ORG",
        .delimiter = "+",
        .cache_seconds = 3600,
        .default_quota_bytes = 5000,
        .scram = true,
    };
    struct err err;

    assert_int_equal(directory_open(&fixture->directory, &settings, &err), ERR_NONE);
}

static inline int fixture_create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    strcpy(fixture->folder, "/tmp/directory-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static inline int fixture_destroy(void **state)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    struct fixture *fixture = *state;
    char path[128];

    directory_close(&fixture->directory);
    arena_reset(&fixture->arena);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, files[i]);
        unlink(path);
    }
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static inline void fixture_add(struct fixture *fixture, const char *name, const char *password)
{
    struct account_new new = {.name = str_of(name), .services = SERVICES_ALL};
    struct err err;

    new.password = str_of(password);
    assert_int_equal(account_add(fixture->directory, &new, false, &fixture->arena, NULL, &err),
                     ERR_NONE);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_create, fixture_destroy)

#endif
