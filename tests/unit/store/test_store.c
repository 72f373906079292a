#include "tests/unit/store/fixture.h"

#include "common/err.h"

static void a_message_comes_back_octet_for_octet(void **state)
{
    static const uint8_t bytes[] = "Subject: x\r\n\r\nNUL \0, bare \r and \n, 8 bit \xFF.";
    struct fixture *fixture = *state;
    uint32_t uid = append_bytes(fixture, STORE_INBOX_FOLDER, bytes, sizeof(bytes));

    assert_int_equal(uid, 1);
    assert_content(fixture, STORE_INBOX_FOLDER, uid, bytes, sizeof(bytes));
    fixture_reopen(fixture);
    assert_content(fixture, STORE_INBOX_FOLDER, uid, bytes, sizeof(bytes));
}

static void an_empty_message_is_a_message(void **state)
{
    struct fixture *fixture = *state;
    uint32_t uid = append_bytes(fixture, STORE_INBOX_FOLDER, "", 0);

    assert_content(fixture, STORE_INBOX_FOLDER, uid, "", 0);
}

static void an_item_keeps_what_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    const char *names[] = {"$Work", "later"};
    struct store_draft *draft = draft_of(fixture, "Subject: x\r\n\r\nbody", 18);
    struct store_op op = append_op(fixture, STORE_INBOX_FOLDER, draft);
    struct store_item item;

    op.in.append.flags.system = FLAG_SEEN | FLAG_FLAGGED;
    op.in.append.keywords = (struct store_keyword_names){names, 2};
    op.in.append.internal_date = -5;
    op.in.append.zone = -570;
    op.in.append.header_size = 14;
    op.in.append.email_id = UINT64_C(0xFEDCBA9876543210);
    op.in.append.thread_id = 99;
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    fixture_reopen(fixture);
    assert_int_equal(item_now(fixture, STORE_INBOX_FOLDER, op.out.append.uid, &item), ERR_NONE);
    assert_int_equal(item.flags.system, FLAG_SEEN | FLAG_FLAGGED);
    assert_int_equal(item.flags.keywords[0], 3);
    assert_int_equal(item.internal_date, -5);
    assert_int_equal(item.zone, -570);
    assert_int_equal(item.size, 18);
    assert_int_equal(item.header_size, 14);
    assert_true(item.email_id == UINT64_C(0xFEDCBA9876543210));
    assert_int_equal(item.thread_id, 99);
    assert_int_equal(item.item_id, op.out.append.item_id);
    assert_int_equal(item.modseq, op.modseq);
    assert_int_equal(item.kind, KIND_MAIL);
}

static void counts_follow_the_items(void **state)
{
    struct fixture *fixture = *state;
    struct store_folder folder = folder_now(fixture, STORE_INBOX_FOLDER);
    struct store_usage usage;
    struct store_read *read;

    assert_int_equal(folder.messages, 0);
    assert_int_equal(folder.uid_next, 1);
    append_text(fixture, STORE_INBOX_FOLDER, "12345");
    append_text(fixture, STORE_INBOX_FOLDER, "123");
    folder = folder_now(fixture, STORE_INBOX_FOLDER);
    assert_int_equal(folder.messages, 2);
    assert_int_equal(folder.unseen, 2);
    assert_int_equal(folder.uid_next, 3);
    assert_int_equal(folder.bytes, 8);
    assert_string_equal(folder.name, "INBOX");
    assert_int_equal(folder.use, USE_INBOX);
    read = read_begin(fixture);
    assert_int_equal(store_usage(read, &usage, NULL), ERR_NONE);
    assert_int_equal(usage.bytes, 8);
    assert_int_equal(usage.messages, 2);
    assert_int_equal(store_read_modseq(read), folder.highest_modseq);
    store_read_end(&read);
}

static void a_snapshot_does_not_see_what_comes_later(void **state)
{
    struct fixture *fixture = *state;
    struct store_read *read = read_begin(fixture);
    struct store_folder folder;

    append_text(fixture, STORE_INBOX_FOLDER, "later");
    assert_int_equal(store_folder_get(read, STORE_INBOX_FOLDER, &folder, NULL), ERR_NONE);
    assert_int_equal(folder.messages, 0);
    store_read_end(&read);
    assert_int_equal(folder_now(fixture, STORE_INBOX_FOLDER).messages, 1);
}

static void a_scan_goes_on_where_it_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct store_item items[10];
    struct store_read *read;
    struct uidset uids = {0};
    size_t count;
    uint32_t first = 1;
    uint32_t seen = 0;

    append_many(fixture, STORE_INBOX_FOLDER, 24);
    read = read_begin(fixture);
    do {
        assert_int_equal(store_item_scan(read, STORE_INBOX_FOLDER, first, UINT32_MAX, 0, items, 10,
                                         &count, NULL),
                         ERR_NONE);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(items[i].uid, ++seen);
        first = seen + 1;
    } while (count == 10);
    assert_int_equal(seen, 25);
    assert_int_equal(store_uids(read, STORE_INBOX_FOLDER, 3, &uids, NULL), ERR_NONE);
    assert_int_equal(uids.count, 1);
    assert_int_equal(uidset_first(&uids), 3);
    assert_int_equal(uidset_size(&uids), 23);
    uidset_release(&uids);
    store_read_end(&read);
}

static void a_second_process_is_told_who_holds_the_folder(void **state)
{
    struct fixture *fixture = *state;
    struct store *other;
    struct err err;
    char pid[32];

    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    assert_int_equal(store_open(&other, &fixture->settings, &err), ERR_EXISTS);
    assert_null(other);
    assert_non_null(strstr(err.text, pid));
}

static void a_mailbox_is_found_again_and_not_made_twice(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(2);
    struct store_mailbox *mailbox;
    struct store_mailbox *same;
    bool created;
    struct err err;

    assert_int_equal(store_mailbox_open(fixture->store, &guid, false, &mailbox, NULL, &err),
                     ERR_NOT_FOUND);
    must(store_mailbox_open(fixture->store, &guid, true, &mailbox, &created, &err), &err);
    assert_true(created);
    must(store_mailbox_open(fixture->store, &guid, true, &same, &created, &err), &err);
    assert_false(created);
    assert_ptr_equal(mailbox, same);
    assert_memory_equal(store_mailbox_guid(mailbox), &guid, sizeof(guid));
    store_mailbox_unref(&same);
    store_mailbox_unref(&mailbox);
    fixture_reopen(fixture);
    must(store_mailbox_open(fixture->store, &guid, false, &mailbox, &created, &err), &err);
    assert_false(created);
    store_mailbox_unref(&mailbox);
}

static void mailboxes_spread_over_the_databases(void **state)
{
    struct fixture *fixture = *state;
    unsigned counts[3] = {0};
    struct store_status status;
    struct err err;

    fixture_close(fixture);
    fixture->settings.databases = 3; /* two more than before */
    fixture_open(fixture);
    for (unsigned i = 2; i <= 9; i++) {
        struct store_guid guid = guid_of(i);
        struct store_mailbox *mailbox;

        must(store_mailbox_open(fixture->store, &guid, true, &mailbox, NULL, &err), &err);
        counts[store_mailbox_database(mailbox)]++;
        store_mailbox_unref(&mailbox);
    }
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 3);
    assert_int_equal(counts[2], 3);
    store_status(fixture->store, &status);
    assert_int_equal(status.databases, 3);
    assert_int_equal(status.mailboxes, 9);
}

static void a_lost_index_is_not_replaced_by_an_empty_one(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    struct err err;

    append_text(fixture, STORE_INBOX_FOLDER, "precious");
    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/db1/index.mdb", fixture->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_open(&fixture->store, &fixture->settings, &err), ERR_CORRUPT);
}

static void status_counts(void **state)
{
    struct fixture *fixture = *state;
    struct store_status status;

    append_text(fixture, STORE_INBOX_FOLDER, "one");
    append_text(fixture, STORE_INBOX_FOLDER, "two");
    store_status(fixture->store, &status);
    assert_int_equal(status.mailboxes, 1);
    assert_int_equal(status.items, 2);
    assert_int_equal(status.content_bytes, 2 * 64);
    assert_true(status.segment_bytes >= 16u << 20);
    assert_true(status.index_bytes > 0);
    assert_true(status.operations >= 3);
    assert_true(status.commits >= 3);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_message_comes_back_octet_for_octet),
        WITH_STORE(an_empty_message_is_a_message),
        WITH_STORE(an_item_keeps_what_it_was_given),
        WITH_STORE(counts_follow_the_items),
        WITH_STORE(a_snapshot_does_not_see_what_comes_later),
        WITH_STORE(a_scan_goes_on_where_it_stopped),
        WITH_STORE(a_second_process_is_told_who_holds_the_folder),
        WITH_STORE(a_mailbox_is_found_again_and_not_made_twice),
        WITH_STORE(mailboxes_spread_over_the_databases),
        WITH_STORE(a_lost_index_is_not_replaced_by_an_empty_one),
        WITH_STORE(status_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
