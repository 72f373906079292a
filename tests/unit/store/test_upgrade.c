/* A store that was made by the program before format 2 (tests/data/format-1.tar.gz), and what raising
   the format of a database does. */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/store/fixture.h"

#include "common/file.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/record.h"

#define INBOX STORE_INBOX_FOLDER
#define YEARS (3650u * 86400)

static struct fixture *bare_fixture(void)
{
    struct fixture *fixture = fixture_make();

    fixture->settings.recovery_seconds = YEARS;
    return fixture;
}

/* ---- looking at rows ---- */

static struct index *open_index(struct fixture *fixture)
{
    struct index *index;
    char folder[96];
    struct err err;

    snprintf(folder, sizeof(folder), "%s/db1", fixture->folder);
    must(index_open(&index, folder, 1u << 30, 4, NULL, &err), &err);
    return index;
}

/* The length of a row, and its version. */
static size_t row_length(struct index *index, uint32_t mailbox, enum table table, struct key key,
                         unsigned *version)
{
    struct tx tx = {NULL, mailbox};
    struct bytes row;
    struct err err;

    must(index_read_begin(index, &tx.txn, &err), &err);
    must(tx_get(&tx, table, &key, &row, &err), &err);
    *version = row.data[0];
    index_read_end(&tx.txn);
    return row.length;
}

static void assert_rows(struct fixture *fixture, unsigned version, size_t own, size_t state)
{
    struct index *index = open_index(fixture);
    unsigned found;

    assert_int_equal(row_length(index, 0, TABLE_SEGMENT, key_number(0), &found), own);
    assert_int_equal(found, version);
    assert_int_equal(row_length(index, 1, TABLE_ITEM, key_item(0, KEY_STATE), &found), state);
    assert_int_equal(found, version);
    index_close(&index);
}

/* ---- writing rows as they were, or will be ---- */

struct rewrite {
    struct index *index;
    struct tx tx;
};

static struct rewrite rewrite_begin(struct fixture *fixture)
{
    struct rewrite rewrite = {
        open_index(fixture), {NULL, 0}
    };
    struct err err;

    must(index_write_begin(rewrite.index, &rewrite.tx.txn, &err), &err);
    return rewrite;
}

static void rewrite_end(struct rewrite *rewrite)
{
    struct err err;

    must(index_commit(&rewrite->tx.txn, &err), &err);
    index_close(&rewrite->index);
}

static void put_record(struct rewrite *rewrite, uint32_t format, uint32_t next)
{
    struct key key = key_number(0);
    struct database_record record;
    uint8_t packed[DATABASE_MOST];
    struct bytes row;
    struct err err;
    size_t length;

    rewrite->tx.mailbox = 0;
    must(tx_get(&rewrite->tx, TABLE_SEGMENT, &key, &row, &err), &err);
    assert_true(database_unpack(row, &record));
    record.format = format;
    record.upgrade_next = next;
    length = database_pack(packed, &record);
    must(tx_put(&rewrite->tx, TABLE_SEGMENT, &key, packed, length, &err), &err);
}

static void make_old(struct rewrite *rewrite, uint32_t mailbox)
{
    struct key key = key_item(0, KEY_STATE);
    struct mailbox_state state;
    uint8_t packed[MAILBOX_STATE_MOST];
    struct bytes row;
    struct err err;
    size_t length;

    rewrite->tx.mailbox = mailbox;
    must(tx_get(&rewrite->tx, TABLE_ITEM, &key, &row, &err), &err);
    assert_true(mailbox_state_unpack(row, &state));
    state.counts_recoverable = false;
    length = mailbox_state_pack(packed, &state);
    must(tx_put(&rewrite->tx, TABLE_ITEM, &key, packed, length, &err), &err);
}

/* ---- short forms ---- */

static struct store_usage recoverable(struct fixture *fixture)
{
    struct store_read *read = read_begin(fixture);
    struct store_usage usage;
    struct err err;

    must(store_recoverable_usage(read, &usage, &err), &err);
    store_read_end(&read);
    return usage;
}

static struct database_status status_of(struct fixture *fixture)
{
    struct database_status status;
    struct err err;

    must(store_database_status(fixture->store, 0, &status, &err), &err);
    return status;
}

static bool yes(void *context)
{
    (void)context;
    return true;
}

static enum err_code show(void *context, const struct maintain_finding *finding, struct err *err)
{
    (void)context;
    (void)err;
    print_error("%s\n", finding->problem);
    return ERR_NONE;
}

static void assert_sound(struct fixture *fixture)
{
    const struct check_options options = {.content = true, .share = 100, .found = show};
    struct check_result result;
    struct err err;

    must(store_check(fixture->store, 0, &options, &result, &err), &err);
    assert_int_equal(result.findings, 0);
}

/* Opens mailbox 1, whoever's it is. */
static void open_first(struct fixture *fixture)
{
    struct index *index = open_index(fixture);
    struct key key = key_number(1);
    struct tx tx = {NULL, 0};
    struct mailbox_record record;
    struct bytes row;
    struct err err;

    must(index_read_begin(index, &tx.txn, &err), &err);
    must(tx_get(&tx, TABLE_MAILBOX, &key, &row, &err), &err);
    assert_true(mailbox_unpack(row, &record));
    index_read_end(&tx.txn);
    index_close(&index);
    must(store_open(&fixture->store, &fixture->settings, &err), &err);
    must(store_mailbox_open(fixture->store, &record.guid, false, &fixture->mailbox, NULL, &err),
         &err);
}

static int setup_old(void **state)
{
    struct fixture *fixture = bare_fixture();
    char command[192];

    snprintf(command, sizeof(command),
             "tar -xzf tests/data/format-1.tar.gz -C %s --strip-components=2 ./store",
             fixture->folder);
    assert_int_equal(system(command), 0);
    *state = fixture;
    return 0;
}

static int setup_new(void **state)
{
    *state = bare_fixture();
    return 0;
}

/* ---- tests ---- */

static void an_old_store_is_served_and_written_in_its_old_format(void **state)
{
    struct fixture *fixture = *state;

    open_first(fixture);
    assert_int_equal(status_of(fixture).format, 1);
    assert_int_equal(folder_now(fixture, INBOX).messages, 4);
    assert_int_equal(recoverable(fixture).messages, 2);
    assert_int_equal(append_text(fixture, INBOX, "new"), 7);
    expunge(fixture, INBOX, 2, 3);
    assert_int_equal(recoverable(fixture).messages, 4);
    assert_sound(fixture);
    fixture_close(fixture);
    assert_rows(fixture, 1, 37, 48);
    open_first(fixture);
    assert_int_equal(status_of(fixture).format, 1);
    assert_content(fixture, INBOX, 7, "new", 3);
}

static void an_upgrade_keeps_all_and_counts_what_can_be_recovered(void **state)
{
    struct fixture *fixture = *state;
    struct store_usage before, after;
    struct err err;

    open_first(fixture);
    before = recoverable(fixture);
    must(store_upgrade(fixture->store, 0, yes, NULL, &err), &err);
    assert_int_equal(status_of(fixture).format, FORMAT_NEWEST);
    assert_false(status_of(fixture).upgrading);
    assert_int_equal(folder_now(fixture, INBOX).messages, 4);
    after = recoverable(fixture);
    assert_int_equal(after.messages, 2);
    assert_int_equal(after.bytes, before.bytes);
    assert_sound(fixture);
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(recoverable(fixture).messages, 3);
    assert_sound(fixture);
    fixture_close(fixture);
    assert_rows(fixture, 2, 45, 64);
    open_first(fixture);
    assert_int_equal(recoverable(fixture).messages, 3);
    must(store_upgrade(fixture->store, 0, yes, NULL, &err), &err); /* again: nothing to do */
}

#define MAILBOXES 150u

static void an_upgrade_that_a_crash_ended_goes_on_by_itself(void **state)
{
    struct fixture *fixture = *state;
    struct rewrite rewrite;
    unsigned version;
    struct err err;

    fixture_open(fixture);
    append_text(fixture, INBOX, "text");
    expunge(fixture, INBOX, 1, 1);
    for (unsigned n = 2; n <= MAILBOXES; n++) {
        struct store_guid guid = guid_of(n);
        struct store_mailbox *mailbox;

        must(store_mailbox_open(fixture->store, &guid, true, &mailbox, NULL, &err), &err);
        store_mailbox_unref(&mailbox);
    }
    fixture_close(fixture);
    rewrite = rewrite_begin(fixture); /* as it stood after the slice that came to mailbox 70 */
    put_record(&rewrite, 2, 70);
    for (uint32_t n = 70; n <= MAILBOXES; n++)
        make_old(&rewrite, n);
    rewrite_end(&rewrite);
    fixture_open(fixture);
    while (status_of(fixture).upgrading)
        usleep(1000);
    assert_sound(fixture);
    fixture_close(fixture);
    rewrite.index = open_index(fixture);
    for (uint32_t n = 1; n <= MAILBOXES; n++) {
        row_length(rewrite.index, n, TABLE_ITEM, key_item(0, KEY_STATE), &version);
        assert_int_equal(version, 2);
    }
    index_close(&rewrite.index);
}

static void a_mailbox_that_the_upgrade_has_not_reached_is_counted_when_it_is_used(void **state)
{
    struct fixture *fixture = *state;
    struct rewrite rewrite;

    fixture_open(fixture);
    append_many(fixture, INBOX, 3);
    expunge(fixture, INBOX, 1, 2);
    fixture_close(fixture);
    rewrite = rewrite_begin(fixture);
    make_old(&rewrite, 1);
    rewrite_end(&rewrite);
    fixture_open(fixture);
    assert_int_equal(recoverable(fixture).messages, 2);
    expunge(fixture, INBOX, 3, 3);
    assert_int_equal(recoverable(fixture).messages, 3);
    assert_int_equal(recoverable(fixture).bytes, 12);
    assert_sound(fixture);
}

/* A checksum over all files but LMDB's lock file and our own. */
static void sum_files(struct fixture *fixture, char out[128])
{
    char command[192];
    FILE *pipe;

    snprintf(command, sizeof(command),
             "cd %s && find . -type f ! -name '*lock' -exec sha256sum {} + | sort | sha256sum",
             fixture->folder);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(out, 128, pipe));
    assert_int_equal(pclose(pipe), 0);
}

static void a_store_of_a_newer_format_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct rewrite rewrite;
    char before[128], after[128];
    struct err err;

    fixture_open(fixture);
    append_text(fixture, INBOX, "text");
    fixture_close(fixture);
    rewrite = rewrite_begin(fixture);
    put_record(&rewrite, 99, 0);
    rewrite_end(&rewrite);
    sum_files(fixture, before);
    assert_int_equal(store_open(&fixture->store, &fixture->settings, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "format 99"));
    assert_non_null(strstr(err.text, "up to 2"));
    sum_files(fixture, after);
    assert_string_equal(before, after);
}

/* A row of a version to come: the format stands where it stood. */
static void the_format_is_found_in_a_row_of_a_newer_version(void **state)
{
    uint8_t row[80] = {3};
    struct err err;

    (void)state;
    put_u32(row + FORMAT_AT, 12);
    assert_int_equal(format_of((struct bytes){row, sizeof(row)}), 12);
    assert_int_equal(format_of((struct bytes){row, 12}), 0);
    assert_int_equal(format_check(12, &err), ERR_UNAVAILABLE);
    assert_int_equal(format_check(0, &err), ERR_CORRUPT);
    assert_int_equal(format_check(1, &err), ERR_NONE);
}

static void every_format_says_what_it_brought(void **state)
{
    (void)state;
    for (uint32_t format = 2; format <= FORMAT_NEWEST; format++)
        assert_true(strlen(format_brought(format)) > 0);
    for (enum format_difference i = 0; i < FORMAT_DIFFERENCES; i++) {
        assert_false(format_has(1, i));
        assert_true(format_has(FORMAT_NEWEST, i));
    }
}

int main(void)
{
#define WITH_OLD(test) cmocka_unit_test_setup_teardown(test, setup_old, fixture_teardown)
#define WITH_NEW(test) cmocka_unit_test_setup_teardown(test, setup_new, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_OLD(an_old_store_is_served_and_written_in_its_old_format),
        WITH_OLD(an_upgrade_keeps_all_and_counts_what_can_be_recovered),
        WITH_NEW(an_upgrade_that_a_crash_ended_goes_on_by_itself),
        WITH_NEW(a_mailbox_that_the_upgrade_has_not_reached_is_counted_when_it_is_used),
        WITH_NEW(a_store_of_a_newer_format_is_refused_and_left_alone),
        cmocka_unit_test(the_format_is_found_in_a_row_of_a_newer_version),
        cmocka_unit_test(every_format_says_what_it_brought),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
