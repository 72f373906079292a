#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/directory/fixture.h"

struct told {
    unsigned times;
    unsigned services_left;
};

static void on_change(void *context, const struct store_guid *guid, unsigned services_left)
{
    struct told *told = context;

    (void)guid;
    told->times++;
    told->services_left = services_left;
}

static enum err_code find(struct fixture *fixture, const char *name, struct account *account)
{
    return directory_find(fixture->directory, str_of(name), &fixture->arena, account, NULL);
}

static void resolves_to(struct fixture *fixture, const char *address, const char *name,
                        const char *detail)
{
    struct account account;
    const char *behind = NULL;
    enum err_code code = directory_resolve(fixture->directory, str_of(address), &fixture->arena,
                                           &account, &behind, NULL);

    if (name == NULL) {
        assert_int_not_equal(code, ERR_NONE);
        return;
    }
    assert_int_equal(code, ERR_NONE);
    assert_string_equal(account.name, name);
    assert_string_equal(behind, detail);
}

static void a_name_too_long_for_anybody_is_no_name(void **state)
{
    struct fixture *fixture = *state;
    struct account account;
    const char *detail;
    char name[500];

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(find(fixture, name, &account), ERR_INVALID);
    assert_int_equal(directory_resolve(fixture->directory, str_of(name), &fixture->arena, &account,
                                       &detail, NULL),
                     ERR_NOT_FOUND); /* of the default domain, which has no catch-all */
}

static void a_new_account_is_found_by_every_form_of_its_name(void **state)
{
    struct fixture *fixture = *state;
    struct account account, again;

    fixture_add(fixture, "Alice", NULL);
    assert_int_equal(find(fixture, "alice", &account), ERR_NONE);
    assert_string_equal(account.name, "alice@example.org");
    assert_string_equal(account.display_name, "");
    assert_int_equal(account.address_count, 1);
    assert_string_equal(account.addresses[0], "alice@example.org");
    assert_int_equal(account.services, SERVICES_ALL);
    assert_int_equal(account.quota_bytes, 5000);
    assert_true(account.enabled);
    assert_false(account.may_impersonate);
    assert_false(account.has_password);
    assert_int_equal(find(fixture, "EXAMPLE\\ALICE", &again), ERR_NONE);
    assert_memory_equal(&again.guid, &account.guid, sizeof(account.guid));
    assert_int_equal(
        directory_find_guid(fixture->directory, &account.guid, &fixture->arena, &again, NULL),
        ERR_NONE);
    assert_int_equal(find(fixture, "bob", &account), ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "b ob", &account), ERR_INVALID);
    assert_int_equal(directory_count(fixture->directory), 1);
}

static void a_name_is_given_once(void **state)
{
    struct fixture *fixture = *state;
    struct account_new new = {.name = STR("ALICE@example.org"), .services = SERVICES_ALL};

    fixture_add(fixture, "alice", NULL);
    assert_int_equal(account_add(fixture->directory, &new, false, &fixture->arena, NULL, NULL),
                     ERR_EXISTS);
    assert_int_equal(directory_count(fixture->directory), 1);
}

static void an_alias_takes_mail_and_logs_in(void **state)
{
    struct fixture *fixture = *state;
    struct account account;
    struct err err;

    fixture_add(fixture, "alice", NULL);
    fixture_add(fixture, "bob", NULL);
    assert_int_equal(
        address_add(fixture->directory, STR("alice"), STR("Sales@example.org"), false, NULL),
        ERR_NONE);
    resolves_to(fixture, "sales@EXAMPLE.org", "alice@example.org", "");
    assert_int_equal(find(fixture, "sales", &account), ERR_NONE);
    assert_string_equal(account.name, "alice@example.org");
    assert_int_equal(
        address_add(fixture->directory, STR("bob"), STR("sales@example.org"), false, &err),
        ERR_EXISTS);
    assert_non_null(strstr(err.text, "alice@example.org"));
    assert_int_equal(
        address_add(fixture->directory, STR("bob"), STR("alice@example.org"), false, NULL),
        ERR_EXISTS);
    assert_int_equal(
        address_add(fixture->directory, STR("alice"), STR("sales@example.org"), false, NULL),
        ERR_EXISTS);
    assert_int_equal(address_remove(fixture->directory, STR("sales@example.org"), false, NULL),
                     ERR_NONE);
    resolves_to(fixture, "sales@example.org", NULL, NULL);
    assert_int_equal(address_remove(fixture->directory, STR("sales@example.org"), false, NULL),
                     ERR_NOT_FOUND);
}

static void detail_and_catch_all_come_behind_the_exact_address(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", NULL);
    fixture_add(fixture, "bob", NULL);
    resolves_to(fixture, "alice+Lists@example.org", "alice@example.org", "Lists");
    resolves_to(fixture, "alice+@example.org", "alice@example.org", "");
    resolves_to(fixture, "carol@example.org", NULL, NULL);
    address_add(fixture->directory, STR("bob"), STR("alice+x@example.org"), false, NULL);
    resolves_to(fixture, "Alice+X@example.org", "bob@example.org", "");
    address_add(fixture->directory, STR("bob"), STR("@Example.org"), false, NULL);
    resolves_to(fixture, "carol@example.org", "bob@example.org", "");
    resolves_to(fixture, "carol+x@example.org", "bob@example.org", "");
    resolves_to(fixture, "alice@example.org", "alice@example.org", "");
    resolves_to(fixture, "alice@other.example", NULL, NULL);
    resolves_to(fixture, "alice", "alice@example.org", "");
    resolves_to(fixture, "", NULL, NULL);
    resolves_to(fixture, "@example.org", NULL, NULL);
}

static void catch_all_takes_what_no_account_can_be_named(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", NULL);
    fixture_add(fixture, "bob", NULL);
    resolves_to(fixture, "\"a b\"@example.org", NULL, NULL);
    address_add(fixture->directory, STR("bob"), STR("@example.org"), false, NULL);
    resolves_to(fixture, "\"a b\"@EXAMPLE.org", "bob@example.org", "");
    resolves_to(fixture, "\xF0\x9F\x98\x80@example.org", "bob@example.org", "");
    resolves_to(fixture, "\xF0\x9F\x98\x80@[192.0.2.1]", NULL, NULL);
    resolves_to(fixture, "alice+\xF0\x9F\x98\x80@example.org", "alice@example.org",
                "\xF0\x9F\x98\x80");
}

static void changes_of_switches_are_told_and_raise_the_generation(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {0};
    unsigned imap = SERVICE_IMAP4;
    bool no = false;
    struct account_change name = {.display_name = "Alice A."}, services = {.services = &imap},
                          off = {.enabled = &no};
    struct account account;

    fixture_add(fixture, "alice", "secret");
    directory_listen(fixture->directory, on_change, &told);
    account_set(fixture->directory, STR("alice"), &name, false, NULL);
    assert_int_equal(told.times, 0);
    account_set(fixture->directory, STR("alice"), &services, false, NULL);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.services_left, SERVICE_IMAP4);
    account_set(fixture->directory, STR("alice"), &off, true, NULL);
    assert_int_equal(told.times, 1);
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(told.times, 2);
    assert_int_equal(told.services_left, 0);
    find(fixture, "alice", &account);
    assert_int_equal(account.generation, 3);
    assert_false(account.enabled);
    assert_string_equal(account.display_name, "Alice A.");
}

static void recovery_is_set_for_one_user_and_stays_when_they_are_removed(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t seconds = 90, quota = 7;
    const struct account_change own = {.recovery_seconds = &seconds, .recovery_quota = &quota};
    const struct account_change usual = {.recovery_default = true};
    struct store_recovery recovery = {1, 2};
    struct store_guid guid, nobody = {{1}};
    struct account account;
    struct err err;

    fixture_add(fixture, "alice", NULL);
    find(fixture, "alice", &account);
    guid = account.guid;
    assert_false(account.recovery_is_set);
    assert_int_equal(directory_recovery(fixture->directory, &guid, &recovery, &err), ERR_NONE);
    assert_true(recovery.seconds == 1 && recovery.quota == 2);
    assert_int_equal(directory_recovery(fixture->directory, &nobody, &recovery, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(account_set(fixture->directory, STR("alice"), &own, false, &err), ERR_NONE);
    assert_int_equal(account_set(fixture->directory, STR("alice"), &usual, true, &err), ERR_NONE);
    assert_int_equal(account_remove(fixture->directory, STR("alice"), false, &err), ERR_NONE);
    assert_int_equal(directory_recovery(fixture->directory, &guid, &recovery, &err), ERR_NONE);
    assert_true(recovery.seconds == 90 && recovery.quota == 7);
    assert_int_equal(account_restore(fixture->directory, STR("alice"), false, &err), ERR_NONE);
    assert_int_equal(account_set(fixture->directory, STR("alice"), &usual, false, &err), ERR_NONE);
    recovery = (struct store_recovery){1, 2};
    assert_int_equal(directory_recovery(fixture->directory, &guid, &recovery, &err), ERR_NONE);
    assert_true(recovery.seconds == 1 && recovery.quota == 7);
}

static void quotas_are_set_and_go_back_to_the_default(void **state)
{
    struct fixture *fixture = *state;
    uint64_t bytes = 123, none = 0;
    struct account_change own = {.quota_bytes = &bytes}, unlimited = {.quota_bytes = &none},
                          usual = {.quota_default = true};
    struct account account;

    fixture_add(fixture, "alice", NULL);
    account_set(fixture->directory, STR("alice"), &own, false, NULL);
    find(fixture, "alice", &account);
    assert_int_equal(account.quota_bytes, 123);
    account_set(fixture->directory, STR("alice"), &unlimited, false, NULL);
    find(fixture, "alice", &account);
    assert_int_equal(account.quota_bytes, 0);
    account_set(fixture->directory, STR("alice"), &usual, false, NULL);
    find(fixture, "alice", &account);
    assert_int_equal(account.quota_bytes, 5000);
}

static void a_removed_account_frees_its_names_and_can_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct directory_removed removed = {0};
    struct account account, again;
    struct err err = {0};
    bool more = false;

    fixture_add(fixture, "alice", "secret");
    address_add(fixture->directory, STR("alice"), STR("sales@example.org"), false, NULL);
    address_add(fixture->directory, STR("alice"), STR("info@example.org"), false, NULL);
    find(fixture, "alice", &account);
    assert_int_equal(account_remove(fixture->directory, STR("alice"), false, NULL), ERR_NONE);
    assert_int_equal(find(fixture, "alice", &again), ERR_NOT_FOUND);
    resolves_to(fixture, "sales@example.org", NULL, NULL);
    assert_int_equal(
        directory_next_removed(fixture->directory, &more, &removed, &fixture->arena, NULL),
        ERR_NONE);
    assert_memory_equal(&removed.guid, &account.guid, sizeof(account.guid));
    assert_true(removed.removed > 0);
    assert_int_equal(
        directory_next_removed(fixture->directory, &more, &removed, &fixture->arena, NULL),
        ERR_NOT_FOUND);

    fixture_add(fixture, "bob", NULL);
    address_add(fixture->directory, STR("bob"), STR("sales@example.org"), false, NULL);
    assert_int_equal(account_restore(fixture->directory, STR("alice"), false, NULL), ERR_NONE);
    assert_int_equal(find(fixture, "alice", &again), ERR_NONE);
    assert_memory_equal(&again.guid, &account.guid, sizeof(account.guid));
    assert_int_equal(again.address_count, 2);
    resolves_to(fixture, "sales@example.org", "bob@example.org", "");
    resolves_to(fixture, "info@example.org", "alice@example.org", "");
    assert_int_equal(account_restore(fixture->directory, STR("alice"), false, NULL), ERR_NOT_FOUND);

    account_remove(fixture->directory, STR("alice"), false, NULL);
    fixture_add(fixture, "alice", "another");
    assert_int_equal(account_restore(fixture->directory, STR("alice"), false, &err), ERR_EXISTS);
    assert_string_equal(err.text,
                        "alice@example.org is in use again: remove that user or address first");
}

static void a_forgotten_account_is_gone_and_a_new_one_is_another(void **state)
{
    struct fixture *fixture = *state;
    struct account account, again;
    struct directory_removed removed = {0};
    bool more = false;

    fixture_add(fixture, "alice", NULL);
    find(fixture, "alice", &account);
    account_remove(fixture->directory, STR("alice"), false, NULL);
    fixture_add(fixture, "alice", NULL);
    find(fixture, "alice", &again);
    assert_memory_not_equal(&again.guid, &account.guid, sizeof(account.guid));
    assert_int_equal(account_restore(fixture->directory, STR("alice"), false, NULL), ERR_EXISTS);
    assert_int_equal(directory_forget(fixture->directory, &account.guid, NULL), ERR_NONE);
    assert_int_equal(
        directory_next_removed(fixture->directory, &more, &removed, &fixture->arena, NULL),
        ERR_NOT_FOUND);
}

static void lists_go_on_behind_the_cursor(void **state)
{
    struct fixture *fixture = *state;
    char cursor[DIRECTORY_CURSOR_SIZE] = "";
    struct account account;

    fixture_add(fixture, "carol", NULL);
    fixture_add(fixture, "alice", NULL);
    assert_int_equal(directory_next(fixture->directory, cursor, &fixture->arena, &account, NULL),
                     ERR_NONE);
    assert_string_equal(account.name, "alice@example.org");
    fixture_add(fixture, "bob", NULL); /* between two calls */
    directory_next(fixture->directory, cursor, &fixture->arena, &account, NULL);
    assert_string_equal(account.name, "bob@example.org");
    account_remove(fixture->directory, STR("bob"), false, NULL);
    directory_next(fixture->directory, cursor, &fixture->arena, &account, NULL);
    assert_string_equal(account.name, "carol@example.org");
    assert_int_equal(directory_next(fixture->directory, cursor, &fixture->arena, &account, NULL),
                     ERR_NOT_FOUND);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct account_new new = {.name = STR("bob"), .services = SERVICES_ALL};

    fixture_add(fixture, "alice", NULL);
    assert_int_equal(account_add(fixture->directory, &new, true, &fixture->arena, NULL, NULL),
                     ERR_NONE);
    assert_int_equal(account_remove(fixture->directory, STR("alice"), true, NULL), ERR_NONE);
    assert_int_equal(directory_count(fixture->directory), 1);
}

static void many_at_once_fail_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    struct account_new new[] = {
        {.name = STR("a")  },
        {.name = STR("b b")},
        {.name = STR("A")  },
        {.name = STR("c"),   .password = STR("\x01")},
        {.name = STR("d")                 }
    };
    struct err results[5], err;

    assert_int_equal(account_add_many(fixture->directory, new, 5, false, results, &err), ERR_NONE);
    assert_int_equal(results[0].code, ERR_NONE);
    assert_int_equal(results[1].code, ERR_INVALID);
    assert_int_equal(results[2].code, ERR_EXISTS);
    assert_int_equal(results[3].code, ERR_INVALID);
    assert_int_equal(results[4].code, ERR_NONE);
    assert_int_equal(directory_count(fixture->directory), 2);
}

static void everything_is_there_after_opening_again(void **state)
{
    struct fixture *fixture = *state;
    struct account account;

    fixture_add(fixture, "alice", "secret");
    directory_close(&fixture->directory);
    fixture_open(fixture);
    assert_int_equal(find(fixture, "alice", &account), ERR_NONE);
    assert_true(account.has_password);
}

static void a_change_that_the_disk_refuses_does_not_stop_the_directory(void **state)
{
    struct fixture *fixture = *state;
    struct account_new new = {.name = STR("bob"), .services = SERVICES_ALL};
    struct rlimit usual, small;
    struct account account;

    fixture_add(fixture, "alice", NULL);
    getrlimit(RLIMIT_FSIZE, &usual);
    small = (struct rlimit){.rlim_cur = 1, .rlim_max = usual.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(account_add(fixture->directory, &new, false, &fixture->arena, NULL, NULL),
                     ERR_UNAVAILABLE);
    setrlimit(RLIMIT_FSIZE, &usual);
    assert_int_equal(find(fixture, "alice", &account), ERR_NONE);
    assert_int_equal(find(fixture, "bob", &account), ERR_NOT_FOUND);
    assert_int_equal(account_add(fixture->directory, &new, false, &fixture->arena, NULL, NULL),
                     ERR_NONE);
}

static void a_second_owner_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct directory_settings settings = {.folder = fixture->folder};
    struct directory *other = NULL;

    assert_int_equal(directory_open(&other, &settings, NULL), ERR_EXISTS);
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_name_too_long_for_anybody_is_no_name),
        FIXTURE_TEST(a_new_account_is_found_by_every_form_of_its_name),
        FIXTURE_TEST(a_name_is_given_once),
        FIXTURE_TEST(an_alias_takes_mail_and_logs_in),
        FIXTURE_TEST(detail_and_catch_all_come_behind_the_exact_address),
        FIXTURE_TEST(catch_all_takes_what_no_account_can_be_named),
        FIXTURE_TEST(changes_of_switches_are_told_and_raise_the_generation),
        FIXTURE_TEST(recovery_is_set_for_one_user_and_stays_when_they_are_removed),
        FIXTURE_TEST(quotas_are_set_and_go_back_to_the_default),
        FIXTURE_TEST(a_removed_account_frees_its_names_and_can_come_back),
        FIXTURE_TEST(a_forgotten_account_is_gone_and_a_new_one_is_another),
        FIXTURE_TEST(lists_go_on_behind_the_cursor),
        FIXTURE_TEST(a_dry_run_changes_nothing),
        FIXTURE_TEST(many_at_once_fail_one_by_one),
        FIXTURE_TEST(everything_is_there_after_opening_again),
        FIXTURE_TEST(a_change_that_the_disk_refuses_does_not_stop_the_directory),
        FIXTURE_TEST(a_second_owner_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
