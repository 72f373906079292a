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

/* ---- flags ---- */

static void flags_are_added_removed_and_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, 2);
    struct store_op op = flags_op(fixture, &uids, FLAGS_ADD, FLAG_SEEN | FLAG_DELETED);
    struct store_item item;

    append_many(fixture, INBOX, 2);
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.flags.changed), 2);
    release_flags(&op);
    assert_int_equal(folder_now(fixture, INBOX).unseen, 1);
    assert_int_equal(folder_now(fixture, INBOX).deleted, 2);
    op = flags_op(fixture, &uids, FLAGS_REMOVE, FLAG_DELETED);
    must(store_run(&op), &op.err);
    release_flags(&op);
    assert_int_equal(item_now(fixture, INBOX, 1, &item), ERR_NONE);
    assert_int_equal(item.flags.system, FLAG_SEEN);
    assert_int_equal(item.modseq, op.modseq);
    op = flags_op(fixture, &uids, FLAGS_REPLACE, FLAG_DRAFT);
    must(store_run(&op), &op.err);
    release_flags(&op);
    assert_int_equal(item_now(fixture, INBOX, 2, &item), ERR_NONE);
    assert_int_equal(item.flags.system, FLAG_DRAFT);
    assert_int_equal(folder_now(fixture, INBOX).unseen, 3);
    assert_int_equal(folder_now(fixture, INBOX).deleted, 0);
    uidset_release(&uids);
}

static void flags_that_do_not_change_give_no_modseq(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, 100);
    struct store_op op = flags_op(fixture, &uids, FLAGS_REMOVE, FLAG_SEEN);
    uint64_t before;

    append_text(fixture, INBOX, "x");
    before = folder_now(fixture, INBOX).highest_modseq;
    must(store_run(&op), &op.err);
    assert_int_equal(op.modseq, 0);
    assert_true(uidset_is_empty(&op.out.flags.changed));
    assert_int_equal(folder_now(fixture, INBOX).highest_modseq, before);
    release_flags(&op);
    uidset_release(&uids);
}

static void items_changed_since_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct uidset one = set_of(1, 1);
    struct uidset all = set_of(1, 2);
    struct store_op op = flags_op(fixture, &one, FLAGS_ADD, FLAG_SEEN);
    uint64_t since;

    append_many(fixture, INBOX, 1);
    since = folder_now(fixture, INBOX).highest_modseq;
    must(store_run(&op), &op.err);
    release_flags(&op);
    op = flags_op(fixture, &all, FLAGS_ADD, FLAG_FLAGGED);
    op.in.flags.unchanged_since = since;
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_first(&op.out.flags.refused), 1);
    assert_int_equal(uidset_size(&op.out.flags.refused), 1);
    assert_int_equal(uidset_first(&op.out.flags.changed), 2);
    release_flags(&op);
    uidset_release(&one);
    uidset_release(&all);
}

static void a_large_change_goes_in_slices_and_is_whole(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, 3000);
    struct store_op op = flags_op(fixture, &uids, FLAGS_ADD, FLAG_SEEN);
    struct store_folder folder;

    append_many(fixture, INBOX, 2999);
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.flags.changed), 3000);
    folder = folder_now(fixture, INBOX);
    assert_int_equal(folder.unseen, 0);
    assert_int_equal(folder.highest_modseq, op.modseq);
    release_flags(&op);
    uidset_release(&uids);
}

static void a_folder_has_at_most_128_keywords(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, 1);
    struct store_op op = flags_op(fixture, &uids, FLAGS_ADD, 0);
    char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    char name[32];
    const char *list[] = {name};
    struct store_read *read;
    struct store_item item;
    unsigned count;

    append_text(fixture, INBOX, "x");
    op.in.flags.keywords = (struct store_keyword_names){list, 1};
    for (int i = 0; i < STORE_KEYWORDS_MAX; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        must(store_run(&op), &op.err);
        release_flags(&op);
    }
    strcpy(name, "one-more");
    assert_int_equal(store_run(&op), ERR_LIMIT);
    strcpy(name, "K127"); /* keywords know no case */
    op.in.flags.mode = FLAGS_REMOVE;
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.flags.changed), 1);
    release_flags(&op);
    read = read_begin(fixture);
    assert_int_equal(store_keyword_list(read, INBOX, names, &count, NULL), ERR_NONE);
    store_read_end(&read);
    assert_int_equal(count, STORE_KEYWORDS_MAX);
    assert_string_equal(names[127], "k127");
    assert_int_equal(item_now(fixture, INBOX, 1, &item), ERR_NONE);
    assert_true(item.flags.keywords[0] == UINT64_MAX);
    assert_true(item.flags.keywords[1] == UINT64_MAX >> 1);
    uidset_release(&uids);
}

/* ---- changed since ---- */

static void only_what_changed_since_is_scanned(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = {0};
    struct store_op op = flags_op(fixture, &uids, FLAGS_ADD, FLAG_SEEN);
    struct store_item items[10];
    struct store_read *read;
    uint64_t since;
    size_t count;

    append_many(fixture, INBOX, 4999);
    since = folder_now(fixture, INBOX).highest_modseq;
    uidset_add(&uids, 5);
    uidset_add(&uids, 1024);
    uidset_add(&uids, 3000);
    uidset_add(&uids, 5000);
    must(store_run(&op), &op.err);
    release_flags(&op);
    read = read_begin(fixture);
    assert_int_equal(store_item_scan(read, INBOX, 1, UINT32_MAX, since, items, 10, &count, NULL),
                     ERR_NONE);
    assert_int_equal(count, 4);
    assert_int_equal(items[0].uid, 5);
    assert_int_equal(items[1].uid, 1024);
    assert_int_equal(items[2].uid, 3000);
    assert_int_equal(items[3].uid, 5000);
    assert_int_equal(store_item_scan(read, INBOX, 6, 4999, since, items, 1, &count, NULL),
                     ERR_NONE);
    assert_int_equal(count, 1);
    assert_int_equal(items[0].uid, 1024);
    assert_int_equal(
        store_item_scan(read, INBOX, 1, UINT32_MAX, op.modseq, items, 10, &count, NULL), ERR_NONE);
    assert_int_equal(count, 0);
    store_read_end(&read);
    uidset_release(&uids);
}

/* ---- expunge ---- */

static void expunge_removes_and_remembers(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(2, 3);
    struct uidset all = set_of(1, 9);
    struct store_op flags = flags_op(fixture, &uids, FLAGS_ADD, FLAG_DELETED);
    struct store_op op = {
        .kind = OP_EXPUNGE, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &all};
    struct uidset vanished = {0};
    struct store_item item;
    struct store_read *read;
    uint64_t since;
    bool complete;

    append_many(fixture, INBOX, 3);
    since = folder_now(fixture, INBOX).highest_modseq;
    must(store_run(&flags), &flags.err);
    release_flags(&flags);
    op.in.expunge.only_deleted = true;
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_first(&op.out.expunge.removed), 2);
    assert_int_equal(uidset_size(&op.out.expunge.removed), 2);
    uidset_release(&op.out.expunge.removed);
    assert_int_equal(item_now(fixture, INBOX, 2, &item), ERR_NOT_FOUND);
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    assert_int_equal(folder_now(fixture, INBOX).deleted, 0);
    read = read_begin(fixture);
    assert_int_equal(store_vanished(read, INBOX, since, &vanished, &complete, NULL), ERR_NONE);
    assert_true(complete);
    assert_int_equal(uidset_first(&vanished), 2);
    assert_int_equal(uidset_size(&vanished), 2);
    uidset_release(&vanished);
    assert_int_equal(store_vanished(read, INBOX, op.modseq, &vanished, &complete, NULL), ERR_NONE);
    assert_true(complete);
    assert_true(uidset_is_empty(&vanished));
    store_read_end(&read);
    uidset_release(&uids);
    uidset_release(&all);
}

static void old_tombstones_go_and_raise_the_floor(void **state)
{
    enum { COUNT = 4200 };
    struct fixture *fixture = *state;
    struct store_op *ops = calloc(COUNT, sizeof(*ops));
    struct uidset *uids = calloc(COUNT, sizeof(*uids));
    struct store_folder folder;
    struct uidset gone = {0};
    struct store_read *read;
    bool complete;

    append_many(fixture, INBOX, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uidset_add(&uids[i], i + 1);
        ops[i] = (struct store_op){.kind = OP_EXPUNGE,
                                   .mailbox = fixture->mailbox,
                                   .folder = INBOX,
                                   .uids = &uids[i],
                                   .done = fixture_ignore};
        store_submit(&ops[i]);
    }
    expunge(fixture, INBOX, COUNT + 1, COUNT + 1);
    make_folder(fixture, STORE_ROOT_FOLDER, "comes behind them");
    folder = folder_now(fixture, INBOX);
    assert_int_equal(folder.messages, 0);
    assert_true(folder.vanished_floor >= ops[COUNT - 4096 - 1].modseq);
    read = read_begin(fixture);
    assert_int_equal(store_vanished(read, INBOX, folder.vanished_floor, &gone, &complete, NULL),
                     ERR_NONE);
    assert_true(complete);
    assert_int_equal(uidset_size(&gone), 4096);
    assert_int_equal(store_vanished(read, INBOX, folder.vanished_floor - 1, &gone, &complete, NULL),
                     ERR_NONE);
    assert_false(complete);
    store_read_end(&read);
    uidset_release(&gone);
    for (uint32_t i = 0; i < COUNT; i++) {
        uidset_release(&uids[i]);
        uidset_release(&ops[i].out.expunge.removed);
    }
    free(uids);
    free(ops);
}

static void the_last_uid_is_not_given_again(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "x");
    expunge(fixture, INBOX, 1, 1);
    fixture_reopen(fixture);
    assert_int_equal(append_text(fixture, INBOX, "y"), 2);
}

static void an_open_content_outlives_its_item(void **state)
{
    struct fixture *fixture = *state;
    uint32_t uid = append_text(fixture, INBOX, "still here");
    struct store_content *content = content_now(fixture, INBOX, uid);
    char got[32];
    size_t count;
    struct err err;

    expunge(fixture, INBOX, uid, uid);
    must(store_content_read(content, 6, got, sizeof(got), &count, &err), &err);
    assert_int_equal(count, 4);
    assert_memory_equal(got, "here", 4);
    store_content_close(&content);
}

/* Every third message has one, which says its uid. */
static void append_with_summaries(struct fixture *fixture, uint32_t folder, uint32_t count)
{
    struct store_draft *draft = draft_of(fixture, "x", 1);

    for (uint32_t uid = 1; uid <= count; uid++) {
        struct store_op op = append_op(fixture, folder, draft);
        uint8_t summary[4];

        memcpy(summary, &uid, sizeof(summary));
        op.in.append.summary = uid % 3 == 0 ? summary : NULL;
        op.in.append.summary_length = uid % 3 == 0 ? sizeof(summary) : 0;
        must(store_run(&op), &op.err);
        assert_int_equal(op.out.append.uid, uid);
    }
    store_draft_unref(&draft);
}

static void assert_summary(struct store_read *read, uint32_t folder, uint32_t uid, uint32_t most)
{
    uint8_t bytes[STORE_SUMMARY_MAX];
    size_t length = 0;
    struct err err;
    enum err_code code = store_summary_get(read, folder, uid, bytes, &length, &err);

    if (uid == 0 || uid > most || uid % 3 != 0) {
        assert_int_equal(code, ERR_NOT_FOUND);
        return;
    }
    must(code, &err);
    assert_int_equal(length, 4);
    assert_memory_equal(bytes, &uid, 4);
}

static void summaries_are_found_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct store_read *read;
    unsigned seed = 1;

    append_with_summaries(fixture, STORE_INBOX_FOLDER, 30);
    append_with_summaries(fixture, other, 12);
    read = read_begin(fixture);
    for (uint32_t uid = 0; uid <= 31; uid++)
        assert_summary(read, STORE_INBOX_FOLDER, uid, 30);
    for (uint32_t uid = 32; uid-- > 0;)
        assert_summary(read, STORE_INBOX_FOLDER, uid, 30);
    for (unsigned n = 0; n < 500; n++) {
        bool in_other = rand_r(&seed) % 4 == 0;

        assert_summary(read, in_other ? other : STORE_INBOX_FOLDER, (uint32_t)rand_r(&seed) % 34,
                       in_other ? 12 : 30);
    }
    store_read_end(&read);
}

/* ---- replacing ---- */

static struct store_op replace_op(struct fixture *fixture, uint32_t folder, const char *text,
                                  uint32_t replaced_uid)
{
    struct store_op op = append_op(fixture, folder, draft_of(fixture, text, strlen(text)));

    op.in.append.replaced_folder = INBOX;
    op.in.append.replaced_uid = replaced_uid;
    return op;
}

static void one_item_takes_the_place_of_another(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op;
    struct store_folder folder;
    struct store_item item;
    struct uidset gone = {0};
    struct store_read *read;
    uint64_t before;
    bool complete;

    append_text(fixture, INBOX, "first");
    append_text(fixture, INBOX, "second");
    before = folder_now(fixture, INBOX).highest_modseq;
    op = replace_op(fixture, INBOX, "new", 1);
    must(store_run(&op), &op.err);
    store_draft_unref(&op.in.append.draft);
    assert_int_equal(op.out.append.uid, 3);
    assert_int_equal(item_now(fixture, INBOX, 1, &item), ERR_NOT_FOUND);
    assert_content(fixture, INBOX, 3, "new", 3);
    folder = folder_now(fixture, INBOX);
    assert_int_equal(folder.messages, 2);
    assert_int_equal(folder.bytes, 9);
    read = read_begin(fixture);
    must(store_vanished(read, INBOX, before, &gone, &complete, NULL), NULL);
    store_read_end(&read);
    assert_int_equal(uidset_first(&gone), 1);
    assert_int_equal(uidset_size(&gone), 1);
    uidset_release(&gone);
}

static void an_item_of_another_folder_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Sent");
    struct store_op op;

    append_text(fixture, INBOX, "draft");
    op = replace_op(fixture, other, "sent", 1);
    must(store_run(&op), &op.err);
    store_draft_unref(&op.in.append.draft);
    assert_int_equal(folder_now(fixture, INBOX).messages, 0);
    assert_int_equal(folder_now(fixture, INBOX).bytes, 0);
    assert_int_equal(folder_now(fixture, other).messages, 1);
    fixture_reopen(fixture);
    assert_content(fixture, other, 1, "sent", 4);
}

static void what_is_no_more_is_not_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op;

    append_text(fixture, INBOX, "first");
    op = replace_op(fixture, INBOX, "new", 2);
    assert_int_equal(store_run(&op), ERR_NOT_FOUND);
    store_draft_unref(&op.in.append.draft);
    assert_true(op.item_gone);
    op = replace_op(fixture, 999, "new", 1);
    assert_int_equal(store_run(&op), ERR_NOT_FOUND);
    store_draft_unref(&op.in.append.draft);
    assert_false(op.item_gone);
    assert_int_equal(folder_now(fixture, INBOX).messages, 1);
}

static void what_is_replaced_makes_room_in_the_quota(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op;

    append_text(fixture, INBOX, "12345");
    op = replace_op(fixture, INBOX, "1234567", 1);
    op.in.append.quota_bytes = 6;
    assert_int_equal(store_run(&op), ERR_LIMIT);
    assert_true(op.over_quota);
    store_draft_unref(&op.in.append.draft);
    assert_int_equal(folder_now(fixture, INBOX).messages, 1);
    op = replace_op(fixture, INBOX, "123456", 1);
    op.in.append.quota_bytes = 6;
    op.in.append.quota_messages = 1;
    must(store_run(&op), &op.err);
    store_draft_unref(&op.in.append.draft);
    assert_int_equal(folder_now(fixture, INBOX).bytes, 6);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(summaries_are_found_in_any_order),
        WITH_STORE(flags_are_added_removed_and_replaced),
        WITH_STORE(flags_that_do_not_change_give_no_modseq),
        WITH_STORE(items_changed_since_are_refused),
        WITH_STORE(a_large_change_goes_in_slices_and_is_whole),
        WITH_STORE(a_folder_has_at_most_128_keywords),
        WITH_STORE(only_what_changed_since_is_scanned),
        WITH_STORE(expunge_removes_and_remembers),
        WITH_STORE(old_tombstones_go_and_raise_the_floor),
        WITH_STORE(the_last_uid_is_not_given_again),
        WITH_STORE(an_open_content_outlives_its_item),
        WITH_STORE(one_item_takes_the_place_of_another),
        WITH_STORE(an_item_of_another_folder_is_replaced),
        WITH_STORE(what_is_no_more_is_not_replaced),
        WITH_STORE(what_is_replaced_makes_room_in_the_quota),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
