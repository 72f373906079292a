/* Expunged items, brought back or ended. */
#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER

static int setup(void **state)
{
    struct fixture *fixture = fixture_make();

    fixture->settings.recovery_seconds = 3600;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

/* The recoverable items of the mailbox. */
static size_t entries(struct fixture *fixture, struct store_recoverable *list, size_t room)
{
    struct store_read *read = read_begin(fixture);
    struct store_recoverable entry = {0};
    size_t count = 0;

    while (store_recoverable_next(read, &entry, NULL) == ERR_NONE) {
        assert_true(count < room);
        list[count++] = entry;
    }
    store_read_end(&read);
    return count;
}

static size_t act(struct fixture *fixture, enum store_op_kind kind, uint32_t folder,
                  const struct store_recoverable *entry)
{
    struct store_op op = {.kind = kind, .mailbox = fixture->mailbox, .folder = folder};

    op.in.recover.ids = &entry->id;
    op.in.recover.count = 1;
    must(store_run(&op), &op.err);
    return op.out.recover.count;
}

static void an_expunged_item_is_told_and_comes_back_with_a_new_uid(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry;
    struct store_folder folder;
    struct store_item before, after;

    append_text(fixture, INBOX, "first");
    append_text(fixture, INBOX, "second");
    assert_int_equal(item_now(fixture, INBOX, 1, &before), ERR_NONE);
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(entries(fixture, &entry, 1), 1);
    assert_int_equal(entry.folder, INBOX);
    assert_string_equal(entry.name, "INBOX");
    assert_int_equal(entry.id.expiry, entry.removed + 3600);
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 1);
    assert_int_equal(entries(fixture, &entry, 1), 0);
    assert_int_equal(item_now(fixture, INBOX, 3, &after), ERR_NONE);
    assert_int_equal(after.email_id, before.email_id);
    assert_int_equal(after.item_id, before.item_id);
    assert_true(after.modseq > before.modseq);
    assert_content(fixture, INBOX, 3, "first", 5);
    folder = folder_now(fixture, INBOX);
    assert_int_equal(folder.messages, 2);
    assert_int_equal(folder.uid_next, 4);
    assert_int_equal(folder.bytes, 11);
    fixture_reopen(fixture);
    assert_content(fixture, INBOX, 3, "first", 5);
}

static void a_recovered_item_is_not_marked_deleted_any_more(void **state)
{
    struct fixture *fixture = *state;
    struct uidset uids = set_of(1, 1);
    struct store_op flag = {
        .kind = OP_FLAGS, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &uids};
    struct store_recoverable entry;
    struct store_item item;

    append_text(fixture, INBOX, "text");
    flag.in.flags.system = FLAG_DELETED | FLAG_SEEN;
    flag.in.flags.unchanged_since = UINT64_MAX;
    must(store_run(&flag), &flag.err);
    uidset_release(&flag.out.flags.changed);
    uidset_release(&uids);
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(entries(fixture, &entry, 1), 1);
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 1);
    assert_int_equal(item_now(fixture, INBOX, 2, &item), ERR_NONE);
    assert_int_equal(item.flags.system, FLAG_SEEN);
    assert_int_equal(folder_now(fixture, INBOX).deleted, 0);
}

static void what_was_in_a_deleted_folder_comes_back_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    uint32_t folder = make_folder(fixture, STORE_ROOT_FOLDER, "Gone");
    struct store_op remove = {
        .kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox, .folder = folder};
    struct store_recoverable entry;

    append_text(fixture, folder, "kept");
    must(store_run(&remove), &remove.err);
    while (entries(fixture, &entry, 1) == 0) /* its items follow in slices */
        usleep(1000);
    assert_string_equal(entry.name, "Gone");
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 1);
    assert_content(fixture, INBOX, 1, "kept", 4);
}

static void append_with_keywords(struct fixture *fixture, uint32_t folder, const char *const *names,
                                 unsigned count)
{
    struct store_draft *draft = draft_of(fixture, "text", 4);
    struct store_op op = append_op(fixture, folder, draft);

    op.in.append.keywords = (struct store_keyword_names){names, count};
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
}

static void recover_all(struct fixture *fixture, uint32_t folder)
{
    struct store_recoverable list[4];
    size_t count = entries(fixture, list, 4);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(act(fixture, OP_RECOVER, folder, &list[i]), 1);
}

static void assert_keywords(struct fixture *fixture, uint32_t folder, uint32_t uid,
                            const char *wanted)
{
    static char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    struct store_read *read = read_begin(fixture);
    struct store_item item;
    char got[200] = "";
    unsigned count;

    assert_int_equal(store_keyword_list(read, folder, names, &count, NULL), ERR_NONE);
    store_read_end(&read);
    assert_int_equal(item_now(fixture, folder, uid, &item), ERR_NONE);
    for (unsigned bit = 0; bit < count; bit++)
        if ((item.flags.keywords[bit / 64] >> bit % 64 & 1) != 0)
            sprintf(got + strlen(got), "%s ", names[bit]);
    assert_string_equal(got, wanted);
}

static void keywords_come_back_by_name_as_long_as_their_folder_is_there(void **state)
{
    static const char *const first[] = {"Work", "$Junk"};
    static const char *const second[] = {"later", "$Junk"};
    struct fixture *fixture = *state;
    uint32_t folder = make_folder(fixture, STORE_ROOT_FOLDER, "Gone");
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct store_op remove = {
        .kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox, .folder = folder};

    append_with_keywords(fixture, other, second, 2);
    append_with_keywords(fixture, folder, first, 2);
    expunge(fixture, folder, 1, 1);
    recover_all(fixture, other);
    assert_keywords(fixture, other, 2, "$Junk Work ");
    expunge(fixture, other, 2, 2);
    recover_all(fixture, other);
    assert_keywords(fixture, other, 3, "$Junk Work ");
    append_with_keywords(fixture, folder, first, 2);
    expunge(fixture, folder, 2, 2);
    must(store_run(&remove), &remove.err);
    recover_all(fixture, other);
    assert_keywords(fixture, other, 4, "");
}

static void a_keyword_without_room_is_left_out_of_what_comes_back(void **state)
{
    static char room[STORE_KEYWORDS_MAX - 1][8];
    static const char *names[STORE_KEYWORDS_MAX - 1];
    static const char *const two[] = {"Work", "later"};
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");

    for (unsigned i = 0; i < STORE_KEYWORDS_MAX - 1; i++) {
        sprintf(room[i], "K%u", i);
        names[i] = room[i];
    }
    append_with_keywords(fixture, other, names, STORE_KEYWORDS_MAX - 1);
    append_with_keywords(fixture, INBOX, two, 2);
    expunge(fixture, INBOX, 1, 1);
    recover_all(fixture, other);
    assert_keywords(fixture, other, 2, "Work ");
}

static void recovering_twice_brings_one_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry;

    append_text(fixture, INBOX, "once");
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(entries(fixture, &entry, 1), 1);
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 1);
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 0);
    assert_int_equal(act(fixture, OP_PURGE, INBOX, &entry), 0);
    assert_int_equal(folder_now(fixture, INBOX).messages, 1);
}

static void purge_gives_the_content_up(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry;
    struct store_status status;

    append_text(fixture, INBOX, "away");
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(entries(fixture, &entry, 1), 1);
    assert_int_equal(act(fixture, OP_PURGE, INBOX, &entry), 1);
    assert_int_equal(entries(fixture, &entry, 1), 0);
    assert_int_equal(act(fixture, OP_RECOVER, INBOX, &entry), 0);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 0);
}

static void the_root_takes_nothing_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op = {
        .kind = OP_RECOVER, .mailbox = fixture->mailbox, .folder = STORE_ROOT_FOLDER};

    assert_int_equal(store_run(&op), ERR_DENIED);
    op.folder = 4711;
    assert_int_equal(store_run(&op), ERR_NOT_FOUND);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(an_expunged_item_is_told_and_comes_back_with_a_new_uid),
        WITH_STORE(a_recovered_item_is_not_marked_deleted_any_more),
        WITH_STORE(what_was_in_a_deleted_folder_comes_back_elsewhere),
        WITH_STORE(keywords_come_back_by_name_as_long_as_their_folder_is_there),
        WITH_STORE(a_keyword_without_room_is_left_out_of_what_comes_back),
        WITH_STORE(recovering_twice_brings_one_back),
        WITH_STORE(purge_gives_the_content_up),
        WITH_STORE(the_root_takes_nothing_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
