/* Counts, numbers, mailboxes and rows that can be done without are damaged in one way, and mended. */
#include "tests/unit/store/repairing.h"

/* ---- the whole ---- */

static void a_sound_store_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    repair_with(fixture, &mended, false);
    assert_int_equal(mended.count, 0);
    assert_int_equal(mended.result.mended, 0);
    assert_all_there(fixture);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);
    struct mended mended;

    row.messages = 17;
    put_state(fixture, &row);
    repair_with(fixture, &mended, true);
    assert_int_equal(mended.count, 2); /* the folder, and the mailbox that it is in */
    assert_false(mended.mended[0]);
    assert_int_equal(mended.result.mended, 0);
    assert_int_equal(state_of(fixture).messages, 17);
}

/* ---- counts ---- */

static void wrong_counts_are_counted_anew(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);
    struct store_usage usage;
    struct store_read *read;
    struct err err;

    row.messages += 5;
    row.unseen--;
    row.deleted = 9;
    row.bytes = 1;
    put_state(fixture, &row);
    repair(fixture);
    assert_all_there(fixture);
    assert_int_equal(folder_now(fixture, INBOX).unseen, 3);
    read = read_begin(fixture);
    must(store_usage(read, &usage, &err), &err);
    store_read_end(&read);
    assert_int_equal(usage.messages, 4);
    assert_int_equal(usage.bytes, 47);
}

static void a_modseq_that_is_too_high_raises_the_folders_and_the_mailboxs(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);
    uint32_t uid;

    item.modseq += 1000;
    put_item(fixture, &item);
    repair(fixture);
    assert_true(folder_now(fixture, INBOX).highest_modseq >= item.modseq);
    uid = append_text(fixture, INBOX, "more");
    assert_true(item_of(fixture, uid).modseq > item.modseq);
}

static void a_uid_behind_uidnext_raises_it(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);

    row.uid_next = 2;
    put_state(fixture, &row);
    repair(fixture);
    assert_all_there(fixture);
    assert_int_equal(append_text(fixture, INBOX, "more"), 4);
}

static void a_folder_whose_own_row_is_damaged_gets_a_new_uidvalidity(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state before = state_of(fixture);
    struct mended mended;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE));
    mended = repair(fixture);
    assert_done(&mended, "with a new UIDVALIDITY");
    assert_all_there(fixture);
    assert_true(folder_now(fixture, INBOX).uid_validity > before.uid_validity);
    assert_true(append_text(fixture, INBOX, "more") > 3);
    assert_sound(fixture);
}

static void lost_counters_of_a_mailbox_give_nothing_twice(void **state)
{
    struct fixture *fixture = *state;
    uint64_t item_id = item_of(fixture, 3).item_id;
    uint32_t uid;

    flip_row(fixture, TABLE_ITEM, key_item(0, KEY_STATE));
    repair(fixture);
    assert_all_there(fixture);
    uid = append_text(fixture, INBOX, "more");
    assert_true(item_of(fixture, uid).item_id > item_id + 1);
    remove_row(fixture, TABLE_ITEM, key_item(0, KEY_STATE));
    repair(fixture);
    assert_sound(fixture);
}

/* ---- mailboxes ---- */

static void a_mailbox_is_found_again_by_either_of_its_rows(void **state)
{
    struct fixture *fixture = *state;

    garble_row(fixture, TABLE_MAILBOX, key_number(MAILBOX));
    repair(fixture);
    assert_all_there(fixture);
    remove_row(fixture, TABLE_MAILBOX, key_number(MAILBOX));
    repair(fixture);
    assert_all_there(fixture);
}

/* The GUID's row leads to a mailbox that there is not. */
static void a_guid_leads_to_its_mailbox_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(1);
    struct key key = key_guid(guid.bytes);
    struct mended mended;
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    uint8_t row[4];
    struct err err;

    put_u32(row, 77);
    must(tx_put(&tx, TABLE_GUID, &key, row, sizeof(row), &err), &err);
    must(index_commit(&tx.txn, &err), &err);
    index_close(&index);
    must(store_open(&fixture->store, &fixture->settings, &err), &err);
    repair_with(fixture, &mended, false);
    assert_int_equal(mended.result.left, 0);
    store_close(&fixture->store);
    fixture_open(fixture);
    assert_sound(fixture);
    assert_all_there(fixture);
}

/* ---- what can be made again ---- */

static void rows_that_can_be_done_without_go(void **state)
{
    static const uint8_t ranges[] = {1, 2, 0}; /* version 1: uid 2 alone */
    struct fixture *fixture = *state;

    put_row(fixture, TABLE_SUMMARY, key_item(INBOX, 1), "summary", 7);
    garble_row(fixture, TABLE_SUMMARY, key_item(INBOX, 1));
    put_row(fixture, TABLE_SUMMARY, key_item(INBOX, 9), "summary", 7);
    put_row(fixture, TABLE_SUMMARY, key_item(77, 1), "summary", 7);
    put_row(fixture, TABLE_BLOCK, key_block(INBOX, 0), "wrong", 5);
    put_row(fixture, TABLE_VANISHED, key_vanished(INBOX, 3), ranges, sizeof(ranges));
    put_row(fixture, TABLE_PROPERTY, key_property(INBOX, 0, str_of("name")), "value", 5);
    garble_row(fixture, TABLE_PROPERTY, key_property(INBOX, 0, str_of("name")));
    put_row(fixture, TABLE_PENDING, key_pending(MAILBOX, INBOX), "?", 1);
    repair(fixture);
    assert_all_there(fixture);
    assert_true(folder_now(fixture, INBOX).vanished_floor >= 3);
    fixture_reopen(fixture);
    assert_sound(fixture);
}

static void a_deleted_message_can_be_recovered_after_its_row_was_damaged(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry = {0};
    struct store_read *read;
    struct err err;

    fixture->settings.recovery_seconds = 3600;
    fixture_reopen(fixture);
    expunge(fixture, INBOX, 2, 2);
    read = read_begin(fixture);
    must(store_recoverable_next(read, &entry, &err), &err);
    store_read_end(&read);
    garble_row(fixture, TABLE_RECOVERABLE, key_recoverable(entry.id.expiry, entry.id.item_id));
    repair(fixture);
    read = read_begin(fixture);
    entry = (struct store_recoverable){0};
    must(store_recoverable_next(read, &entry, &err), &err);
    store_read_end(&read);
    assert_int_equal(entry.item.size, strlen(SECOND));
    assert_int_equal(entry.folder, INBOX);
    assert_string_equal(entry.name, "INBOX");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_sound_store_is_left_alone),
        TEST(a_dry_run_changes_nothing),
        TEST(wrong_counts_are_counted_anew),
        TEST(a_modseq_that_is_too_high_raises_the_folders_and_the_mailboxs),
        TEST(a_uid_behind_uidnext_raises_it),
        TEST(a_folder_whose_own_row_is_damaged_gets_a_new_uidvalidity),
        TEST(lost_counters_of_a_mailbox_give_nothing_twice),
        TEST(a_mailbox_is_found_again_by_either_of_its_rows),
        TEST(a_guid_leads_to_its_mailbox_again),
        TEST(rows_that_can_be_done_without_go),
        TEST(a_deleted_message_can_be_recovered_after_its_row_was_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
