/* The index over all access control lists, while several threads change them and others ask. */
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/grants.h"

#define OWNERS 6u
#define USERS 5u
#define ROUNDS 12u

struct fixture {
    char folder[64];
    struct store *store;
    struct grants *grants;
    struct store_mailbox *owners[OWNERS];
};

struct owner_job {
    struct fixture *fixture;
    unsigned owner;
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static struct store_guid guid_of(unsigned kind, unsigned number)
{
    return (struct store_guid){
        {(uint8_t)(number + 1), (uint8_t)kind}
    };
}

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct store_settings settings = {
        .databases = 2,
        .map_size = (uint64_t)1 << 28,
        .max_readers = 32,
        .message_size_limit = (uint64_t)1 << 20,
        .content_budget = (uint64_t)4 << 20,
    };

    strcpy(fixture->folder, "/tmp/grants-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    settings.folder = fixture->folder;
    assert_int_equal(store_open(&fixture->store, &settings, NULL), ERR_NONE);
    fixture->grants = grants_create(fixture->store);
    for (unsigned i = 0; i < OWNERS; i++) {
        struct store_guid guid = guid_of(1, i);

        assert_int_equal(
            store_mailbox_open(fixture->store, &guid, true, &fixture->owners[i], NULL, NULL),
            ERR_NONE);
    }
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < OWNERS; i++)
        store_mailbox_unref(&fixture->owners[i]);
    grants_destroy(&fixture->grants);
    store_close(&fixture->store);
    nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

/* In the end a user has something of every owner but one. */
static bool gives(unsigned owner, unsigned user, unsigned round)
{
    return (owner + user + round) % USERS != 0;
}

static void *change_lists(void *context)
{
    const struct owner_job *job = context;

    for (unsigned round = 0; round <= ROUNDS; round++) {
        for (unsigned user = 0; user < USERS; user++) {
            struct acl_entry entry = {.guid = guid_of(2, user), .rights = RIGHT_LOOKUP};

            if (!gives(job->owner, user, round))
                entry.rights = 0;
            if (grants_change(job->fixture->grants, job->fixture->owners[job->owner],
                              STORE_ROOT_FOLDER, &entry, ACL_SET, NULL) != ERR_NONE)
                return context;
        }
    }
    return NULL;
}

static unsigned count_owners(struct fixture *fixture, unsigned user, bool with_check)
{
    struct store_guid guid = guid_of(2, user);
    struct store_guid owner = {{0}};
    unsigned count = 0;

    while (grants_next(fixture->grants, &guid, &owner, NULL) == ERR_NONE) {
        count++;
        if (with_check)
            assert_true(gives(owner.bytes[0] - 1u, user, ROUNDS));
    }
    return count;
}

static void *ask(void *context)
{
    struct fixture *fixture = context;

    for (unsigned i = 0; i < 200; i++) {
        if (count_owners(fixture, i % USERS, false) > OWNERS)
            return context;
        if (i % 50 == 0)
            grants_forget(fixture->grants);
    }
    return NULL;
}

static void the_index_is_as_the_lists_whoever_changes_and_asks_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct owner_job jobs[OWNERS];
    pthread_t threads[OWNERS + 2];

    for (unsigned i = 0; i < OWNERS; i++) {
        jobs[i] = (struct owner_job){fixture, i};
        assert_int_equal(pthread_create(&threads[i], NULL, change_lists, &jobs[i]), 0);
    }
    for (unsigned i = OWNERS; i < OWNERS + 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, fixture), 0);
    for (unsigned i = 0; i < OWNERS + 2; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (unsigned user = 0; user < USERS; user++) {
        unsigned expected = 0;

        for (unsigned owner = 0; owner < OWNERS; owner++)
            expected += gives(owner, user, ROUNDS);
        assert_int_equal(count_owners(fixture, user, true), expected);
    }
}

static void what_anyone_is_given_comes_once_and_in_order_with_the_rest(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid user = guid_of(2, 0);
    struct store_guid owner = {{0}};

    for (unsigned i = 0; i < OWNERS; i++) {
        struct acl_entry entry = {.guid = user, .rights = RIGHT_LOOKUP};
        struct acl_entry all = {.is_anyone = true, .rights = RIGHT_READ};

        if (i % 2 == 0)
            assert_int_equal(grants_change(fixture->grants, fixture->owners[i], STORE_ROOT_FOLDER,
                                           &entry, ACL_SET, NULL),
                             ERR_NONE);
        if (i % 3 == 0)
            assert_int_equal(grants_change(fixture->grants, fixture->owners[i], STORE_ROOT_FOLDER,
                                           &all, ACL_SET, NULL),
                             ERR_NONE);
    }
    for (unsigned i = 0; i < OWNERS; i++) {
        struct store_guid expected = guid_of(1, i);

        if (i % 2 != 0 && i % 3 != 0)
            continue;
        assert_int_equal(grants_next(fixture->grants, &user, &owner, NULL), ERR_NONE);
        assert_memory_equal(&owner, &expected, sizeof(owner));
    }
    assert_int_equal(grants_next(fixture->grants, &user, &owner, NULL), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_index_is_as_the_lists_whoever_changes_and_asks_at_once,
                                        create, destroy),
        cmocka_unit_test_setup_teardown(what_anyone_is_given_comes_once_and_in_order_with_the_rest,
                                        create, destroy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
