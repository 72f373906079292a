#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER
#define MANY 300
#define ITEMS_MOST 5000

/* What the maps must say, told by the items themselves. */
static void assert_maps(struct fixture *fixture)
{
    struct store_read *read = read_begin(fixture);
    struct store_item *items = calloc(ITEMS_MOST, sizeof(*items));
    struct uidset uids = {0};
    struct uidset unseen = {0};
    uint32_t first_unseen = 0;
    size_t count;
    size_t unseen_count = 0;
    struct err err;

    must(store_item_scan(read, INBOX, 1, UINT32_MAX, 0, items, ITEMS_MOST, &count, &err), &err);
    must(store_uids(read, INBOX, 1, &uids, &err), &err);
    must(store_unseen(read, INBOX, &unseen, &err), &err);
    for (size_t i = 0; i < count; i++) {
        bool is_unseen = (items[i].flags.system & FLAG_SEEN) == 0;

        assert_true(uidset_has(&uids, items[i].uid));
        assert_int_equal(uidset_has(&unseen, items[i].uid), is_unseen);
        unseen_count += is_unseen;
    }
    assert_int_equal(uidset_size(&uids), count);
    assert_int_equal(uidset_size(&unseen), unseen_count);
    must(store_first_unseen(read, INBOX, &first_unseen, &err), &err);
    assert_int_equal(first_unseen, uidset_first(&unseen));
    store_read_end(&read);
    uidset_release(&uids);
    uidset_release(&unseen);
    free(items);
}

static void set_seen(struct fixture *fixture, uint32_t first, uint32_t last, bool seen)
{
    struct uidset uids = set_of(first, last);
    struct store_op op = {
        .kind = OP_FLAGS, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &uids};

    op.in.flags.mode = seen ? FLAGS_ADD : FLAGS_REMOVE;
    op.in.flags.system = FLAG_SEEN;
    op.in.flags.unchanged_since = UINT64_MAX;
    must(store_run(&op), &op.err);
    uidset_release(&op.out.flags.changed);
    uidset_release(&op.out.flags.refused);
    uidset_release(&uids);
}

static void maps_follow_what_changes(void **state)
{
    struct fixture *fixture = *state;

    srand(11);
    append_many(fixture, INBOX, MANY);
    assert_maps(fixture);
    for (unsigned round = 0; round < 120; round++) {
        uint32_t first = 1 + (uint32_t)rand() % (MANY + round);
        uint32_t last = first + (uint32_t)rand() % 5;

        if (round % 4 == 0)
            append_text(fixture, INBOX, "one more");
        else if (round % 4 == 1)
            expunge(fixture, INBOX, first, last);
        else
            set_seen(fixture, first, last, round % 4 == 2);
        if (round % 3 == 0)
            assert_maps(fixture);
    }
    assert_maps(fixture);
}

static void an_older_snapshot_keeps_its_own_uids(void **state)
{
    struct fixture *fixture = *state;
    struct store_read *old;
    struct uidset uids = {0};
    struct err err;

    append_many(fixture, INBOX, MANY);
    old = read_begin(fixture);
    expunge(fixture, INBOX, 10, 20);
    assert_maps(fixture);
    must(store_uids(old, INBOX, 1, &uids, &err), &err);
    assert_int_equal(uidset_size(&uids), MANY + 1);
    store_read_end(&old);
    uidset_release(&uids);
    assert_maps(fixture);
}

static void a_map_is_kept_after_the_first_reading(void **state)
{
    struct fixture *fixture = *state;
    struct store_read *read;

    append_many(fixture, INBOX, MANY);
    read = read_begin(fixture);
    assert_false(store_uids_are_kept(read, INBOX));
    store_read_end(&read);
    assert_maps(fixture);
    read = read_begin(fixture);
    assert_true(store_uids_are_kept(read, INBOX));
    store_read_end(&read);
}

/* Each of them alone, so that each leaves a row of its own behind. */
static void expunge_one_by_one(struct fixture *fixture, uint32_t first, uint32_t count)
{
    struct store_op *ops = calloc(count, sizeof(*ops));
    struct store_op **list = calloc(count, sizeof(*list));
    struct uidset *uids = calloc(count, sizeof(*uids));

    for (uint32_t i = 0; i < count; i++) {
        uidset_add(&uids[i], first + i);
        ops[i] = (struct store_op){.kind = OP_EXPUNGE,
                                   .mailbox = fixture->mailbox,
                                   .folder = INBOX,
                                   .uids = &uids[i],
                                   .done = fixture_ignore};
        list[i] = &ops[i];
    }
    store_submit_all(list, count, false);
    append_text(fixture, INBOX, "comes behind them");
    for (uint32_t i = 0; i < count; i++) {
        uidset_release(&ops[i].out.expunge.removed);
        uidset_release(&uids[i]);
    }
    free(uids);
    free(list);
    free(ops);
}

static void a_map_older_than_what_the_folder_remembers_is_made_anew(void **state)
{
    struct fixture *fixture = *state;

    append_many(fixture, INBOX, 4300);
    expunge(fixture, INBOX, 4200, 4299);
    assert_true(folder_now(fixture, INBOX).vanished_floor == 0);
    assert_maps(fixture);
    expunge(fixture, INBOX, 5, 9);
    expunge_one_by_one(fixture, 10, 4150);
    assert_true(folder_now(fixture, INBOX).vanished_floor > 0);
    assert_maps(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(maps_follow_what_changes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_older_snapshot_keeps_its_own_uids, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_is_kept_after_the_first_reading, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_older_than_what_the_folder_remembers_is_made_anew,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
