/* One mailbox is read out of a backup of which something else is damaged. */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/store/two_databases.h"

#include "mailbox-backend/store/backup.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/pages.h"

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

/* They were when the backup was made: its checksum is right. */
static void pages_that_were_damaged_in_the_index_are_told_before_anybody_reads_them(void **state)
{
    struct fixture *fixture = begin(state);
    const struct backup_options options = {0};
    struct backup_database database = {0};
    struct backup_facts facts;
    char folder[96], path[200];
    struct stat file;
    struct err err;
    int fd;

    shell(fixture, "mkdir %s/backup");
    snprintf(folder, sizeof(folder), "%s/backup", fixture->folder);
    must(backup_run(fixture->store, folder, &options, &facts, &err), &err);
    snprintf(path, sizeof(path), "%s/%s/db1.index", folder, facts.name);
    fd = open(path, O_RDWR);
    for (unsigned page = 2; page < 10; page++)
        assert_int_equal(pwrite(fd, "damaged", 7, page * 4096 + 8), 7);
    assert_int_equal(fstat(fd, &file), 0);
    database.index_size = (uint64_t)file.st_size;
    must(backup_crc(fd, 0, database.index_size, &database.index_crc, &err), &err);
    close(fd);
    assert_int_equal(backup_check_index(path, &database, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "of the index is damaged"));
    snprintf(path, sizeof(path), "%s/%s/db2.index", folder, facts.name);
    must(pages_look(path, NULL, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_damaged_database_of_a_backup_leaves_the_mailboxes_of_others, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(
            pages_that_were_damaged_in_the_index_are_told_before_anybody_reads_them, fixture_setup,
            fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
