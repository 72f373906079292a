#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/service.h"

static const struct service_name names[] = {
    {"imap4be", "imap4", "IMAP"},
    {"pop3be",  "pop3",  "POP" },
};

struct fixture {
    char folder[64], file[96];
    struct services *services;
    unsigned starts, stops;
    bool is_failing;
};

static enum err_code open_again(struct fixture *fixture, struct err *err)
{
    struct services_settings settings = {
        .file = fixture->file,
        .names = names,
        .count = 2,
        .other_side = "front",
    };

    services_close(&fixture->services);
    return services_open(&fixture->services, &settings, err);
}

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    strcpy(fixture->folder, "/tmp/service-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->file, sizeof(fixture->file), "%s/services", fixture->folder);
    assert_int_equal(open_again(fixture, NULL), ERR_NONE);
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    services_close(&fixture->services);
    unlink(fixture->file);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static enum err_code on_switch(void *context, const char *name, bool run, struct err *err)
{
    struct fixture *fixture = context;

    if (fixture->is_failing)
        return err_set(err, ERR_EXISTS, "%s: the port is taken", name);
    if (run)
        fixture->starts++;
    else
        fixture->stops++;
    return ERR_NONE;
}

static void everything_is_off_at_first(void **state)
{
    struct fixture *fixture = *state;

    assert_false(service_is_enabled(fixture->services, "imap4be"));
    assert_false(service_is_running(fixture->services, "imap4be"));
    assert_false(service_is_enabled(fixture->services, "nonsense"));
    assert_string_equal(services_name(fixture->services, 1)->name, "pop3be");
    assert_null(services_name(fixture->services, 2));
}

static void what_is_enabled_is_kept(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(service_enable(fixture->services, "pop3be", true, NULL), ERR_NONE);
    assert_int_equal(open_again(fixture, NULL), ERR_NONE);
    assert_true(service_is_enabled(fixture->services, "pop3be"));
    assert_false(service_is_enabled(fixture->services, "imap4be"));
    assert_int_equal(service_enable(fixture->services, "pop3be", false, NULL), ERR_NONE);
    assert_int_equal(open_again(fixture, NULL), ERR_NONE);
    assert_false(service_is_enabled(fixture->services, "pop3be"));
}

static void only_what_is_enabled_starts_with_the_program(void **state)
{
    struct fixture *fixture = *state;

    service_enable(fixture->services, "pop3be", true, NULL);
    services_listen(fixture->services, on_switch, fixture);
    assert_int_equal(services_start_enabled(fixture->services, NULL), ERR_NONE);
    assert_int_equal(fixture->starts, 1);
    assert_true(service_is_running(fixture->services, "pop3be"));
    assert_int_equal(service_run(fixture->services, "pop3be", true, NULL), ERR_NONE);
    assert_int_equal(fixture->starts, 1);
    assert_int_equal(service_run(fixture->services, "pop3be", false, NULL), ERR_NONE);
    assert_int_equal(fixture->stops, 1);
    assert_true(service_is_enabled(fixture->services, "pop3be"));
}

static void a_service_that_cannot_start_counts_as_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture->is_failing = true;
    services_listen(fixture->services, on_switch, fixture);
    assert_int_equal(service_run(fixture->services, "pop3be", true, &err), ERR_EXISTS);
    assert_non_null(strstr(err.text, "taken"));
    assert_false(service_is_running(fixture->services, "pop3be"));
}

static void without_a_daemon_nothing_starts(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(service_run(fixture->services, "pop3be", true, NULL), ERR_UNAVAILABLE);
}

static void a_name_of_the_other_side_is_explained(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    assert_int_equal(service_enable(fixture->services, "imap4", true, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "imap4 is a front service; here it is imap4be");
    assert_int_equal(service_run(fixture->services, "smtp", true, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "no service smtp; there are imap4be, pop3be");
}

static void an_unreadable_file_is_refused(void **state)
{
    struct fixture *fixture = *state;

    file_write(fixture->file, "pop3be\n", 7, 0600, NULL);
    assert_int_equal(open_again(fixture, NULL), ERR_CORRUPT);
    assert_null(fixture->services);
    file_write(fixture->file, "services 1\npop3be\nfuture\n", 25, 0600, NULL);
    assert_int_equal(open_again(fixture, NULL), ERR_NONE);
    assert_true(service_is_enabled(fixture->services, "pop3be"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_off_at_first),
        TEST(what_is_enabled_is_kept),
        TEST(only_what_is_enabled_starts_with_the_program),
        TEST(a_service_that_cannot_start_counts_as_stopped),
        TEST(without_a_daemon_nothing_starts),
        TEST(a_name_of_the_other_side_is_explained),
        TEST(an_unreadable_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
