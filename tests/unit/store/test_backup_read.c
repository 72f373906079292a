/* One mailbox is read out of a backup of which something else is damaged. */
#include "tests/unit/store/two_databases.h"

#include "mailbox-backend/store/backup.h"

static void a_damaged_database_of_a_backup_leaves_the_mailboxes_of_others(void **state)
{
    struct fixture *fixture = begin(state);
    const struct backup_options options = {0};
    struct backup_reader *reader;
    struct backup_facts facts;
    char folder[96];
    struct store_guid guid;
    struct err err;

    shell(fixture, "mkdir %s/backup");
    snprintf(folder, sizeof(folder), "%s/backup", fixture->folder);
    must(backup_run(fixture->store, folder, &options, &facts, &err), &err);
    shell(fixture, "for f in %s/backup/*/db1.index; do printf x >> $f; done");

    guid = guid_of(2);
    must(backup_reader_open(&reader, folder, facts.name, &guid, &err), &err);
    backup_reader_close(&reader);
    guid = guid_of(1);
    assert_int_equal(backup_reader_open(&reader, folder, facts.name, &guid, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "db1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_damaged_database_of_a_backup_leaves_the_mailboxes_of_others, fixture_setup,
            fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
