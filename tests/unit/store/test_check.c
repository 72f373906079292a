/* A store is damaged in one way, and the check says exactly what is wrong. */
#include "tests/unit/store/damage.h"

static int setup(void **state)
{
    int rc = fixture_setup(state);

    fill(*state);
    return rc;
}

/* ---- sound stores ---- */

static void a_store_in_use_is_sound(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    struct check_result result;
    uint8_t *large = calloc(1, 3u << 20);

    append_bytes(fixture, INBOX, large, 3u << 20);
    append_many(fixture, INBOX, 3000);
    expunge(fixture, INBOX, 2, 2);
    expunge(fixture, INBOX, 100, 1500);
    assert_sound(fixture);
    fixture->settings.recovery_seconds = 3600;
    fixture_reopen(fixture);
    expunge(fixture, INBOX, 3, 3);
    expunge(fixture, INBOX, 1600, 1700);
    assert_sound(fixture);
    result = check_with(fixture, &told, 2); /* ids in windows of two */
    assert_int_equal(told.count, 0);
    assert_int_equal(result.mailboxes, 1);
    assert_int_equal(result.folders, 3); /* with the root */
    assert_int_equal(result.items, folder_now(fixture, INBOX).messages + 1);
    assert_true(result.bytes > 3u << 20);
    free(large);
}

static void a_check_that_nobody_wants_ends(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {.unwanted = true};
    struct check_options options = {
        .share = 100, .wanted = on_wanted, .found = on_found, .context = &told};
    struct check_result result;
    struct err err;

    assert_int_equal(store_check(fixture->store, 0, &options, &result, &err), ERR_UNAVAILABLE);
    assert_int_equal(store_check(fixture->store, 1, &options, &result, &err), ERR_NOT_FOUND);
}

/* ---- rows with a wrong checksum ---- */

static void a_damaged_item_is_told_with_its_uid(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(1);
    struct told told;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    check_with(fixture, &told, 0);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.findings[0].problem, "the row of the message is damaged");
    assert_int_equal(told.findings[0].folder, INBOX);
    assert_int_equal(told.findings[0].uid, 2);
    assert_true(told.findings[0].has_mailbox);
    assert_memory_equal(&told.findings[0].mailbox, &guid, sizeof(guid));
    assert_non_null(strstr(told.findings[1].problem, "is used by no message"));
}

static void damaged_rows_of_each_table_are_told(void **state)
{
    struct fixture *fixture = *state;

    flip_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    ASSERT_TOLD(fixture, "table name is damaged");
    flip_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("INBOX")));
    ASSERT_TOLD(fixture, "table name is damaged", "table name is damaged");
}

static void a_damaged_content_row_is_told_with_its_message(void **state)
{
    flip_row(*state, TABLE_CONTENT, key_content(1));
    ASSERT_TOLD(*state, "the text of the message is damaged (content 1)",
                "a row of the table content is damaged", "segment 1 counts");
}

static void a_damaged_folder_state_is_told(void **state)
{
    struct fixture *fixture = *state;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE));
    ASSERT_TOLD(fixture, "the folder's own row");
}

/* ---- counts ---- */

static void wrong_counts_of_a_folder_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state state_row = state_of(fixture);

    state_row.messages++;
    state_row.unseen--;
    put_state(fixture, &state_row);
    ASSERT_TOLD(fixture, "the folder counts 4 messages and 30 bytes, and has 3 and 30",
                "the folder counts 2 unseen and 0 deleted messages, and has 3 and 0",
                "the mailbox counts 4 messages and 47 bytes, its folders count 5 and 47");
}

static void a_modseq_above_the_highest_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);

    item.modseq += 1000;
    put_item(fixture, &item);
    ASSERT_TOLD(fixture, "its MODSEQ is above the folder's HIGHESTMODSEQ");
}

static void an_item_behind_uidnext_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state state_row = state_of(fixture);

    state_row.uid_next = 3;
    put_state(fixture, &state_row);
    ASSERT_TOLD(fixture, "its uid is not below the folder's UIDNEXT",
                "the folder counts 3 messages and 30 bytes, and has 2 and 13",
                "the folder counts 3 unseen");
}

static void a_keyword_without_a_name_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);

    item.flags.keywords[1] = 4;
    put_item(fixture, &item);
    ASSERT_TOLD(fixture, "it has a keyword without a name");
}

/* ---- references ---- */

static void a_text_that_is_missing_is_told(void **state)
{
    remove_row(*state, TABLE_CONTENT, key_content(2));
    ASSERT_TOLD(*state, "the text of the message is missing (content 2)", "segment 1 counts");
}

static void a_text_without_a_message_is_told(void **state)
{
    uint8_t row[CONTENT_HEAD];
    struct content_head head = {.references = 1};

    content_head_pack(row, &head);
    put_row(*state, TABLE_CONTENT, key_content(3000), row, sizeof(row));
    assert_sound(*state); /* its id comes later than the check began */
    remove_row(*state, TABLE_CONTENT, key_content(3000));
    remove_row(*state, TABLE_ITEM, key_item(INBOX, 1));
    ASSERT_TOLD(*state, "content 1 is used by no message, and kept",
                "the folder counts 3 messages and 30 bytes, and has 2 and 27",
                "the folder counts 3 unseen");
}

static void wrong_references_are_told(void **state)
{
    put_references(*state, 3, 1);
    ASSERT_TOLD(*state, "content 3 counts 1 uses and has 2: it would go too early");
    put_references(*state, 3, 5);
    ASSERT_TOLD(*state, "content 3 counts 5 uses and has 2: it would never go");
}

/* ---- names ---- */

static void a_folder_without_its_name_is_told(void **state)
{
    remove_row(*state, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    ASSERT_TOLD(*state, "the folder Archive cannot be found by its name");
}

static void a_name_that_leads_to_another_folder_is_told(void **state)
{
    uint8_t row[4];

    put_u32(row, INBOX);
    put_row(*state, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Wrong")), row, sizeof(row));
    ASSERT_TOLD(*state, "the name Wrong below this folder leads to folder 2, which is not called");
}

static void rows_of_no_folder_are_told(void **state)
{
    put_row(*state, TABLE_SUMMARY, key_item(77, 1), "summary", 7);
    put_row(*state, TABLE_SUMMARY, key_item(INBOX, 9), "summary", 7);
    ASSERT_TOLD(*state, "table summary belongs to a folder that does not exist",
                "there is a summary, but no such message");
}

static void a_message_that_counts_as_vanished_is_told(void **state)
{
    static const uint8_t ranges[] = {1, 2, 0}; /* version 1: uid 2 alone */

    put_row(*state, TABLE_VANISHED, key_vanished(INBOX, 3), ranges, sizeof(ranges));
    ASSERT_TOLD(*state, "the message counts as vanished at modseq 3, but is there",
                "the folder counts 0 changes by which messages went, and has 1");
}

/* ---- segments ---- */

static void a_flipped_byte_of_a_message_is_told_with_all_its_places(void **state)
{
    struct fixture *fixture = *state;
    uint8_t row[CONTENT_HEAD + PIECE_ROW];
    struct piece piece;
    struct told told;

    get_row(fixture, TABLE_CONTENT, key_content(3), row, sizeof(row));
    piece_unpack((struct bytes){row, sizeof(row)}, 0, &piece);
    flip_file(fixture, "segment-00000001", (long)piece.offset + RECORD_HEADER + 2);
    check_with(fixture, &told, 0);
    assert_int_equal(told.count, 3);
    assert_non_null(
        strstr(told.findings[0].problem, "content 3 cannot be read: segment 1: damaged"));
    assert_string_equal(told.findings[1].problem, "the message cannot be read (content 3)");
    assert_int_equal(told.findings[1].folder, INBOX);
    assert_int_equal(told.findings[1].uid, 3);
    assert_int_equal(told.findings[2].uid, 1);
}

static void a_wrong_count_of_live_bytes_is_told(void **state)
{
    struct segment_record segment;
    uint8_t row[SEGMENT_ROW];

    get_row(*state, TABLE_SEGMENT, key_number(1), row, sizeof(row));
    assert_true(segment_unpack((struct bytes){row, sizeof(row)}, 1, &segment));
    segment.live += 320;
    segment_pack(row, &segment);
    put_row(*state, TABLE_SEGMENT, key_number(1), row, sizeof(row));
    ASSERT_TOLD(*state, "segment 1 counts");
}

static void a_segment_that_is_missing_is_told(void **state)
{
    struct fixture *fixture = *state;
    char path[96];

    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->folder);
    assert_int_equal(unlink(path), 0);
    fixture_open(fixture);
    ASSERT_TOLD(fixture, "segment-00000001", "content 1 cannot be read", "content 2 cannot be read",
                "content 3 cannot be read", "the message cannot be read (content 1)",
                "the message cannot be read (content 2)", "the message cannot be read (content 3)",
                "the message cannot be read (content 3)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_store_in_use_is_sound),
        TEST(a_check_that_nobody_wants_ends),
        TEST(a_damaged_item_is_told_with_its_uid),
        TEST(damaged_rows_of_each_table_are_told),
        TEST(a_damaged_content_row_is_told_with_its_message),
        TEST(a_damaged_folder_state_is_told),
        TEST(wrong_counts_of_a_folder_are_told),
        TEST(a_modseq_above_the_highest_is_told),
        TEST(an_item_behind_uidnext_is_told),
        TEST(a_keyword_without_a_name_is_told),
        TEST(a_text_that_is_missing_is_told),
        TEST(a_text_without_a_message_is_told),
        TEST(wrong_references_are_told),
        TEST(a_folder_without_its_name_is_told),
        TEST(a_name_that_leads_to_another_folder_is_told),
        TEST(rows_of_no_folder_are_told),
        TEST(a_message_that_counts_as_vanished_is_told),
        TEST(a_flipped_byte_of_a_message_is_told_with_all_its_places),
        TEST(a_wrong_count_of_live_bytes_is_told),
        TEST(a_segment_that_is_missing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
