#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/store/fixture.h"

static enum err_code rename_folder(struct fixture *fixture, uint32_t id, uint32_t parent,
                                   const char *name)
{
    struct store_op op = {.kind = OP_FOLDER_RENAME, .mailbox = fixture->mailbox, .folder = id};

    op.in.rename.parent = parent;
    op.in.rename.name = name;
    return store_run(&op);
}

static enum err_code delete_folder(struct fixture *fixture, uint32_t id)
{
    struct store_op op = {.kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox, .folder = id};

    return store_run(&op);
}

static enum err_code create_folder(struct fixture *fixture, uint32_t parent, const char *name,
                                   enum store_special_use use)
{
    struct store_op op = {.kind = OP_FOLDER_CREATE, .mailbox = fixture->mailbox};

    op.in.create.parent = parent;
    op.in.create.name = name;
    op.in.create.use = use;
    op.in.create.class = CLASS_MAIL;
    return store_run(&op);
}

static void a_folder_is_found_by_name_and_by_use(void **state)
{
    struct fixture *fixture = *state;
    struct store_folder folder;
    struct store_read *read;
    uint32_t work = make_folder(fixture, STORE_ROOT_FOLDER, "Work");
    uint32_t deep = make_folder(fixture, work, "Pläne");

    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, "Bin", USE_TRASH), ERR_NONE);
    fixture_reopen(fixture);
    read = read_begin(fixture);
    assert_int_equal(store_folder_find(read, work, STR("Pläne"), &folder, NULL), ERR_NONE);
    assert_int_equal(folder.id, deep);
    assert_int_equal(folder.parent, work);
    assert_false(folder.has_children);
    assert_int_equal(store_folder_get(read, work, &folder, NULL), ERR_NONE);
    assert_true(folder.has_children);
    assert_int_equal(store_folder_by_use(read, USE_TRASH, &folder, NULL), ERR_NONE);
    assert_string_equal(folder.name, "Bin");
    assert_int_equal(store_folder_by_use(read, USE_JUNK, &folder, NULL), ERR_NOT_FOUND);
    assert_int_equal(store_folder_find(read, work, STR("pläne"), &folder, NULL), ERR_NOT_FOUND);
    store_read_end(&read);
}

static void children_are_listed_in_order(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"B", "A", "AB", "a"};
    static const char *const sorted[] = {"A", "AB", "B", "INBOX", "a"};
    struct store_folder folder;
    struct store_read *read;
    char after[STORE_NAME_MAX + 1] = "";

    for (size_t i = 0; i < 4; i++)
        make_folder(fixture, STORE_ROOT_FOLDER, names[i]);
    read = read_begin(fixture);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(store_folder_next(read, STORE_ROOT_FOLDER, after, &folder, NULL),
                         ERR_NONE);
        assert_string_equal(folder.name, sorted[i]);
        strcpy(after, folder.name);
    }
    assert_int_equal(store_folder_next(read, STORE_ROOT_FOLDER, after, &folder, NULL),
                     ERR_NOT_FOUND);
    store_read_end(&read);
}

static void a_taken_or_bad_name_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char name[STORE_NAME_MAX + 2];

    memset(name, 'x', sizeof(name));
    name[STORE_NAME_MAX + 1] = '\0';
    make_folder(fixture, STORE_ROOT_FOLDER, "A");
    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, "A", USE_NONE), ERR_EXISTS);
    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, "", USE_NONE), ERR_INVALID);
    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, name, USE_NONE), ERR_INVALID);
    assert_int_equal(create_folder(fixture, 999, "B", USE_NONE), ERR_NOT_FOUND);
    assert_int_equal(create_folder(fixture, 0, "B", USE_NONE), ERR_NOT_FOUND);
    name[STORE_NAME_MAX] = '\0';
    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, name, USE_NONE), ERR_NONE);
}

static void a_renamed_folder_keeps_its_items(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    uint32_t b = make_folder(fixture, STORE_ROOT_FOLDER, "B");
    struct store_folder before, after;

    append_text(fixture, a, "here");
    before = folder_now(fixture, a);
    assert_int_equal(rename_folder(fixture, a, b, "C"), ERR_NONE);
    after = folder_now(fixture, a);
    assert_string_equal(after.name, "C");
    assert_int_equal(after.parent, b);
    assert_int_equal(after.uid_validity, before.uid_validity);
    assert_int_equal(after.messages, 1);
    assert_true(after.highest_modseq > before.highest_modseq);
    assert_content(fixture, a, 1, "here", 4);
    make_folder(fixture, STORE_ROOT_FOLDER, "A"); /* the old name is free */
}

static void a_folder_cannot_go_below_itself(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    uint32_t b = make_folder(fixture, a, "B");

    assert_int_equal(rename_folder(fixture, a, b, "A"), ERR_INVALID);
    assert_int_equal(rename_folder(fixture, a, a, "A"), ERR_INVALID);
    assert_int_equal(rename_folder(fixture, STORE_INBOX_FOLDER, a, "I"), ERR_DENIED);
    assert_int_equal(rename_folder(fixture, b, STORE_ROOT_FOLDER, "A"), ERR_EXISTS);
}

static void folders_have_a_greatest_depth(void **state)
{
    struct fixture *fixture = *state;
    uint32_t parent = STORE_ROOT_FOLDER;
    uint32_t top;
    uint32_t below;

    for (int level = 0; level < STORE_DEPTH_MAX; level++)
        parent = make_folder(fixture, parent, "x");
    assert_int_equal(create_folder(fixture, parent, "x", USE_NONE), ERR_LIMIT);
    top = make_folder(fixture, STORE_ROOT_FOLDER, "top");
    below = make_folder(fixture, top, "below");
    assert_int_equal(rename_folder(fixture, top, parent, "y"), ERR_LIMIT);
    assert_int_equal(folder_now(fixture, below).parent, top);
}

static void a_folder_with_children_is_not_deleted(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    uint32_t b = make_folder(fixture, a, "B");

    assert_int_equal(delete_folder(fixture, a), ERR_EXISTS);
    assert_int_equal(delete_folder(fixture, b), ERR_NONE);
    assert_int_equal(delete_folder(fixture, b), ERR_NOT_FOUND);
    assert_int_equal(delete_folder(fixture, a), ERR_NONE);
    assert_int_equal(delete_folder(fixture, STORE_INBOX_FOLDER), ERR_DENIED);
    assert_int_equal(delete_folder(fixture, STORE_ROOT_FOLDER), ERR_DENIED);
}

/* Waits for what the writer does in its idle time. */
static uint64_t live_bytes_when_quiet(struct fixture *fixture, uint64_t expected)
{
    struct store_status status;

    for (int i = 0; i < 1000; i++) {
        store_status(fixture->store, &status);
        if (status.content_bytes == expected && status.items == 0)
            break;
        usleep(10000);
    }
    return status.content_bytes;
}

static void a_deleted_folder_takes_its_items_along(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    struct store_usage usage;
    struct store_read *read;
    uint32_t again;

    append_many(fixture, a, 2500); /* more than one slice */
    assert_int_equal(delete_folder(fixture, a), ERR_NONE);
    read = read_begin(fixture);
    store_usage(read, &usage, NULL);
    assert_int_equal(usage.messages, 0);
    assert_int_equal(usage.bytes, 0);
    store_read_end(&read);
    assert_int_equal(live_bytes_when_quiet(fixture, 0), 0);
    again = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    assert_true(again > a);
    assert_int_equal(folder_now(fixture, again).messages, 0);
}

static void a_folder_may_be_made_and_deleted_in_one_batch(void **state)
{
    struct fixture *fixture = *state;
    uint32_t next = make_folder(fixture, STORE_ROOT_FOLDER, "before") + 1;
    struct store_op create = {
        .kind = OP_FOLDER_CREATE, .mailbox = fixture->mailbox, .done = fixture_ignore};
    struct store_op delete = {.kind = OP_FOLDER_DELETE,
                              .mailbox = fixture->mailbox,
                              .folder = next,
                              .done = fixture_ignore};
    struct store_op *both[] = {&create, &delete};

    create.in.create.parent = STORE_ROOT_FOLDER;
    create.in.create.name = "short-lived";
    create.in.create.class = CLASS_MAIL;
    store_submit_all(both, 2, false);
    assert_int_equal(make_folder(fixture, STORE_ROOT_FOLDER, "behind"), next + 1);
    must(create.err.code, &create.err);
    must(delete.err.code, &delete.err);
    assert_int_equal(create.out.create.folder, next);
}

static void uid_validity_is_never_given_twice(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    uint32_t validity = folder_now(fixture, a).uid_validity;

    assert_int_equal(delete_folder(fixture, a), ERR_NONE);
    a = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    assert_true(folder_now(fixture, a).uid_validity > validity);
}

static enum err_code adopt(struct fixture *fixture, uint32_t folder, uint32_t validity,
                           uint32_t next)
{
    struct store_op op = {.kind = OP_FOLDER_ADOPT, .mailbox = fixture->mailbox, .folder = folder};

    op.in.adopt.uid_validity = validity;
    op.in.adopt.uid_next = next;
    return store_run(&op);
}

static uint32_t append_at(struct fixture *fixture, uint32_t folder, uint32_t uid)
{
    struct store_draft *draft = draft_of(fixture, "x", 1);
    struct store_op op = append_op(fixture, folder, draft);

    op.in.append.least_uid = uid;
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    return op.out.append.uid;
}

static void a_folder_takes_uids_over(void **state)
{
    struct fixture *fixture = *state;
    uint32_t a = make_folder(fixture, STORE_ROOT_FOLDER, "A");

    assert_int_equal(adopt(fixture, a, 4711, 1), ERR_NONE);
    assert_int_equal(append_at(fixture, a, 10), 10);
    assert_int_equal(append_at(fixture, a, 5000), 5000);
    assert_int_equal(append_at(fixture, a, 3), 5001); /* behind: the next */
    assert_int_equal(adopt(fixture, a, 4711, 9000), ERR_NONE);
    assert_int_equal(adopt(fixture, a, 4711, 7), ERR_NONE);
    fixture_reopen(fixture);
    assert_int_equal(folder_now(fixture, a).uid_validity, 4711);
    assert_int_equal(folder_now(fixture, a).uid_next, 9000);
    assert_int_equal(folder_now(fixture, a).messages, 3);
    assert_int_equal(append_text(fixture, a, "next"), 9000);
}

static void unused_uids_hide_no_change(void **state)
{
    struct fixture *fixture = *state;
    struct store_item items[4];
    struct store_read *read;
    uint64_t since;
    size_t count;

    append_at(fixture, STORE_INBOX_FOLDER, 10);
    since = folder_now(fixture, STORE_INBOX_FOLDER).highest_modseq;
    append_at(fixture, STORE_INBOX_FOLDER, 5000);
    append_at(fixture, STORE_INBOX_FOLDER, 40000000);
    read = read_begin(fixture);
    assert_int_equal(
        store_item_scan(read, STORE_INBOX_FOLDER, 1, UINT32_MAX, since, items, 4, &count, NULL),
        ERR_NONE);
    store_read_end(&read);
    assert_int_equal(count, 2);
    assert_int_equal(items[0].uid, 5000);
    assert_int_equal(items[1].uid, 40000000);
}

static void uids_that_were_given_keep_their_validity(void **state)
{
    struct fixture *fixture = *state;
    uint32_t validity = folder_now(fixture, STORE_INBOX_FOLDER).uid_validity;

    append_text(fixture, STORE_INBOX_FOLDER, "x");
    assert_int_equal(adopt(fixture, STORE_INBOX_FOLDER, validity + 1, 1), ERR_EXISTS);
    assert_int_equal(adopt(fixture, STORE_INBOX_FOLDER, 0, 1), ERR_INVALID);
    assert_int_equal(adopt(fixture, STORE_ROOT_FOLDER, 5, 1), ERR_DENIED);
    assert_int_equal(folder_now(fixture, STORE_INBOX_FOLDER).uid_validity, validity);
}

static void a_removed_mailbox_is_gone_and_can_be_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op = {.kind = OP_MAILBOX_REMOVE, .mailbox = fixture->mailbox};
    struct store_guid guid = guid_of(1);
    struct store_read *read;
    struct err err;

    append_text(fixture, STORE_INBOX_FOLDER, "gone");
    must(store_run(&op), &op.err);
    assert_int_equal(store_read_begin(fixture->mailbox, &read, &err), ERR_NOT_FOUND);
    assert_int_equal(create_folder(fixture, STORE_ROOT_FOLDER, "A", USE_NONE), ERR_NOT_FOUND);
    store_mailbox_unref(&fixture->mailbox);
    assert_int_equal(
        store_mailbox_open(fixture->store, &guid, false, &fixture->mailbox, NULL, &err),
        ERR_NOT_FOUND);
    assert_int_equal(live_bytes_when_quiet(fixture, 0), 0);
    must(store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, &err), &err);
    assert_int_equal(folder_now(fixture, STORE_INBOX_FOLDER).messages, 0);
}

#define FINDERS 3

struct finders {
    struct fixture *fixture;
    atomic_bool stop;
};

static void *find_all_the_time(void *argument)
{
    struct finders *finders = argument;
    const struct store_guid guid = guid_of(2);
    struct store_mailbox *mailbox;

    while (!atomic_load(&finders->stop)) {
        store_mailbox_open(finders->fixture->store, &guid, false, &mailbox, NULL, NULL);
        store_mailbox_unref(&mailbox);
        usleep(20); /* under valgrind they would leave the writer no turn */
    }
    return NULL;
}

/* An object of what was removed must not stay: it would be found in place of the new one. */
static void a_removed_mailbox_can_be_made_anew_while_others_look_for_it(void **state)
{
    struct finders finders = {.fixture = *state};
    const struct store_guid guid = guid_of(2);
    pthread_t threads[FINDERS];

    for (unsigned i = 0; i < FINDERS; i++)
        pthread_create(&threads[i], NULL, find_all_the_time, &finders);
    for (unsigned round = 0; round < 50; round++) {
        struct store_op op = {.kind = OP_MAILBOX_REMOVE};
        bool created = false;
        struct err err;

        must(store_mailbox_open(finders.fixture->store, &guid, true, &op.mailbox, &created, &err),
             &err);
        assert_true(created);
        must(store_run(&op), &op.err);
        store_mailbox_unref(&op.mailbox);
    }
    atomic_store(&finders.stop, true);
    for (unsigned i = 0; i < FINDERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_folder_is_found_by_name_and_by_use),
        WITH_STORE(children_are_listed_in_order),
        WITH_STORE(a_taken_or_bad_name_is_refused),
        WITH_STORE(a_renamed_folder_keeps_its_items),
        WITH_STORE(a_folder_cannot_go_below_itself),
        WITH_STORE(folders_have_a_greatest_depth),
        WITH_STORE(a_folder_with_children_is_not_deleted),
        WITH_STORE(a_deleted_folder_takes_its_items_along),
        WITH_STORE(a_folder_may_be_made_and_deleted_in_one_batch),
        WITH_STORE(uid_validity_is_never_given_twice),
        WITH_STORE(a_folder_takes_uids_over),
        WITH_STORE(unused_uids_hide_no_change),
        WITH_STORE(uids_that_were_given_keep_their_validity),
        WITH_STORE(a_removed_mailbox_is_gone_and_can_be_made_anew),
        WITH_STORE(a_removed_mailbox_can_be_made_anew_while_others_look_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
