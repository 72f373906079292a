/* Folders' names, records and places are damaged in one way, and mended. */
#include "tests/unit/store/repairing.h"

/* ---- names ---- */

static void a_folder_gets_its_name_back(void **state)
{
    struct fixture *fixture = *state;
    struct key key = key_name(STORE_ROOT_FOLDER, str_of("Archive"));

    remove_row(fixture, TABLE_NAME, key);
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_NAME, key);
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("INBOX")));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "INBOX"), INBOX);
}

static void a_folder_whose_record_is_damaged_keeps_its_name(void **state)
{
    struct fixture *fixture = *state;

    garble_row(fixture, TABLE_FOLDER, key_folder(3));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_FOLDER, key_folder(INBOX));
    garble_row(fixture, TABLE_FOLDER, key_folder(STORE_ROOT_FOLDER));
    repair(fixture);
    assert_all_there(fixture);
}

static void a_folder_that_has_lost_name_and_record_goes_below_recovered(void **state)
{
    struct fixture *fixture = *state;
    uint32_t recovered;

    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    repair(fixture);
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_int_not_equal(recovered, 0);
    assert_int_equal(find_folder(fixture, recovered, "Folder 3"), 3);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
}

static void a_folder_is_made_again_for_messages_without_one(void **state)
{
    struct fixture *fixture = *state;

    remove_row(fixture, TABLE_ITEM, key_item(3, KEY_STATE));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
    remove_row(fixture, TABLE_ITEM, key_item(3, KEY_STATE));
    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    repair(fixture);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
}

static void put_folder(struct fixture *fixture, uint32_t folder, uint32_t parent, const char *name)
{
    struct folder_record record = {parent, USE_NONE, CLASS_MAIL, 1700000000, str_of(name)};
    uint8_t row[FOLDER_ROW_MAX];

    put_row(fixture, TABLE_FOLDER, key_folder(folder), row, folder_pack(row, &record));
}

static void folders_in_a_circle_go_below_recovered(void **state)
{
    struct fixture *fixture = *state;
    uint32_t below = make_folder(fixture, 3, "Below");
    uint32_t recovered;

    put_folder(fixture, 3, below, "Archive");
    repair(fixture);
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_int_equal(find_folder(fixture, recovered, "Archive"), 3);
    assert_int_equal(find_folder(fixture, 3, "Below"), below);
}

static void of_two_folders_with_one_name_one_gets_another(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");

    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Other")));
    put_folder(fixture, other, STORE_ROOT_FOLDER, "Archive");
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive (2)"), other);
}

static void a_name_that_leads_elsewhere_is_removed(void **state)
{
    uint8_t row[4];

    put_u32(row, INBOX);
    put_row(*state, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Wrong")), row, sizeof(row));
    repair(*state);
    assert_int_equal(find_folder(*state, STORE_ROOT_FOLDER, "Wrong"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_folder_gets_its_name_back),
        TEST(a_folder_whose_record_is_damaged_keeps_its_name),
        TEST(a_folder_that_has_lost_name_and_record_goes_below_recovered),
        TEST(a_folder_is_made_again_for_messages_without_one),
        TEST(folders_in_a_circle_go_below_recovered),
        TEST(of_two_folders_with_one_name_one_gets_another),
        TEST(a_name_that_leads_elsewhere_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
