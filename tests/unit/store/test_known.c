/* A database that was there and is away as a whole: its disk is not mounted. */
#include <sys/stat.h>

#include "tests/unit/store/two_databases.h"

#include "mailbox-backend/store/rebuild.h"

static void an_empty_folder_in_place_of_a_database_is_not_made_a_new_one(void **state)
{
    struct fixture *fixture = begin(state);
    struct err err;

    fixture_close(fixture);
    shell(fixture, "mv %s/db2 %s/away");
    shell(fixture, "mkdir %s/db2");
    open_again(fixture);
    assert_db2_is_away(fixture, "mount its disk");
    assert_int_equal(store_mount(fixture->store, 1, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "database rebuild db2 --empty"));
    shell(fixture, "rmdir %s/db2"); /* nothing was written into it */
    shell(fixture, "mv %s/away %s/db2");
    must(store_mount(fixture->store, 1, &err), &err);
    assert_db2_serves(fixture);
}

/* It is not called empty, and nothing in its place is begun anew. */
static void a_folder_that_cannot_be_read_is_told_as_that(void **state)
{
    struct fixture *fixture = begin(state);
    const struct rebuild_options options = {.database = 1, .empty = true};
    struct rebuild_result result;
    struct err err;

    fixture_close(fixture);
    shell(fixture, "mv %s/db2 %s/away");
    shell(fixture, "touch %s/db2"); /* root could read any folder */
    open_again(fixture);
    assert_db2_is_away(fixture, "db2: Not a directory");
    fixture_close(fixture);
    assert_int_not_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_NONE);
    assert_non_null(strstr(err.text, "Not a directory"));
}

/* Whatever the settings say. */
static void a_database_whose_folder_is_gone_is_missed(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    fixture->settings.databases = 1;
    shell(fixture, "mv %s/db2 %s/away");
    open_again(fixture);
    assert_db2_is_away(fixture, "mount its disk");
    fixture_close(fixture);
    shell(fixture, "ln -s %s/nowhere %s/db2"); /* to a disk that is not mounted */
    open_again(fixture);
    assert_db2_is_away(fixture, "mount its disk");
    fixture_close(fixture);
    shell(fixture, "rm %s/db2 && ln -s away %s/db2");
    open_again(fixture);
    assert_db2_serves(fixture);
}

static void databases_behind_one_that_is_gone_are_served(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    fixture->settings.databases = 1;
    shell(fixture, "mv %s/db1 %s/away");
    open_again(fixture);
    assert_false(status_of(fixture, 0).mounted);
    assert_db2_serves(fixture);
}

static void without_any_database_the_store_does_not_open(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_close(fixture);
    shell(fixture, "mv %s/db1 %s/away");
    assert_int_equal(store_open(&fixture->store, &fixture->settings, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "mount its disk"));
    shell(fixture, "mv %s/away %s/db1");
    fixture_open(fixture);
}

static void a_database_that_is_lost_for_good_begins_anew_when_that_is_asked_for(void **state)
{
    struct fixture *fixture = begin(state);
    struct rebuild_options options = {.database = 1, .without_copy = true};
    struct rebuild_result result;
    struct err err;

    fixture_close(fixture);
    shell(fixture, "rm -r %s/db2");
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "--empty"));
    options = (struct rebuild_options){.database = 2, .empty = true};
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_NOT_FOUND);
    options.database = 0;
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_EXISTS);
    options.database = 1;
    must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
    assert_int_equal(result.messages, 0);
    open_again(fixture);
    assert_int_equal(open_mailbox(fixture, 2, false), ERR_NOT_FOUND);
    assert_int_equal(open_mailbox(fixture, 2, true), ERR_NONE);
    assert_int_equal(store_mailbox_database(fixture->mailbox), 1);
    append_text(fixture, INBOX, "new");
    assert_sound(fixture);
}

/* A store that an older program made has no such file; a line may be anything. */
static void what_is_there_is_noted_and_what_makes_no_sense_passed_over(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    shell(fixture, "rm %s/databases");
    open_again(fixture);
    fixture_close(fixture);
    shell(fixture, "printf 'db1\\ndb2\\n' | cmp - %s/databases");
    shell(fixture, "printf 'db1\\ndb0\\n\\ndb999999\\ndb 2\\n' > %s/databases");
    open_again(fixture);
    assert_db2_serves(fixture);
    fixture_close(fixture);
    shell(fixture, "printf 'db1\\ndb2\\n' | cmp - %s/databases");
}

static void an_index_that_was_cut_to_nothing_is_lost(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    shell(fixture, "truncate -s 0 %s/db2/index.mdb");
    open_again(fixture);
    assert_db2_is_away(fixture, "database rebuild db2");
}

static void a_database_that_could_not_be_added_is_none(void **state)
{
    struct fixture *fixture = begin(state);
    struct store_status status;
    unsigned number;
    struct err err;

    shell(fixture, "touch %s/db3");
    assert_int_not_equal(store_database_add(fixture->store, &number, &err), ERR_NONE);
    shell(fixture, "rm %s/db3 && mkdir -p %s/db3");
    fixture_close(fixture);
    open_again(fixture);
    store_status(fixture->store, &status);
    assert_int_equal(status.databases, 2);
    must(store_database_add(fixture->store, &number, &err), &err); /* a disk for it */
    assert_int_equal(number, 2);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(an_empty_folder_in_place_of_a_database_is_not_made_a_new_one),
        WITH_STORE(a_folder_that_cannot_be_read_is_told_as_that),
        WITH_STORE(a_database_whose_folder_is_gone_is_missed),
        WITH_STORE(databases_behind_one_that_is_gone_are_served),
        WITH_STORE(without_any_database_the_store_does_not_open),
        WITH_STORE(a_database_that_is_lost_for_good_begins_anew_when_that_is_asked_for),
        WITH_STORE(what_is_there_is_noted_and_what_makes_no_sense_passed_over),
        WITH_STORE(an_index_that_was_cut_to_nothing_is_lost),
        WITH_STORE(a_database_that_could_not_be_added_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
