/* Files of segments that are damaged, and what a repair leaves behind for a rebuild. */
#include "tests/unit/store/damage.h"

static void shell(struct fixture *fixture, const char *format)
{
    char command[256];

    snprintf(command, sizeof(command), format, fixture->folder, fixture->folder);
    assert_int_equal(system(command), 0);
}

static enum err_code on_told(void *context, const struct maintain_finding *finding, bool mended,
                             const char *done, struct err *err)
{
    (void)context, (void)err;
    print_message("    %s: %s%s\n", finding->problem, mended ? "" : "(not mended) ", done);
    return ERR_NONE;
}

static struct repair_result repair(struct fixture *fixture)
{
    const struct repair_options options = {
        .check = {.content = true, .share = 100},
          .told = on_told
    };
    struct repair_result result;
    struct err err;

    must(store_repair(fixture->store, 0, &options, &result, &err), &err);
    return result;
}

static void a_damaged_header_is_written_anew(void **state)
{
    struct fixture *fixture = *state;
    struct repair_result result;

    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "two");
    fixture_close(fixture);
    shell(fixture, "dd if=/dev/urandom of=%s/db1/segment-00000001 bs=512 count=1 conv=notrunc "
                   "status=none");
    fixture_open(fixture);
    result = repair(fixture);
    assert_int_equal(result.mended, 1);
    assert_int_equal(result.left, 0);
    assert_content(fixture, INBOX, 1, "one", 3);
    assert_content(fixture, INBOX, 2, "two", 3);
    assert_sound(fixture);
    assert_int_equal(repair(fixture).mended, 0);
    fixture_reopen(fixture);
    assert_content(fixture, INBOX, 2, "two", 3);
}

/* It is another file: nothing in it is of this segment. */
static void a_file_without_records_of_the_segment_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct repair_result result;

    append_text(fixture, INBOX, "one");
    fixture_close(fixture);
    shell(fixture, "dd if=/dev/urandom of=%s/db1/segment-00000001 bs=64k count=1 conv=notrunc "
                   "status=none");
    shell(fixture, "cksum < %s/db1/segment-00000001 > %s/before");
    fixture_open(fixture);
    result = repair(fixture);
    assert_int_equal(result.mended, 0);
    assert_true(result.left > 0);
    shell(fixture, "cksum < %s/db1/segment-00000001 | cmp - %s/before");
}

static time_t copied(struct fixture *fixture)
{
    struct database_status status;
    struct err err;

    must(store_database_status(fixture->store, 0, &status, &err), &err);
    return (time_t)status.copied;
}

/* What a repair does is in no operation record: a rebuild from an older copy would undo it. */
static void a_repair_is_followed_by_a_copy_of_the_index(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state state_row;
    time_t first;

    append_text(fixture, INBOX, "one");
    state_row = state_of(fixture);
    state_row.bytes += 7;
    put_state(fixture, &state_row);
    fixture->settings.index_copy_interval = 86400;
    fixture_reopen(fixture);
    for (unsigned i = 0; i < 3000 && copied(fixture) == 0; i++)
        usleep(20000);
    first = copied(fixture);
    assert_int_not_equal(first, 0);
    while (time(NULL) <= first) /* its time tells the next one */
        usleep(20000);
    assert_true(repair(fixture).mended > 0);
    for (unsigned i = 0; i < 3000 && copied(fixture) == first; i++)
        usleep(20000);
    assert_int_not_equal(copied(fixture), first);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_damaged_header_is_written_anew),
        WITH_STORE(a_file_without_records_of_the_segment_is_left_alone),
        WITH_STORE(a_repair_is_followed_by_a_copy_of_the_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
