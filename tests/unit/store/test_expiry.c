/* Which expunged items go for good, and when. */
#include <stdatomic.h>

#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER

/* What the store is told of mailboxes 1 and 2. */
static struct {
    atomic_bool known;
    atomic_uint_fast64_t seconds, quota;
} own[2];

static bool recovery_of(void *context, const struct store_guid *guid,
                        struct store_recovery *recovery)
{
    const struct store_guid first = guid_of(1);
    unsigned which = memcmp(guid, &first, sizeof(first)) != 0;

    (void)context;
    recovery->seconds = atomic_load(&own[which].seconds);
    recovery->quota = atomic_load(&own[which].quota);
    return atomic_load(&own[which].known);
}

static void set_own(unsigned which, bool known, uint64_t seconds, uint64_t quota)
{
    atomic_store(&own[which].known, known);
    atomic_store(&own[which].seconds, seconds);
    atomic_store(&own[which].quota, quota);
}

static int setup(void **state)
{
    struct fixture *fixture = fixture_make();

    for (unsigned i = 0; i < 2; i++)
        set_own(i, true, 100000, 0);
    fixture->settings.recovery_seconds = 100000;
    fixture->settings.recovery_of = recovery_of;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static struct store_usage recoverable(struct store_mailbox *mailbox)
{
    struct store_usage usage;
    struct store_read *read;
    struct err err;

    must(store_read_begin(mailbox, &read, &err), &err);
    must(store_recoverable_usage(read, &usage, &err), &err);
    store_read_end(&read);
    return usage;
}

/* Waits for a round that leaves so many. */
static void wait_for(struct store_mailbox *mailbox, uint64_t messages)
{
    for (int i = 0; i < 6000 && recoverable(mailbox).messages != messages; i++)
        usleep(10000);
    assert_int_equal(recoverable(mailbox).messages, messages);
}

static void what_is_above_the_quota_goes_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry = {0};
    struct store_item item;
    struct store_read *read;

    append_text(fixture, INBOX, "0123456789");
    append_text(fixture, INBOX, "0123456789");
    append_text(fixture, INBOX, "0123456789");
    assert_int_equal(item_now(fixture, INBOX, 3, &item), ERR_NONE);
    expunge(fixture, INBOX, 1, 3);
    assert_int_equal(recoverable(fixture->mailbox).bytes, 30);
    set_own(0, true, 100000, 19);
    store_recovery_changed(fixture->store);
    wait_for(fixture->mailbox, 1);
    assert_int_equal(recoverable(fixture->mailbox).bytes, 10);
    read = read_begin(fixture);
    assert_int_equal(store_recoverable_next(read, &entry, NULL), ERR_NONE);
    assert_int_equal(entry.id.item_id, item.item_id); /* the last that came */
    store_read_end(&read);
}

static void a_mailbox_of_its_own_time_keeps_nothing_when_that_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct store_status status;

    set_own(0, true, 0, 0);
    append_text(fixture, INBOX, "gone at once");
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(recoverable(fixture->mailbox).messages, 0);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 0);
}

static void a_longer_time_is_given_to_what_is_deleted_from_then_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry = {0};
    struct store_read *read;

    set_own(0, true, 200000, 0);
    append_text(fixture, INBOX, "kept for long");
    expunge(fixture, INBOX, 1, 1);
    read = read_begin(fixture);
    assert_int_equal(store_recoverable_next(read, &entry, NULL), ERR_NONE);
    assert_int_equal(entry.id.expiry, entry.removed + 200000);
    store_read_end(&read);
}

/* The second mailbox comes behind the first in a round: when its items have gone, the first one's
   would have gone too. */
static void a_shorter_time_ends_what_was_there_unless_it_is_not_known(void **state)
{
    struct fixture *fixture = *state;
    struct store_mailbox *first = fixture->mailbox;
    struct store_guid guid = guid_of(2);
    struct err err;

    append_text(fixture, INBOX, "first");
    expunge(fixture, INBOX, 1, 1);
    must(store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, &err), &err);
    append_text(fixture, INBOX, "second");
    expunge(fixture, INBOX, 1, 1);
    assert_int_equal(recoverable(fixture->mailbox).messages, 1);
    set_own(0, false, 0, 0);
    set_own(1, true, 0, 0);
    store_recovery_changed(fixture->store);
    wait_for(fixture->mailbox, 0);
    assert_int_equal(recoverable(first).messages, 1);
    store_mailbox_unref(&fixture->mailbox);
    fixture->mailbox = first;
    set_own(0, true, 0, 0);
    store_recovery_changed(fixture->store);
    wait_for(first, 0);
}

static void a_round_over_more_than_a_slice_ends_all_of_it(void **state)
{
    struct fixture *fixture = *state;

    append_many(fixture, INBOX, 2500);
    expunge(fixture, INBOX, 1, 2501);
    assert_int_equal(recoverable(fixture->mailbox).messages, 2501);
    set_own(0, true, 100000, 4 * 400);
    store_recovery_changed(fixture->store);
    wait_for(fixture->mailbox, 400);
    set_own(0, true, 0, 0);
    store_recovery_changed(fixture->store);
    wait_for(fixture->mailbox, 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(what_is_above_the_quota_goes_oldest_first),
        WITH_STORE(a_mailbox_of_its_own_time_keeps_nothing_when_that_is_none),
        WITH_STORE(a_longer_time_is_given_to_what_is_deleted_from_then_on),
        WITH_STORE(a_shorter_time_ends_what_was_there_unless_it_is_not_known),
        WITH_STORE(a_round_over_more_than_a_slice_ends_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
