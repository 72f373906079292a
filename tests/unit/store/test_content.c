#include <fcntl.h>

#include "tests/unit/store/fixture.h"

#include "common/random.h"

#define INBOX STORE_INBOX_FOLDER
#define LARGE ((5u << 20) + 12345)

/* Half of it compresses, half does not. */
static uint8_t *large_message(size_t length)
{
    uint8_t *bytes = malloc(length);

    random_bytes(bytes, length);
    for (size_t at = 0; at + (512u << 10) <= length; at += 1u << 20)
        memset(bytes + at, 'a' + (int)(at >> 20), 512u << 10);
    return bytes;
}

static struct store_draft *draft_in_parts(struct fixture *fixture, const uint8_t *bytes,
                                          size_t length, size_t part)
{
    struct store_draft *draft;
    struct err err;

    must(store_draft_create(fixture->store, 0, 0, &draft, &err), &err);
    for (size_t at = 0; at < length; at += part)
        must(store_draft_append(draft, bytes + at, at + part < length ? part : length - at, &err),
             &err);
    must(store_draft_finish(draft, &err), &err);
    assert_int_equal(store_draft_size(draft), length);
    return draft;
}

static void a_large_message_comes_back(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = large_message(LARGE);
    struct store_draft *draft = draft_in_parts(fixture, bytes, LARGE, 70001);
    struct store_op op = append_op(fixture, INBOX, draft);
    struct store_status status;

    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    fixture_reopen(fixture);
    assert_content(fixture, INBOX, 1, bytes, LARGE);
    store_status(fixture->store, &status);
    assert_true(status.content_bytes < LARGE * 3 / 4);
    assert_true(status.content_bytes > LARGE / 3);
    free(bytes);
}

static void any_part_of_a_large_message_can_be_read(void **state)
{
    struct fixture *fixture = *state;
    static const size_t places[] = {0, 1, 262143, 262144, 262145, 1048576, LARGE - 2, LARGE - 1};
    uint8_t *bytes = large_message(LARGE);
    struct store_content *content;
    uint8_t got[5000];
    size_t count;
    struct err err;

    append_bytes(fixture, INBOX, bytes, LARGE);
    content = content_now(fixture, INBOX, 1);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t want = LARGE - places[i] < sizeof(got) ? LARGE - places[i] : sizeof(got);

        must(store_content_read(content, places[i], got, sizeof(got), &count, &err), &err);
        assert_int_equal(count, want);
        assert_memory_equal(got, bytes + places[i], want);
    }
    must(store_content_read(content, LARGE, got, sizeof(got), &count, &err), &err);
    assert_int_equal(count, 0);
    must(store_content_read(content, UINT64_MAX, got, sizeof(got), &count, &err), &err);
    assert_int_equal(count, 0);
    assert_true(store_content_warm(content, 0)); /* it has just been written */
    store_content_close(&content);
    free(bytes);
}

static void a_message_over_the_limit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft;
    struct err err;

    fixture_close(fixture);
    fixture->settings.message_size_limit = 10;
    fixture_open(fixture);
    assert_int_equal(store_draft_create(fixture->store, 0, 11, &draft, &err), ERR_LIMIT);
    must(store_draft_create(fixture->store, 0, 0, &draft, &err), &err);
    must(store_draft_append(draft, "0123456789", 10, &err), &err);
    assert_int_equal(store_draft_append(draft, "x", 1, &err), ERR_LIMIT);
    store_draft_unref(&draft);
}

static void the_content_budget_bounds_memory_and_is_given_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *first, *second;
    uint8_t bytes[60000];
    struct err err;

    random_bytes(bytes, sizeof(bytes));
    fixture_close(fixture);
    fixture->settings.content_budget = 100000;
    fixture_open(fixture);
    first = draft_of(fixture, bytes, sizeof(bytes));
    assert_int_equal(store_draft_create(fixture->store, 0, 60000, &second, &err), ERR_LIMIT);
    must(store_draft_create(fixture->store, 0, 0, &second, &err), &err);
    assert_int_equal(store_draft_append(second, bytes, sizeof(bytes), &err), ERR_LIMIT);
    store_draft_unref(&second);
    store_draft_unref(&first);
    second = draft_of(fixture, bytes, sizeof(bytes));
    store_draft_unref(&second);
}

static void a_draft_that_no_item_took_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = large_message(LARGE);
    struct store_draft *draft = draft_in_parts(fixture, bytes, LARGE, 1u << 20);
    struct store_status status;

    store_draft_unref(&draft);
    append_text(fixture, INBOX, "x");
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 64);
    free(bytes);
}

static void recipients_share_one_content(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "to all", 6);
    struct store_op ops[3];
    struct store_op *list[] = {&ops[0], &ops[1], &ops[2]};
    struct store_op last;
    struct store_mailbox *mailboxes[2];
    struct store_status status;

    for (unsigned i = 0; i < 2; i++) {
        struct store_guid guid = guid_of(10 + i);

        assert_int_equal(store_mailbox_open(fixture->store, &guid, true, &mailboxes[i], NULL, NULL),
                         ERR_NONE);
        ops[i] = append_op(fixture, INBOX, draft);
        ops[i].mailbox = mailboxes[i];
        ops[i].done = fixture_ignore;
    }
    ops[2] = append_op(fixture, INBOX, draft);
    ops[2].done = fixture_ignore;
    store_submit_all(list, 3, true);
    last = append_op(fixture, INBOX, draft); /* in a later batch */
    must(store_run(&last), &last.err);
    for (int i = 0; i < 3; i++)
        must(ops[i].err.code, &ops[i].err);
    store_status(fixture->store, &status);
    assert_int_equal(status.items, 4);
    assert_int_equal(status.content_bytes, 64);
    expunge(fixture, INBOX, 1, 2);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 64);
    for (unsigned i = 0; i < 2; i++)
        store_mailbox_unref(&mailboxes[i]);
    store_draft_unref(&draft);
}

static void a_draft_can_be_taken_after_its_first_item_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "again", 5);
    struct store_op op = append_op(fixture, INBOX, draft);

    must(store_run(&op), &op.err);
    expunge(fixture, INBOX, 1, 1);
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    assert_content(fixture, INBOX, 2, "again", 5);
}

static void all_or_none_is_atomic(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "part", 4);
    struct store_op ops[3];
    struct store_op *list[] = {&ops[0], &ops[1], &ops[2]};
    struct store_folder before = folder_now(fixture, INBOX);
    struct store_folder after;

    for (int i = 0; i < 3; i++) {
        ops[i] = append_op(fixture, INBOX, draft);
        ops[i].done = fixture_ignore;
    }
    ops[2].in.append.quota_messages = 2; /* itself would be the third */
    store_submit_all(list, 3, true);
    make_folder(fixture, STORE_ROOT_FOLDER, "A"); /* comes behind them */
    for (int i = 0; i < 3; i++)
        assert_int_equal(ops[i].err.code, ERR_LIMIT);
    after = folder_now(fixture, INBOX);
    assert_int_equal(after.uid_next, before.uid_next);
    assert_int_equal(after.messages, 0);
    assert_int_equal(after.highest_modseq, before.highest_modseq);
    store_submit_all(list, 3, false); /* each for itself */
    make_folder(fixture, STORE_ROOT_FOLDER, "B");
    assert_int_equal(ops[0].err.code, ERR_NONE);
    assert_int_equal(ops[2].err.code, ERR_LIMIT);
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    store_draft_unref(&draft);
}

static void damaged_content_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    struct store_content *content;
    char path[128];
    char got[16];
    size_t count;
    struct err err;
    int fd;

    append_text(fixture, INBOX, "pristine");
    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->folder);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (off_t at = 4096; at < 16384; at++) {
        char bytes[8];

        assert_int_equal(pread(fd, bytes, 8, at), 8);
        if (memcmp(bytes, "pristine", 8) == 0) {
            assert_int_equal(pwrite(fd, "P", 1, at), 1);
            break;
        }
    }
    close(fd);
    content = content_now(fixture, INBOX, 1);
    assert_int_equal(store_content_read(content, 0, got, sizeof(got), &count, &err), ERR_CORRUPT);
    store_content_close(&content);
}

/* Appends about 20 MB that do not compress. */
static void fill(struct fixture *fixture)
{
    size_t length = 4u << 20;
    uint8_t *bytes = malloc(length);

    for (int i = 0; i < 5; i++) {
        random_bytes(bytes, length);
        append_bytes(fixture, INBOX, bytes, length);
    }
    free(bytes);
}

static void dead_segments_are_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_status first, later;

    fill(fixture);
    expunge(fixture, INBOX, 1, 1000);
    for (int i = 0; i < 6; i++) {
        fill(fixture);
        expunge(fixture, INBOX, 1, 1000);
        if (i == 2)
            store_status(fixture->store, &first);
    }
    store_status(fixture->store, &later);
    assert_int_equal(later.content_bytes, 0);
    assert_true(later.segment_bytes <= first.segment_bytes + (64u << 20));
    append_text(fixture, INBOX, "after all");
    fixture_reopen(fixture);
    assert_content(fixture, INBOX, folder_now(fixture, INBOX).uid_next - 1, "after all", 9);
}

static void an_open_content_keeps_its_segment(void **state)
{
    struct fixture *fixture = *state;
    uint32_t uid = append_text(fixture, INBOX, "kept");
    struct store_content *content = content_now(fixture, INBOX, uid);
    char got[8];
    size_t count;
    struct err err;

    for (int i = 0; i < 4; i++) {
        expunge(fixture, INBOX, 1, 1000);
        fill(fixture);
    }
    must(store_content_read(content, 0, got, sizeof(got), &count, &err), &err);
    assert_memory_equal(got, "kept", 4);
    store_content_close(&content);
}

static void expunged_content_stays_for_the_recovery_time_only(void **state)
{
    struct fixture *fixture = *state;
    struct store_status status;

    fixture_close(fixture);
    fixture->settings.recovery_seconds = 3;
    fixture_open(fixture);
    append_text(fixture, INBOX, "recoverable");
    expunge(fixture, INBOX, 1, 1);
    store_status(fixture->store, &status);
    assert_int_equal(status.items, 0);
    assert_int_equal(status.content_bytes, 64);
    for (int i = 0; i < 3000 && status.content_bytes != 0; i++) {
        usleep(10000);
        store_status(fixture->store, &status);
    }
    assert_int_equal(status.content_bytes, 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_large_message_comes_back),
        WITH_STORE(any_part_of_a_large_message_can_be_read),
        WITH_STORE(a_message_over_the_limit_is_refused),
        WITH_STORE(the_content_budget_bounds_memory_and_is_given_back),
        WITH_STORE(a_draft_that_no_item_took_leaves_no_trace),
        WITH_STORE(recipients_share_one_content),
        WITH_STORE(a_draft_can_be_taken_after_its_first_item_is_gone),
        WITH_STORE(all_or_none_is_atomic),
        WITH_STORE(damaged_content_is_noticed),
        WITH_STORE(dead_segments_are_used_again),
        WITH_STORE(an_open_content_keeps_its_segment),
        WITH_STORE(expunged_content_stays_for_the_recovery_time_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
