#include <stdatomic.h>

#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER

static struct store_op flags_op(struct fixture *fixture, const struct uidset *uids,
                                enum store_flags_mode mode, uint32_t system)
{
    struct store_op op = {
        .kind = OP_FLAGS, .mailbox = fixture->mailbox, .folder = INBOX, .uids = uids};

    op.in.flags.mode = mode;
    op.in.flags.system = system;
    op.in.flags.unchanged_since = UINT64_MAX;
    return op;
}

static void release_flags(struct store_op *op)
{
    uidset_release(&op->out.flags.changed);
    uidset_release(&op->out.flags.refused);
}

static struct store_op copy_op(struct fixture *fixture, enum store_op_kind kind,
                               const struct uidset *uids, uint32_t from, uint32_t to)
{
    struct store_op op = {.kind = kind, .mailbox = fixture->mailbox, .folder = from, .uids = uids};

    op.in.copy.target = to;
    return op;
}

static void content_goes_with_its_last_item(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct uidset uids = set_of(1, 1);
    struct store_op op = copy_op(fixture, OP_COPY, &uids, INBOX, other);
    struct store_status status;

    append_text(fixture, INBOX, "shared");
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 64);
    expunge(fixture, INBOX, 1, 1);
    assert_content(fixture, other, 1, "shared", 6);
    expunge(fixture, other, 1, 1);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 0);
    uidset_release(&uids);
}

static void a_copy_is_like_its_source_but_for_its_place(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    const char *names[] = {"first", "second"};
    struct uidset uids = set_of(1, 1);
    struct store_op flags = flags_op(fixture, &uids, FLAGS_ADD, FLAG_SEEN);
    struct store_op op = copy_op(fixture, OP_COPY, &uids, INBOX, other);
    char list[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    struct store_read *read;
    struct store_item source, copy;
    unsigned count;

    append_text(fixture, INBOX, "body");
    flags.in.flags.keywords = (struct store_keyword_names){names, 2};
    must(store_run(&flags), &flags.err);
    release_flags(&flags);
    names[0] = "second"; /* only the second is left */
    flags = flags_op(fixture, &uids, FLAGS_REPLACE, FLAG_SEEN);
    flags.in.flags.keywords = (struct store_keyword_names){names, 1};
    must(store_run(&flags), &flags.err);
    release_flags(&flags);
    must(store_run(&op), &op.err);
    assert_int_equal(op.out.copy.first, 1);
    assert_int_equal(uidset_size(&op.out.copy.source), 1);
    assert_int_equal(op.out.copy.uid_validity, folder_now(fixture, other).uid_validity);
    uidset_release(&op.out.copy.source);
    assert_int_equal(item_now(fixture, INBOX, 1, &source), ERR_NONE);
    assert_int_equal(item_now(fixture, other, 1, &copy), ERR_NONE);
    assert_int_equal(source.flags.keywords[0], 2);
    assert_int_equal(copy.flags.keywords[0], 1); /* the other folder's first */
    assert_int_equal(copy.flags.system, FLAG_SEEN);
    assert_int_equal(copy.email_id, source.email_id);
    assert_int_equal(copy.internal_date, source.internal_date);
    assert_int_not_equal(copy.item_id, source.item_id);
    read = read_begin(fixture);
    assert_int_equal(store_keyword_list(read, other, list, &count, NULL), ERR_NONE);
    store_read_end(&read);
    assert_int_equal(count, 1);
    assert_string_equal(list[0], "second");
    assert_content(fixture, other, 1, "body", 4);
    uidset_release(&uids);
}

static void a_move_keeps_the_item_id_and_the_properties(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    const struct store_property property = {"to", "alice", 5};
    struct store_draft *draft = draft_of(fixture, "body", 4);
    struct store_op op = append_op(fixture, INBOX, draft);
    struct uidset uids = set_of(1, 5);
    struct uidset vanished = {0};
    struct store_op move = copy_op(fixture, OP_MOVE, &uids, INBOX, other);
    struct store_item item;
    struct store_read *read;
    uint8_t value[16];
    size_t length;
    bool complete;

    op.in.append.properties = &property;
    op.in.append.property_count = 1;
    op.in.append.summary = "summary";
    op.in.append.summary_length = 7;
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    must(store_run(&move), &move.err);
    uidset_release(&move.out.copy.source);
    assert_int_equal(item_now(fixture, other, 1, &item), ERR_NONE);
    assert_int_equal(item.item_id, op.out.append.item_id);
    assert_int_equal(folder_now(fixture, INBOX).messages, 0);
    assert_int_equal(folder_now(fixture, other).messages, 1);
    read = read_begin(fixture);
    assert_int_equal(
        store_property_get(read, other, item.item_id, "to", value, sizeof(value), &length, NULL),
        ERR_NONE);
    assert_int_equal(length, 5);
    assert_int_equal(store_vanished(read, INBOX, op.modseq, &vanished, &complete, NULL), ERR_NONE);
    assert_true(uidset_has(&vanished, 1));
    uidset_release(&vanished);
    store_read_end(&read);
    uidset_release(&uids);
}

static void copying_into_the_same_folder_ends(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, UINT32_MAX - 1);
    struct store_op op = copy_op(fixture, OP_COPY, &uids, INBOX, INBOX);

    append_many(fixture, INBOX, 9);
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.copy.source), 10);
    assert_int_equal(op.out.copy.first, 11);
    uidset_release(&op.out.copy.source);
    op = copy_op(fixture, OP_MOVE, &uids, INBOX, INBOX);
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    assert_int_equal(folder_now(fixture, INBOX).messages, 20);
    assert_int_equal(folder_now(fixture, INBOX).uid_next, 41);
    uidset_release(&uids);
}

static void a_copy_over_quota_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct uidset uids = set_of(1, 10);
    struct store_op op = copy_op(fixture, OP_COPY, &uids, INBOX, other);

    append_many(fixture, INBOX, 9);
    op.in.copy.quota_messages = 19;
    assert_int_equal(store_run(&op), ERR_LIMIT);
    assert_int_equal(folder_now(fixture, other).messages, 0);
    assert_int_equal(folder_now(fixture, other).uid_next, 1);
    op.in.copy.quota_messages = 20;
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    op.in.copy.target = 77;
    assert_int_equal(store_run(&op), ERR_NOT_FOUND);
    uidset_release(&uids);
}

static void large(struct fixture *fixture, enum store_op_kind kind)
{
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct uidset uids = set_of(1, 12000);
    struct store_op op = copy_op(fixture, kind, &uids, INBOX, other);
    struct store_folder folder;
    uint64_t before;

    append_many(fixture, INBOX, 11999);
    append_text(fixture, other, "first");
    before = folder_now(fixture, other).highest_modseq;
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.copy.source), 12000);
    assert_int_equal(op.out.copy.first, 2);
    uidset_release(&op.out.copy.source);
    folder = folder_now(fixture, other);
    assert_int_equal(folder.messages, 12001);
    assert_int_equal(folder.unseen, 12001);
    assert_int_equal(folder.uid_next, 12002);
    assert_int_equal(folder.highest_modseq, op.modseq);
    assert_true(folder.highest_modseq > before);
    assert_int_equal(folder_now(fixture, INBOX).messages, kind == OP_MOVE ? 0 : 12000);
    assert_int_equal(append_text(fixture, other, "last"), 12002);
    assert_content(fixture, other, 12001, "many", 4);
    uidset_release(&uids);
}

static void a_copy_of_more_than_10000_items_is_whole(void **state)
{
    large(*state, OP_COPY);
}

static void a_move_of_more_than_10000_items_is_whole(void **state)
{
    large(*state, OP_MOVE);
}

static void large_copies_of_one_mailbox_come_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    uint32_t one = make_folder(fixture, STORE_ROOT_FOLDER, "One");
    uint32_t two = make_folder(fixture, STORE_ROOT_FOLDER, "Two");
    uint32_t three = make_folder(fixture, STORE_ROOT_FOLDER, "Three");
    struct uidset all = set_of(1, 10001);
    struct uidset few = set_of(1, 5);
    struct store_op ops[] = {
        copy_op(fixture, OP_COPY, &all, INBOX, one), copy_op(fixture, OP_COPY, &all, INBOX, two),
        copy_op(fixture, OP_COPY, &few, INBOX, three), /* waits for none of them */
    };
    struct store_op *list[] = {&ops[0], &ops[1], &ops[2]};

    append_many(fixture, INBOX, 10000);
    store_run_all(list, 3);
    for (int i = 0; i < 3; i++) {
        must(ops[i].err.code, &ops[i].err);
        uidset_release(&ops[i].out.copy.source);
    }
    assert_int_equal(folder_now(fixture, one).messages, 10001);
    assert_int_equal(folder_now(fixture, two).messages, 10001);
    assert_int_equal(folder_now(fixture, three).messages, 5);
    assert_true(ops[2].modseq < ops[0].modseq);
    assert_true(ops[0].modseq < ops[1].modseq);
    uidset_release(&all);
    uidset_release(&few);
}

static atomic_int finished;

static void on_finished(struct store_op *op)
{
    (void)op;
    atomic_fetch_add(&finished, 1);
}

/* Submits the next operation from the writer's thread: it comes one slice of the copy later. */
static void submit_next(struct store_op *op)
{
    store_submit(op->context);
}

/* Something else happens after two slices of a copy. */
static void disturb(struct fixture *fixture, uint32_t target, struct store_op *disturbance,
                    enum err_code expected)
{
    struct uidset uids = set_of(1, 12000);
    struct store_op copy = copy_op(fixture, OP_COPY, &uids, INBOX, target);
    struct store_op steps[3];
    struct store_op *together[] = {&copy, &steps[0]};

    append_many(fixture, INBOX, 11999);
    atomic_store(&finished, 0);
    for (int i = 0; i < 3; i++) {
        steps[i] = (struct store_op){.kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox};
        steps[i].in.property.property = (struct store_property){"step", "x", 1};
        steps[i].done = submit_next;
        steps[i].context = i < 2 ? &steps[i + 1] : disturbance;
    }
    copy.done = disturbance->done = on_finished;
    store_submit_all(together, 2, false);
    while (atomic_load(&finished) < 2)
        usleep(1000);
    assert_int_equal(disturbance->err.code, ERR_NONE);
    assert_int_equal(copy.err.code, expected);
    uidset_release(&copy.out.copy.source);
    uidset_release(&uids);
}

static void items_become(struct fixture *fixture, uint64_t expected)
{
    struct store_status status;

    store_status(fixture->store, &status);
    for (int i = 0; i < 3000 && status.items != expected; i++) {
        usleep(10000);
        store_status(fixture->store, &status);
    }
    assert_int_equal(status.items, expected);
}

static void a_copy_whose_target_is_deleted_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint32_t target = make_folder(fixture, STORE_ROOT_FOLDER, "Target");
    struct store_op op = {.kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox, .folder = target};

    disturb(fixture, target, &op, ERR_NOT_FOUND);
    items_become(fixture, 12000);
    append_text(fixture, INBOX, "life goes on");
}

static void a_copy_passes_over_what_is_expunged_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    uint32_t target = make_folder(fixture, STORE_ROOT_FOLDER, "Target");
    struct uidset last = set_of(11990, 12000);
    struct store_op op = {
        .kind = OP_EXPUNGE, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &last};
    struct store_folder folder;

    disturb(fixture, target, &op, ERR_NONE);
    items_become(fixture, 2 * 11989);
    uidset_release(&op.out.expunge.removed);
    folder = folder_now(fixture, target);
    assert_int_equal(folder.messages, 11989);
    assert_int_equal(folder.uid_next, 11990);
    uidset_release(&last);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(content_goes_with_its_last_item),
        WITH_STORE(a_copy_is_like_its_source_but_for_its_place),
        WITH_STORE(a_move_keeps_the_item_id_and_the_properties),
        WITH_STORE(copying_into_the_same_folder_ends),
        WITH_STORE(a_copy_over_quota_changes_nothing),
        WITH_STORE(a_copy_of_more_than_10000_items_is_whole),
        WITH_STORE(a_move_of_more_than_10000_items_is_whole),
        WITH_STORE(large_copies_of_one_mailbox_come_one_after_the_other),
        WITH_STORE(a_copy_whose_target_is_deleted_leaves_nothing),
        WITH_STORE(a_copy_passes_over_what_is_expunged_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
