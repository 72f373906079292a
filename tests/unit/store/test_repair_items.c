/* Items, contents and what segments count are damaged in one way, and mended. */
#include "tests/unit/store/repairing.h"

/* ---- items ---- */

static void a_damaged_item_comes_back_with_its_uid(void **state)
{
    struct fixture *fixture = *state;
    struct store_item before = item_of(fixture, 2), after;
    struct mended mended;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_true(mended.mended[0]);
    assert_all_there(fixture);
    after = item_of(fixture, 2);
    assert_int_equal(after.content_id, before.content_id);
    assert_int_equal(after.item_id, before.item_id);
    assert_int_equal(after.internal_date, before.internal_date);
    assert_true(after.modseq > before.modseq);
}

static void a_garbled_item_is_told_by_operation_records(void **state)
{
    struct fixture *fixture = *state;
    uint32_t archive = find_folder(fixture, STORE_ROOT_FOLDER, "Archive");
    struct mended mended;

    garble_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    garble_row(fixture, TABLE_ITEM, key_item(archive, 1)); /* a copy of another */
    mended = repair(fixture);
    assert_done(&mended, "made anew from operation records");
    assert_all_there(fixture);
    assert_content(fixture, archive, 1, THIRD, strlen(THIRD));
}

static void without_operation_records_a_damaged_row_counts_where_all_else_agrees(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2)); /* in the middle: the email id */
    mended = repair(fixture);
    assert_done(&mended, "flags and dates are as the damaged row has them");
    assert_all_there(fixture);
}

static void a_text_whose_message_nobody_knows_goes_to_a_file(void **state)
{
    struct fixture *fixture = *state;
    uint64_t content = item_of(fixture, 2).content_id;
    struct mended mended;

    garble_operations(fixture);
    garble_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_done(&mended, "lost from the folder");
    assert_done(&mended, "found/content-2");
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    assert_file(fixture, content, SECOND);
}

static void a_text_without_a_message_goes_to_its_owner(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;
    uint32_t recovered;

    remove_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_done(&mended, "in its owner's folder Recovered");
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_content(fixture, recovered, 1, SECOND, strlen(SECOND));
    assert_int_equal(append_text(fixture, INBOX, "more"), 4);
}

static void a_keyword_without_a_name_gets_one(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);

    item.flags.keywords[0] = 5;
    put_item(fixture, &item);
    repair(fixture);
    assert_int_equal(item_of(fixture, 1).flags.keywords[0], 5);
    garble_row(fixture, TABLE_KEYWORD, key_keyword(INBOX, 2));
    repair(fixture);
}

static void a_wrong_size_follows_the_text(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 2);

    item.size = 12345;
    item.header_size = 12345678;
    put_item(fixture, &item);
    repair(fixture);
    assert_all_there(fixture);
}

/* ---- contents and segments ---- */

static void wrong_references_are_set_right(void **state)
{
    put_references(*state, 3, 1);
    repair(*state);
    put_references(*state, 3, 5);
    repair(*state);
    expunge(*state, INBOX, 3, 3);
    assert_sound(*state);
}

static void a_damaged_content_row_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_row(fixture, TABLE_CONTENT, key_content(1));
    mended = repair(fixture);
    assert_done(&mended, "made anew from operation records");
    assert_all_there(fixture);
    remove_row(fixture, TABLE_CONTENT, key_content(3));
    repair(fixture);
    assert_all_there(fixture);
}

/* A byte that its own pieces do not need: the count of uses. */
static void flip_references(struct fixture *fixture, uint64_t content)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct key key = key_content(content);
    uint8_t bytes[512];
    struct bytes row;
    struct err err;
    MDB_val k, v;

    must(tx_get(&tx, TABLE_CONTENT, &key, &row, &err), &err);
    k = (MDB_val){key.length, key.bytes};
    v = (MDB_val){row.length + 4, bytes};
    memcpy(bytes, row.data, row.length + 4);
    bytes[4] ^= 0x40;
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[TABLE_CONTENT], &k, &v, 0), 0);
    close_index(fixture, index, &tx);
}

static void without_operation_records_a_content_is_told_by_its_own_pieces(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    flip_references(fixture, 3);
    mended = repair(fixture);
    assert_done(&mended, "from its own pieces");
    assert_all_there(fixture);
}

static void a_lost_content_keeps_its_room_and_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    garble_row(fixture, TABLE_CONTENT, key_content(2));
    repair_with(fixture, &mended, false);
    assert_int_equal(mended.result.mended, 0);
    assert_int_equal(mended.result.left, 3); /* the message, the row, the segment's live bytes */
    assert_content(fixture, INBOX, 1, "one", 3);
}

static void wrong_live_bytes_are_set_right(void **state)
{
    struct fixture *fixture = *state;
    struct segment_record segment;
    uint8_t row[SEGMENT_ROW];

    for (int sign = -1; sign <= 1; sign += 2) {
        get_row(fixture, TABLE_SEGMENT, key_number(1), row, sizeof(row));
        assert_true(segment_unpack((struct bytes){row, sizeof(row)}, 1, &segment));
        segment.live += (uint64_t)(sign * 32);
        segment_pack(row, &segment);
        put_row(fixture, TABLE_SEGMENT, key_number(1), row, sizeof(row));
        repair(fixture);
    }
    assert_all_there(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_damaged_item_comes_back_with_its_uid),
        TEST(a_garbled_item_is_told_by_operation_records),
        TEST(without_operation_records_a_damaged_row_counts_where_all_else_agrees),
        TEST(a_text_whose_message_nobody_knows_goes_to_a_file),
        TEST(a_text_without_a_message_goes_to_its_owner),
        TEST(a_keyword_without_a_name_gets_one),
        TEST(a_wrong_size_follows_the_text),
        TEST(wrong_references_are_set_right),
        TEST(a_damaged_content_row_is_made_anew),
        TEST(without_operation_records_a_content_is_told_by_its_own_pieces),
        TEST(a_lost_content_keeps_its_room_and_is_named),
        TEST(wrong_live_bytes_are_set_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
