/* Content that was purged leaves the segment files. */
#include <sys/wait.h>

#include "tests/unit/store/fixture.h"

#include "mailbox-backend/store/maintain.h"

#define INBOX STORE_INBOX_FOLDER
#define SECRET "these bytes must leave the disk for good"

static int setup(void **state)
{
    struct fixture *fixture = fixture_make();

    fixture->settings.recovery_seconds = 3600;
    fixture->settings.compress = false;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

/* Whether the bytes stand in a segment file. */
static bool is_on_disk(struct fixture *fixture, const char *bytes)
{
    char command[256];
    int status;

    snprintf(command, sizeof(command), "cat %s/db1/segment-* | grep -aqF '%s'", fixture->folder,
             bytes);
    status = system(command);
    assert_true(status == 0 || WEXITSTATUS(status) == 1);
    return status == 0;
}

static void purge_first(struct fixture *fixture, bool erase)
{
    struct store_recoverable entry = {0};
    struct store_read *read = read_begin(fixture);
    struct store_op op = {.kind = OP_PURGE, .mailbox = fixture->mailbox};
    struct err err;

    must(store_recoverable_next(read, &entry, &err), &err);
    store_read_end(&read);
    op.in.recover.ids = &entry.id;
    op.in.recover.count = 1;
    op.in.recover.erase = erase;
    must(store_run(&op), &op.err);
    assert_int_equal(op.out.recover.count, 1);
}

static uint64_t erasing(struct fixture *fixture)
{
    struct database_status status;
    struct err err;

    must(store_database_status(fixture->store, 0, &status, &err), &err);
    return status.segments_erasing;
}

static void wait_until_erased(struct fixture *fixture)
{
    for (int i = 0; i < 6000 && erasing(fixture) != 0; i++)
        usleep(10000);
    assert_int_equal(erasing(fixture), 0);
}

static void what_is_purged_and_erased_leaves_the_segments_and_its_neighbours_stay(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "before");
    append_text(fixture, INBOX, SECRET);
    append_text(fixture, INBOX, "behind");
    expunge(fixture, INBOX, 2, 2);
    assert_true(is_on_disk(fixture, SECRET));
    purge_first(fixture, true);
    wait_until_erased(fixture);
    assert_false(is_on_disk(fixture, SECRET));
    assert_content(fixture, INBOX, 1, "before", 6);
    assert_content(fixture, INBOX, 3, "behind", 6);
    fixture_reopen(fixture);
    assert_content(fixture, INBOX, 3, "behind", 6);
}

static void erasing_goes_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct store_content *content;

    append_text(fixture, INBOX, SECRET);
    append_text(fixture, INBOX, "stays");
    content = content_now(fixture, INBOX, 1); /* a reader keeps the file */
    expunge(fixture, INBOX, 1, 1);
    purge_first(fixture, true);
    assert_int_equal(erasing(fixture), 1);
    store_content_close(&content);
    fixture_reopen(fixture);
    wait_until_erased(fixture);
    assert_false(is_on_disk(fixture, SECRET));
    assert_content(fixture, INBOX, 2, "stays", 5);
}

static int setup_with_copies(void **state)
{
    struct fixture *fixture = fixture_make();

    fixture->settings.recovery_seconds = 3600;
    fixture->settings.compress = false;
    fixture->settings.index_copy_interval = 3600;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static void wait_for_a_copy(struct fixture *fixture)
{
    struct database_status status = {0};
    struct err err;

    for (int i = 0; i < 6000 && status.copied == 0; i++) {
        usleep(10000);
        must(store_database_status(fixture->store, 0, &status, &err), &err);
    }
    assert_true(status.copied != 0);
}

static void erasing_does_not_wait_an_hour_for_the_next_copy_of_the_index(void **state)
{
    struct fixture *fixture = *state;

    wait_for_a_copy(fixture);
    append_text(fixture, INBOX, SECRET);
    append_text(fixture, INBOX, "stays");
    expunge(fixture, INBOX, 1, 1);
    purge_first(fixture, true);
    wait_until_erased(fixture);
    assert_false(is_on_disk(fixture, SECRET));
    assert_content(fixture, INBOX, 2, "stays", 5);
}

static void a_plain_purge_leaves_the_bytes_to_the_course_of_time(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, SECRET);
    expunge(fixture, INBOX, 1, 1);
    purge_first(fixture, false);
    assert_int_equal(erasing(fixture), 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(what_is_purged_and_erased_leaves_the_segments_and_its_neighbours_stay),
        WITH_STORE(erasing_goes_on_after_a_restart),
        cmocka_unit_test_setup_teardown(
            erasing_does_not_wait_an_hour_for_the_next_copy_of_the_index, setup_with_copies,
            fixture_teardown),
        WITH_STORE(a_plain_purge_leaves_the_bytes_to_the_course_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
