/* Databases that cannot be opened, or that crash the process: the others are served. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/store/two_databases.h"

#include "mailbox-backend/store/backup.h"
#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/crash.h"
#include "mailbox-backend/store/rebuild.h"

static void a_database_that_cannot_be_opened_leaves_the_others_served(void **state)
{
    struct fixture *fixture = begin(state);
    struct told told;
    const struct check_options check = {.share = 100, .found = on_found, .context = &told};
    const struct repair_options repair = {.check = check};
    const struct backup_options backup = {0};
    struct check_result checked;
    struct repair_result repaired;
    struct backup_facts facts;
    char folder[96];
    struct err err;

    fixture_close(fixture);
    shell(fixture, "mv %s/db2/index.mdb %s/away");
    open_again(fixture);
    assert_db2_is_away(fixture, "database rebuild db2");
    assert_int_equal(store_check(fixture->store, 1, &check, &checked, &err), ERR_UNAVAILABLE);
    assert_int_equal(store_repair(fixture->store, 1, &repair, &repaired, &err), ERR_UNAVAILABLE);
    assert_int_equal(store_upgrade(fixture->store, 1, NULL, NULL, &err), ERR_UNAVAILABLE);
    snprintf(folder, sizeof(folder), "%s/backup", fixture->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(backup_run(fixture->store, folder, &backup, &facts, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "db2"));

    assert_int_equal(store_mount(fixture->store, 1, &err), ERR_CORRUPT);
    assert_int_equal(store_mount(fixture->store, 2, &err), ERR_NOT_FOUND);
    must(store_mount(fixture->store, 0, &err), &err);
    shell(fixture, "mv %s/away %s/db2/index.mdb");
    must(store_mount(fixture->store, 1, &err), &err);
    assert_db2_serves(fixture);
    assert_int_equal(open_mailbox(fixture, 3, true), ERR_NONE);
}

static void a_rebuilt_database_is_mounted_again(void **state)
{
    struct fixture *fixture = begin(state);
    const struct rebuild_options options = {.database = 1, .without_copy = true};
    struct rebuild_result result;
    struct err err;

    fixture_close(fixture);
    shell(fixture, "rm %s/db2/index.mdb; printf xx > %s/db2/crashes");
    open_again(fixture);
    assert_db2_is_away(fixture, "twice in a row");
    fixture_close(fixture);
    must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
    assert_int_equal(result.messages, 1);
    open_again(fixture);
    assert_db2_serves(fixture);
}

/* ---- rows that the database cannot be opened without ---- */

static void damage_row(struct fixture *fixture, uint32_t segment)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct key key = key_number(segment);
    uint8_t bytes[512];
    struct bytes row;
    struct err err;
    MDB_val k, v;

    must(tx_get(&tx, TABLE_SEGMENT, &key, &row, &err), &err);
    k = (MDB_val){key.length, key.bytes};
    v = (MDB_val){row.length + 4, bytes};
    memcpy(bytes, row.data, row.length + 4);
    bytes[row.length / 2] ^= 0x10;
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[TABLE_SEGMENT], &k, &v, 0), 0);
    must(index_commit(&tx.txn, &err), &err);
    index_close(&index);
}

static void damaged_rows_of_its_own_are_rebuilt(void **state)
{
    static const uint32_t rows[] = {0, 1};      /* the own row, the first segment's */
    const struct store_guid owner = guid_of(1); /* rebuilt again and again, records go */
    struct fixture *fixture = *state;
    struct err err;

    append_text(fixture, INBOX, "one");
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rebuild_options options = {.without_copy = i >= 2, .owner = &owner};
        struct rebuild_result result;

        if (!options.without_copy)
            must(copier_copy(fixture->store->databases[0], &err), &err);
        damage_row(fixture, rows[i % 2]);
        assert_int_equal(store_open(&fixture->store, &fixture->settings, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.text, "database rebuild db1"));
        must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
        assert_int_equal(result.messages, 1);
        fixture_open(fixture);
        assert_sound(fixture);
    }
}

/* ---- crashes ---- */

enum crash { CRASH_PAGE, CRASH_ASSERTION, CRASH_KILLED, CRASH_ELSEWHERE, CRASH_SENT };

/* Reads behind the end of a mapped file: what a page that is not there does. */
static int touch_nothing(const struct fixture *fixture)
{
    char path[96];
    const volatile char *page;
    int file;

    snprintf(path, sizeof(path), "%s/nothing", fixture->folder);
    file = open(path, O_RDWR | O_CREAT, 0600);
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    return page[0];
}

static void crash_in_child(struct fixture *fixture, enum crash crash)
{
    struct rlimit none = {0, 0};
    struct store *store;
    struct database *database;

    setrlimit(RLIMIT_CORE, &none);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL); /* cmocka's, a sanitizer's */
    crash_watch();
    if (store_open(&store, &fixture->settings, NULL) != ERR_NONE)
        _exit(1);
    database = store->databases[1];
    if (database == NULL)
        _exit(2);
    if (crash != CRASH_ELSEWHERE)
        crash_enter(&database->marks);
    if (crash == CRASH_PAGE || crash == CRASH_ELSEWHERE)
        touch_nothing(fixture);
    if (crash == CRASH_ASSERTION)
        abort();
    for (;;) /* until the parent sends a signal */
        pause();
}

/* The child's end: a signal, or minus its exit code. */
static int crash(struct fixture *fixture, enum crash how)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        crash_in_child(fixture, how);
    if (how == CRASH_KILLED || how == CRASH_SENT) {
        usleep(300000); /* so that it is likely to be inside; the test holds if it is not */
        kill(child, how == CRASH_KILLED ? SIGKILL : SIGSEGV);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void a_database_that_crashed_twice_is_left_alone_until_asked_for(void **state)
{
    struct fixture *fixture = begin(state);
    struct err err;

    fixture_close(fixture);
    assert_int_equal(crash(fixture, CRASH_PAGE), SIGBUS);
    open_again(fixture);
    assert_db2_serves(fixture); /* once may have been something else */
    fixture_close(fixture);
    assert_int_equal(crash(fixture, CRASH_ASSERTION), SIGABRT);
    assert_int_equal(crash(fixture, CRASH_PAGE), -2);
    for (int i = 0; i < 2; i++) { /* for as long as nobody asks */
        open_again(fixture);
        assert_db2_is_away(fixture, "twice in a row");
        fixture_close(fixture);
    }
    open_again(fixture);
    must(store_mount(fixture->store, 1, &err), &err);
    assert_db2_serves(fixture);
    fixture_close(fixture);
    open_again(fixture);
    assert_db2_serves(fixture);
    fixture_close(fixture);
    assert_int_equal(crash(fixture, CRASH_PAGE), SIGBUS);
    open_again(fixture);
    assert_db2_is_away(fixture, "twice in a row");
}

static void what_ends_the_process_from_outside_does_not_count(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(crash(fixture, CRASH_KILLED), SIGKILL);
        assert_int_equal(crash(fixture, CRASH_SENT), SIGSEGV);
        assert_int_equal(crash(fixture, CRASH_ELSEWHERE), SIGBUS);
    }
    open_again(fixture);
    assert_db2_serves(fixture);
}

static void crashes_far_apart_do_not_count_together(void **state)
{
    struct fixture *fixture = begin(state);

    fixture_close(fixture);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(crash(fixture, CRASH_PAGE), SIGBUS);
        shell(fixture, "touch -d '2 hours ago' %s/db2/crashes");
    }
    assert_int_equal(crash(fixture, CRASH_PAGE), SIGBUS);
    assert_int_equal(crash(fixture, CRASH_PAGE), SIGBUS);
    open_again(fixture);
    assert_db2_is_away(fixture, "twice in a row");
}

static void the_only_database_may_be_the_one(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_close(fixture);
    shell(fixture, "printf xx > %s/db1/crashes");
    open_again(fixture);
    assert_int_equal(open_mailbox(fixture, 1, true), ERR_UNAVAILABLE);
    must(store_mount(fixture->store, 0, &err), &err);
    assert_int_equal(open_mailbox(fixture, 1, false), ERR_NONE);
}

static void a_database_that_is_added_takes_new_mailboxes_and_stays(void **state)
{
    struct fixture *fixture = begin(state);
    unsigned number;
    struct err err;

    must(store_database_add(fixture->store, &number, &err), &err);
    assert_int_equal(number, 2);
    assert_int_equal(open_mailbox(fixture, 3, true), ERR_NONE);
    assert_int_equal(store_mailbox_database(fixture->mailbox), 2);
    append_text(fixture, INBOX, "three");
    fixture_close(fixture);
    fixture->settings.databases = 1;
    open_again(fixture);
    assert_true(status_of(fixture, 2).mounted);
    assert_int_equal(open_mailbox(fixture, 3, false), ERR_NONE);
    assert_content(fixture, INBOX, 1, "three", 5);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_database_that_cannot_be_opened_leaves_the_others_served),
        WITH_STORE(a_rebuilt_database_is_mounted_again),
        WITH_STORE(damaged_rows_of_its_own_are_rebuilt),
        WITH_STORE(a_database_that_crashed_twice_is_left_alone_until_asked_for),
        WITH_STORE(what_ends_the_process_from_outside_does_not_count),
        WITH_STORE(crashes_far_apart_do_not_count_together),
        WITH_STORE(the_only_database_may_be_the_one),
        WITH_STORE(a_database_that_is_added_takes_new_mailboxes_and_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
