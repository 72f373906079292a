/* An index is made again although what it is made from is damaged, too. */
#include <fcntl.h>

#include "tests/unit/store/damage.h"

#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/rebuild.h"

static void shell(struct fixture *fixture, const char *format)
{
    char command[256];

    snprintf(command, sizeof(command), format, fixture->folder, fixture->folder);
    assert_int_equal(system(command), 0);
}

static struct rebuild_result rebuild(struct fixture *fixture, bool without_copy)
{
    const struct rebuild_options options = {.without_copy = without_copy};
    struct rebuild_result result;
    struct err err;

    must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
    return result;
}

static enum err_code on_told(void *context, const struct maintain_finding *finding, bool mended,
                             const char *done, struct err *err)
{
    (void)err;
    print_message("    %s: %s\n", finding->problem, done);
    *(unsigned *)context += !mended;
    return ERR_NONE;
}

/* Everything is mended, and nothing is left to find. */
static void repair(struct fixture *fixture)
{
    unsigned left = 0;
    const struct repair_options options = {
        .check = {.content = true, .share = 100, .context = &left},
          .told = on_told
    };
    struct repair_result result;
    struct err err;

    must(store_repair(fixture->store, 0, &options, &result, &err), &err);
    assert_int_equal(left, 0);
    assert_sound(fixture);
}

/* ---- the copy ---- */

static void copy_index(struct fixture *fixture)
{
    struct err err;

    must(copier_copy(fixture->store->databases[0], &err), &err);
}

/* Flips a byte of the row in the copy. The store is closed, and its index lost. */
static void damage_copy(struct fixture *fixture, enum table table, struct key key)
{
    struct index *index;
    struct tx tx;
    uint8_t bytes[512];
    struct bytes row;
    struct err err;
    MDB_val k, v;

    fixture_close(fixture);
    shell(fixture, "mv %s/db1/index.copy %s/db1/index.mdb");
    index = index_of(fixture, &tx);
    must(tx_get(&tx, table, &key, &row, &err), &err);
    k = (MDB_val){key.length, key.bytes};
    v = (MDB_val){row.length + 4, bytes};
    memcpy(bytes, row.data, row.length + 4);
    bytes[row.length / 2] ^= 0x10;
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[table], &k, &v, 0), 0);
    must(index_commit(&tx.txn, &err), &err);
    index_close(&index);
    shell(fixture, "mv %s/db1/index.mdb %s/db1/index.copy");
}

/* A message before the copy, one after it; then the row is damaged and the index made again. */
static struct rebuild_result rebuild_from_damaged(struct fixture *fixture, enum table table,
                                                  struct key key)
{
    struct rebuild_result result;

    append_text(fixture, INBOX, "before");
    copy_index(fixture);
    append_text(fixture, INBOX, "after");
    damage_copy(fixture, table, key);
    result = rebuild(fixture, false);
    assert_true(result.from_copy);
    assert_true(result.rows > 0);
    fixture_open(fixture);
    return result;
}

/* Writes over the tables' first pages, whichever they are. */
static void a_copy_with_damaged_pages_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct rebuild_options options = {.database = 0};
    struct rebuild_result result;
    uint8_t noise[4096];
    struct err err;
    char path[100];
    int fd;

    append_text(fixture, INBOX, "before");
    copy_index(fixture);
    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/db1/index.copy", fixture->folder);
    fd = open(path, O_WRONLY);
    memset(noise, 0x5A, sizeof(noise));
    for (unsigned page = 2; page < 10; page++)
        assert_int_equal(pwrite(fd, noise + 64, 1024, page * 4096 + 12), 1024);
    close(fd);
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "the copy of the index"));
    assert_string_equal(result.kept, "");
    fixture_open(fixture);
    assert_sound(fixture);
}

static void a_copy_with_a_damaged_row_of_a_segment_serves(void **state)
{
    struct fixture *fixture = *state;

    rebuild_from_damaged(fixture, TABLE_SEGMENT, key_number(1));
    assert_content(fixture, INBOX, 1, "before", 6);
    assert_content(fixture, INBOX, 2, "after", 5);
    assert_sound(fixture);
}

static void a_copy_with_a_damaged_folder_serves_after_a_repair(void **state)
{
    struct fixture *fixture = *state;
    uint32_t validity = folder_now(fixture, INBOX).uid_validity;
    struct rebuild_result result =
        rebuild_from_damaged(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE));

    assert_true(result.unknown > 0); /* what came after the copy; its text is kept */
    assert_int_equal(result.kept_pieces, 1);
    shell(fixture, "test $(cat %s/db1/found/piece-*) = after");
    repair(fixture);
    assert_content(fixture, INBOX, 1, "before", 6);
    assert_int_not_equal(folder_now(fixture, INBOX).uid_validity, validity);
    assert_int_equal(append_text(fixture, INBOX, "new") > 2, true);
}

static void a_copy_with_damaged_counters_of_a_mailbox_serves_after_a_repair(void **state)
{
    struct fixture *fixture = *state;
    uint32_t validity = folder_now(fixture, INBOX).uid_validity;
    struct rebuild_result result;
    struct err err;
    struct store_guid guid = guid_of(1);

    append_text(fixture, INBOX, "before");
    copy_index(fixture);
    append_text(fixture, INBOX, "after");
    damage_copy(fixture, TABLE_ITEM, key_item(0, KEY_STATE));
    result = rebuild(fixture, false);
    assert_true(result.rows > 0);
    must(store_open(&fixture->store, &fixture->settings, &err), &err);
    repair(fixture);
    must(store_mailbox_open(fixture->store, &guid, false, &fixture->mailbox, NULL, &err), &err);
    assert_content(fixture, INBOX, 1, "before", 6);
    /* uid 2 was another message: it is not given again under this UIDVALIDITY */
    assert_true(folder_now(fixture, INBOX).uid_validity != validity ||
                append_text(fixture, INBOX, "new") > 2);
}

/* What the content takes is not given to others before it is found again. */
static void a_copy_with_a_damaged_row_of_a_content_loses_no_text(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "before");
    copy_index(fixture);
    damage_copy(fixture, TABLE_CONTENT, key_content(1));
    assert_true(rebuild(fixture, false).rows > 0);
    fixture_open(fixture);
    for (unsigned i = 0; i < 20; i++)
        append_text(fixture, INBOX, "more mail that takes room");
    repair(fixture);
    assert_content(fixture, INBOX, 1, "before", 6);
}

/* ---- records ---- */

/* Spoils the nth operation record of the first segment, from the end. */
static void spoil_operations(struct fixture *fixture, unsigned nth)
{
    static uint8_t bytes[1u << 20];
    char path[128];
    ssize_t at;
    int file;

    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->folder);
    file = open(path, O_RDWR);
    at = pread(file, bytes, sizeof(bytes), 0);
    while (at >= 32 && nth > 0) {
        at -= 32;
        nth -= memcmp(bytes + at, "MSR1", 4) == 0 && bytes[at + 5] == 2;
    }
    assert_int_equal(nth, 0);
    assert_int_equal(pwrite(file, "spoilt", 6, at + 32), 6);
    close(file);
}

static void spoil_the_last_but_one(struct fixture *fixture)
{
    append_text(fixture, INBOX, "nobody's");
    append_text(fixture, INBOX, "the last");
    fixture_close(fixture);
    spoil_operations(fixture, 2);
    shell(fixture, "rm %s/db1/index.mdb");
}

static void a_text_whose_record_is_damaged_goes_to_a_file(void **state)
{
    struct fixture *fixture = *state;
    struct rebuild_result result;

    append_text(fixture, INBOX, "the first");
    spoil_the_last_but_one(fixture);
    for (unsigned i = 0; i < 2; i++) { /* twice is as good as once */
        result = rebuild(fixture, true);
        assert_int_equal(result.gaps, 1);
        assert_int_equal(result.messages, 2);
        assert_int_equal(result.kept_pieces, 1);
        shell(fixture, "test \"$(cat %s/db1/found/piece-*)\" = \"nobody's\"");
    }
    fixture_open(fixture);
    assert_sound(fixture);
}

static void so_does_one_that_came_after_the_copy(void **state)
{
    struct fixture *fixture = *state;
    struct rebuild_result result;

    append_text(fixture, INBOX, "the first");
    copy_index(fixture);
    spoil_the_last_but_one(fixture);
    result = rebuild(fixture, false);
    assert_int_equal(result.messages, 2);
    assert_int_equal(result.kept_pieces, 1);
    shell(fixture, "test \"$(cat %s/db1/found/piece-*)\" = \"nobody's\"");
    fixture_open(fixture);
    assert_sound(fixture);
}

static void what_is_known_to_be_deleted_goes_to_no_file(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "two");
    expunge(fixture, INBOX, 1, 1); /* for good */
    fixture_close(fixture);
    assert_int_equal(rebuild(fixture, true).kept_pieces, 0);
    assert_int_not_equal(access(fixture->folder, F_OK), -1);
    shell(fixture, "test ! -e %s/db1/found");
}

/* ---- files ---- */

static void a_segment_with_a_damaged_header_is_read_all_the_same(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 2; i++) { /* with a copy, and without one */
        append_text(fixture, INBOX, "one");
        append_text(fixture, INBOX, "two");
        copy_index(fixture);
        fixture_close(fixture);
        shell(fixture, "dd if=/dev/urandom of=%s/db1/segment-00000001 bs=512 count=1 "
                       "conv=notrunc status=none");
        assert_int_equal(rebuild(fixture, i == 1).damaged, 1);
        fixture_open(fixture);
        assert_sound(fixture);
        if (i == 0) {
            assert_content(fixture, INBOX, 1, "one", 3);
            assert_content(fixture, INBOX, 2, "two", 3);
        }
    }
}

static void of_a_segment_that_is_cut_the_rest_is_read(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "two");
    fixture_close(fixture);
    shell(fixture, "truncate -s 1M %s/db1/segment-00000001");
    assert_int_equal(rebuild(fixture, true).messages, 2);
    fixture_open(fixture);
    assert_sound(fixture);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_copy_with_damaged_pages_is_refused),
        WITH_STORE(a_copy_with_a_damaged_row_of_a_segment_serves),
        WITH_STORE(a_copy_with_a_damaged_folder_serves_after_a_repair),
        WITH_STORE(a_copy_with_damaged_counters_of_a_mailbox_serves_after_a_repair),
        WITH_STORE(a_copy_with_a_damaged_row_of_a_content_loses_no_text),
        WITH_STORE(a_text_whose_record_is_damaged_goes_to_a_file),
        WITH_STORE(so_does_one_that_came_after_the_copy),
        WITH_STORE(what_is_known_to_be_deleted_goes_to_no_file),
        WITH_STORE(a_segment_with_a_damaged_header_is_read_all_the_same),
        WITH_STORE(of_a_segment_that_is_cut_the_rest_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
