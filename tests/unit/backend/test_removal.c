#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/removal.h"
#include "tests/unit/backend/harness.h"

struct fixture {
    struct harness harness;
    struct arena arena;
    struct account account;
    char folder[96];
};

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct account_new new = {.name = STR("alice@example.org"), .services = SERVICES_ALL};
    struct directory_settings settings = {.folder = fixture->folder};
    struct store_mailbox *mailbox;
    struct backend *backend = &fixture->harness.backend;

    harness_open(&fixture->harness);
    fixture->harness.settings.directory.removed_time = 1000;
    fixture->harness.settings.backend.data = fixture->harness.folder;
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/directory", fixture->harness.folder);
    assert_int_equal(directory_open(&backend->directory, &settings, NULL), ERR_NONE);
    assert_int_equal(
        account_add(backend->directory, &new, false, &fixture->arena, &fixture->account, NULL),
        ERR_NONE);
    assert_int_equal(mailbox_open(backend->store, &fixture->account, &mailbox, NULL), ERR_NONE);
    store_mailbox_unref(&mailbox);
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    directory_close(&fixture->harness.backend.directory);
    arena_reset(&fixture->arena);
    harness_close(&fixture->harness);
    free(fixture);
    return 0;
}

static bool has_mailbox(struct fixture *fixture)
{
    struct store_mailbox *mailbox = NULL;
    enum err_code code = store_mailbox_open(fixture->harness.backend.store, &fixture->account.guid,
                                            false, &mailbox, NULL, NULL);

    if (code == ERR_NONE)
        store_mailbox_unref(&mailbox);
    return code == ERR_NONE;
}

static void mail_of_a_removed_user_goes_when_its_time_has_passed(void **state)
{
    struct fixture *fixture = *state;
    struct backend *backend = &fixture->harness.backend;
    atomic_bool stop = false;

    assert_int_equal(removal_round(backend, time(NULL) + 5000, &stop), 0);
    assert_true(has_mailbox(fixture));
    account_remove(backend->directory, STR("alice@example.org"), false, NULL);
    assert_int_equal(removal_round(backend, time(NULL) + 500, &stop), 0);
    assert_true(has_mailbox(fixture));
    assert_int_equal(removal_round(backend, time(NULL) + 1500, &stop), 1);
    assert_false(has_mailbox(fixture));
    assert_int_equal(account_restore(backend->directory, STR("alice@example.org"), false, NULL),
                     ERR_NOT_FOUND);
}

static void a_restored_user_keeps_the_mail(void **state)
{
    struct fixture *fixture = *state;
    struct backend *backend = &fixture->harness.backend;
    atomic_bool stop = false;

    account_remove(backend->directory, STR("alice@example.org"), false, NULL);
    account_restore(backend->directory, STR("alice@example.org"), false, NULL);
    assert_int_equal(removal_round(backend, time(NULL) + 5000, &stop), 0);
    assert_true(has_mailbox(fixture));
}

static void a_round_that_is_stopped_ends_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct backend *backend = &fixture->harness.backend;
    atomic_bool stop = true;

    account_remove(backend->directory, STR("alice@example.org"), false, NULL);
    assert_int_equal(removal_round(backend, time(NULL) + 5000, &stop), 0);
    assert_true(has_mailbox(fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mail_of_a_removed_user_goes_when_its_time_has_passed),
        TEST(a_restored_user_keeps_the_mail),
        TEST(a_round_that_is_stopped_ends_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
