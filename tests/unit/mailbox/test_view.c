/* The view of a folder, and what mailbox_open makes, over a real store. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/mailbox/view.h"

struct fixture {
    char folder[64];
    struct store *store;
    struct store_mailbox *mailbox;
    struct view view;
};

static const struct account account = {.guid = {{7}}, .name = "alice@example.com"};

static int remove_file(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct store_settings settings = {
        .databases = 1,
        .map_size = (uint64_t)256 << 20,
        .max_readers = 16,
        .message_size_limit = (uint64_t)1 << 20,
        .content_budget = (uint64_t)16 << 20,
        .recovery_seconds = 60,
    };
    struct err err;

    fixture = (struct fixture){.folder = "/tmp/view-XXXXXX"};
    assert_non_null(mkdtemp(fixture.folder));
    settings.folder = fixture.folder;
    assert_int_equal(store_open(&fixture.store, &settings, &err), ERR_NONE);
    assert_int_equal(mailbox_open(fixture.store, &account, &fixture.mailbox, &err), ERR_NONE);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    view_close(&fixture->view);
    store_mailbox_unref(&fixture->mailbox);
    store_close(&fixture->store);
    return nftw(fixture->folder, remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- doing things to the INBOX ---- */

static void append(struct fixture *fixture, unsigned count)
{
    while (count-- > 0) {
        struct store_op op = {
            .kind = OP_APPEND, .mailbox = fixture->mailbox, .folder = STORE_INBOX_FOLDER};
        struct err err;

        assert_int_equal(store_draft_create(fixture->store,
                                            store_mailbox_database(fixture->mailbox), 0,
                                            &op.in.append.draft, &err),
                         ERR_NONE);
        store_draft_append(op.in.append.draft, "a\r\n\r\n", 5, &err);
        assert_int_equal(store_draft_finish(op.in.append.draft, &err), ERR_NONE);
        assert_int_equal(store_run(&op), ERR_NONE);
        store_draft_unref(&op.in.append.draft);
    }
}

static void expunge(struct fixture *fixture, uint32_t first, uint32_t last)
{
    struct uidset uids = {0};
    struct store_op op = {.kind = OP_EXPUNGE,
                          .mailbox = fixture->mailbox,
                          .folder = STORE_INBOX_FOLDER,
                          .uids = &uids};

    uidset_add_range(&uids, first, last);
    assert_int_equal(store_run(&op), ERR_NONE);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&uids);
}

static uint64_t flag(struct fixture *fixture, uint32_t uid)
{
    struct uidset uids = {0};
    struct store_op op = {
        .kind = OP_FLAGS, .mailbox = fixture->mailbox, .folder = STORE_INBOX_FOLDER, .uids = &uids};

    uidset_add(&uids, uid);
    op.in.flags.mode = FLAGS_ADD;
    op.in.flags.system = FLAG_FLAGGED;
    op.in.flags.unchanged_since = UINT64_MAX;
    assert_int_equal(store_run(&op), ERR_NONE);
    uidset_release(&op.out.flags.changed);
    uidset_release(&op.out.flags.refused);
    uidset_release(&uids);
    return op.modseq;
}

static struct store_read *begin(struct fixture *fixture)
{
    struct store_read *read;
    struct err err;

    assert_int_equal(store_read_begin(fixture->mailbox, &read, &err), ERR_NONE);
    return read;
}

static void open_view(struct fixture *fixture)
{
    struct store_read *read = begin(fixture);
    struct store_folder folder;
    struct err err;

    assert_int_equal(store_folder_get(read, STORE_INBOX_FOLDER, &folder, &err), ERR_NONE);
    assert_int_equal(view_open(&fixture->view, fixture->mailbox, read, &folder, true, &err),
                     ERR_NONE);
    store_read_end(&read);
}

static struct view_news look(struct fixture *fixture)
{
    struct store_read *read = begin(fixture);
    struct view_news news;
    struct err err;

    assert_int_equal(view_look(&fixture->view, read, &news, &err), ERR_NONE);
    store_read_end(&read);
    return news;
}

static void tell(struct fixture *fixture, struct view_news *news)
{
    view_add_arrived(&fixture->view, news);
    view_told(&fixture->view, news);
    uidset_release(&news->arrived);
}

/* ---- tests ---- */

static void sequence_numbers_go_both_ways_over_gaps(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t uids[] = {1, 4, 5, 7, 10};

    append(fixture, 10);
    expunge(fixture, 2, 3);
    expunge(fixture, 6, 6);
    expunge(fixture, 8, 9);
    open_view(fixture);
    assert_int_equal(view_count(&fixture->view), 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(view_uid(&fixture->view, i + 1), uids[i]);
        assert_int_equal(view_sequence(&fixture->view, uids[i]), i + 1);
    }
    assert_int_equal(view_uid(&fixture->view, 0), 0);
    assert_int_equal(view_uid(&fixture->view, 6), 0);
    assert_int_equal(view_sequence(&fixture->view, 2), 0);
    assert_int_equal(view_sequence(&fixture->view, 11), 0);
}

static void sets_of_sequence_numbers_become_sets_of_uids(void **state)
{
    struct fixture *fixture = *state;
    struct uidset sequences = {0};
    struct uidset uids = {0};

    append(fixture, 10);
    expunge(fixture, 2, 3);
    expunge(fixture, 6, 6);
    open_view(fixture);
    uidset_add_range(&sequences, 2, 5);
    uidset_add(&sequences, 7);
    assert_true(view_uids_of(&fixture->view, &sequences, &uids)); /* 4 5 7 8 10 */
    assert_int_equal(uidset_size(&uids), 5);
    assert_int_equal(uids.count, 3);
    assert_int_equal(uidset_first(&uids), 4);
    assert_true(uidset_has(&uids, 8) && uidset_has(&uids, 10) && !uidset_has(&uids, 9));
    uidset_add(&sequences, 8);
    uidset_release(&uids);
    assert_false(view_uids_of(&fixture->view, &sequences, &uids));
    uidset_release(&uids);
    uidset_release(&sequences);
}

static void an_empty_view_has_no_numbers(void **state)
{
    struct fixture *fixture = *state;

    open_view(fixture);
    assert_int_equal(view_count(&fixture->view), 0);
    assert_int_equal(view_uid(&fixture->view, 1), 0);
    assert_int_equal(view_sequence(&fixture->view, 1), 0);
}

static void arrivals_and_departures_wait_to_be_told(void **state)
{
    struct fixture *fixture = *state;
    struct view_news news;

    append(fixture, 4);
    open_view(fixture);
    assert_int_equal(view_recent_count(&fixture->view), 4);
    append(fixture, 2);
    expunge(fixture, 2, 2);
    expunge(fixture, 6, 6);
    news = look(fixture);
    assert_int_equal(view_count(&fixture->view), 4);
    assert_int_equal(uidset_size(&fixture->view.gone), 1);
    assert_int_equal(uidset_size(&news.arrived), 1); /* 6 came and went unseen */
    tell(fixture, &news);
    assert_int_equal(view_count(&fixture->view), 5);
    assert_int_equal(view_sequence(&fixture->view, 5), 5);
    view_drop_gone(&fixture->view);
    assert_int_equal(view_count(&fixture->view), 4);
    assert_int_equal(view_sequence(&fixture->view, 5), 4);
    assert_int_equal(view_recent_count(&fixture->view), 4);
    news = look(fixture);
    assert_false(news.flags);
    assert_true(uidset_is_empty(&news.arrived) && uidset_is_empty(&fixture->view.gone));
}

static void only_the_first_view_has_a_message_as_recent(void **state)
{
    struct fixture *fixture = *state;

    append(fixture, 3);
    open_view(fixture);
    assert_true(view_is_recent(&fixture->view, 3));
    view_close(&fixture->view);
    open_view(fixture);
    assert_int_equal(view_recent_count(&fixture->view), 0);
}

static void own_changes_are_known_where_nothing_hides_behind_them(void **state)
{
    struct fixture *fixture = *state;
    struct view_news news;
    uint64_t modseq;

    append(fixture, 3);
    open_view(fixture);
    modseq = flag(fixture, 1);
    view_own_change(&fixture->view, modseq);
    view_own_change(&fixture->view, 0);
    assert_true(view_is_own(&fixture->view, modseq));
    modseq = flag(fixture, 2);
    view_own_change(&fixture->view, modseq);
    assert_true(view_is_own(&fixture->view, modseq) && view_is_own(&fixture->view, modseq - 1));
    news = look(fixture);
    assert_true(news.flags);
    tell(fixture, &news);
    assert_false(view_is_own(&fixture->view, modseq));
    flag(fixture, 3); /* somebody else */
    modseq = flag(fixture, 1);
    view_own_change(&fixture->view, modseq);
    assert_false(view_is_own(&fixture->view, modseq));
}

static void default_folders_are_made_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op = {.kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox};
    struct store_mailbox *again;
    struct store_read *read = begin(fixture);
    struct store_folder folder;
    struct err err;

    assert_int_equal(path_find(read, STR("Archive"), &folder, &err), ERR_NONE);
    assert_int_equal(folder.use, USE_ARCHIVE);
    assert_true(subscription_has(read, STR("Archive")));
    store_read_end(&read);
    op.folder = folder.id;
    assert_int_equal(store_run(&op), ERR_NONE);
    assert_int_equal(mailbox_open(fixture->store, &account, &again, &err), ERR_NONE);
    store_mailbox_unref(&again);
    read = begin(fixture);
    assert_int_equal(path_find(read, STR("Archive"), &folder, &err), ERR_NOT_FOUND);
    assert_int_equal(path_find(read, STR("Drafts"), &folder, &err), ERR_NONE);
    store_read_end(&read);
}

static void a_folder_knows_its_path(void **state)
{
    struct fixture *fixture = *state;
    struct store_op op = {.kind = OP_FOLDER_CREATE, .mailbox = fixture->mailbox};
    struct store_read *read;
    struct store_folder folder;
    struct arena arena = {0};
    struct str path;
    struct err err;

    op.in.create.parent = STORE_INBOX_FOLDER;
    op.in.create.name = "below";
    op.in.create.class = CLASS_MAIL;
    assert_int_equal(store_run(&op), ERR_NONE);
    read = begin(fixture);
    assert_int_equal(store_folder_get(read, op.out.create.folder, &folder, &err), ERR_NONE);
    assert_int_equal(path_of(read, &folder, &arena, &path, &err), ERR_NONE);
    assert_true(str_is(path, "INBOX/below"));
    assert_int_equal(path_find_ancestor(read, STR("INBOX/below/x/y"), &folder, &path, &err),
                     ERR_NONE);
    assert_string_equal(folder.name, "below");
    assert_true(str_is(path, "x/y"));
    store_read_end(&read);
    arena_reset(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sequence_numbers_go_both_ways_over_gaps),
        TEST(sets_of_sequence_numbers_become_sets_of_uids),
        TEST(an_empty_view_has_no_numbers),
        TEST(arrivals_and_departures_wait_to_be_told),
        TEST(only_the_first_view_has_a_message_as_recent),
        TEST(own_changes_are_known_where_nothing_hides_behind_them),
        TEST(default_folders_are_made_once),
        TEST(a_folder_knows_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
