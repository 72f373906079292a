#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER

struct listener {
    struct store_watch watch;
    atomic_uint calls;
    atomic_uint kinds;
    atomic_uint_fast64_t modseq;
    atomic_uint folder;
};

static void on_changed(struct store_watch *watch, const struct store_change *change)
{
    struct listener *listener = (struct listener *)watch;

    atomic_fetch_or(&listener->kinds, change->kinds);
    atomic_store(&listener->modseq, change->modseq);
    atomic_store(&listener->folder, change->folder);
    atomic_fetch_add(&listener->calls, 1);
}

/* Another operation's done comes behind all that was told before. */
static void settle(struct fixture *fixture)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox};

    op.in.property.property = (struct store_property){"settle", "", 0};
    must(store_run(&op), &op.err);
}

static void a_watch_hears_of_its_folder_only(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    struct listener one = {.watch.changed = on_changed};
    struct listener all = {.watch.changed = on_changed};

    settle(fixture);
    store_watch_add(fixture->mailbox, other, &one.watch);
    store_watch_add(fixture->mailbox, 0, &all.watch);
    append_text(fixture, INBOX, "x");
    settle(fixture);
    assert_int_equal(atomic_load(&one.calls), 0);
    assert_int_equal(atomic_load(&all.calls), 1);
    assert_int_equal(atomic_load(&all.kinds), CHANGE_NEW);
    assert_int_equal(atomic_load(&all.folder), INBOX);
    assert_int_equal(atomic_load(&all.modseq), folder_now(fixture, INBOX).highest_modseq);
    append_text(fixture, other, "x");
    expunge(fixture, other, 1, 1);
    settle(fixture);
    assert_int_equal(atomic_load(&one.calls), 2);
    assert_int_equal(atomic_load(&one.kinds), CHANGE_NEW | CHANGE_GONE);
    store_watch_remove(&one.watch);
    append_text(fixture, other, "x");
    settle(fixture);
    assert_int_equal(atomic_load(&one.calls), 2);
    store_watch_remove(&all.watch);
}

static void folders_that_come_and_go_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct listener all = {.watch.changed = on_changed};
    struct store_op op = {.kind = OP_FOLDER_DELETE, .mailbox = fixture->mailbox};

    settle(fixture);
    store_watch_add(fixture->mailbox, 0, &all.watch);
    op.folder = make_folder(fixture, STORE_ROOT_FOLDER, "A");
    settle(fixture);
    assert_int_equal(atomic_load(&all.kinds), CHANGE_FOLDERS);
    must(store_run(&op), &op.err);
    settle(fixture);
    assert_int_equal(atomic_load(&all.kinds), CHANGE_FOLDERS | CHANGE_GONE);
    store_watch_remove(&all.watch);
}

struct property_listener {
    struct store_watch watch;
    atomic_uint calls;
    char name[64];
    atomic_uint folder;
};

static void on_property(struct store_watch *watch, const struct store_change *change)
{
    struct property_listener *listener = (struct property_listener *)watch;

    if (change->kinds != CHANGE_PROPERTY)
        return;
    snprintf(listener->name, sizeof(listener->name), "%s", change->property);
    atomic_store(&listener->folder, change->folder);
    atomic_fetch_add(&listener->calls, 1);
}

static void put_property(struct fixture *fixture, uint32_t folder, const char *name,
                         const char *value)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox, .folder = folder};

    op.in.property.property = (struct store_property){name, value, strlen(value)};
    must(store_run(&op), &op.err);
}

static void properties_that_change_are_told_each_by_its_name(void **state)
{
    struct fixture *fixture = *state;
    struct property_listener all = {.watch.changed = on_property};

    store_watch_add(fixture->mailbox, 0, &all.watch);
    put_property(fixture, 0, "colour", "red");
    settle(fixture);
    assert_int_equal(atomic_load(&all.calls), 1);
    assert_string_equal(all.name, "colour");
    assert_int_equal(atomic_load(&all.folder), 0);
    put_property(fixture, 0, "colour", "red");
    put_property(fixture, INBOX, "never set", "");
    settle(fixture);
    assert_int_equal(atomic_load(&all.calls), 1);
    put_property(fixture, INBOX, "shape", "round");
    put_property(fixture, 0, "colour", "");
    settle(fixture);
    assert_int_equal(atomic_load(&all.calls), 3);
    assert_string_equal(all.name, "colour");
    store_watch_remove(&all.watch);
}

struct author_listener {
    struct store_watch watch;
    const void *author;
    atomic_uint of_author, of_others;
};

static void on_authored(struct store_watch *watch, const struct store_change *change)
{
    struct author_listener *listener = (struct author_listener *)watch;

    atomic_fetch_add(change->by == listener->author ? &listener->of_author : &listener->of_others,
                     1);
}

/* store_run() has a context of its own. */
static void who_made_a_change_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct author_listener listener = {.watch.changed = on_authored};
    struct store_op op = {.kind = OP_FOLDER_CREATE, .mailbox = fixture->mailbox};

    settle(fixture);
    listener.author = &listener;
    store_watch_add(fixture->mailbox, 0, &listener.watch);
    append_text(fixture, INBOX, "of another");
    settle(fixture);
    assert_int_equal(atomic_load(&listener.of_author), 0);
    assert_int_equal(atomic_load(&listener.of_others), 1);
    op.in.create.parent = STORE_ROOT_FOLDER;
    op.in.create.name = "Mine";
    op.in.create.class = CLASS_MAIL;
    op.done = fixture_ignore;
    op.context = &listener;
    store_submit(&op);
    settle(fixture);
    must(op.err.code, &op.err);
    assert_int_equal(atomic_load(&listener.of_author), 1);
    assert_int_equal(atomic_load(&listener.of_others), 1);
    store_watch_remove(&listener.watch);
}

static void a_failed_operation_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    struct listener all = {.watch.changed = on_changed};
    struct store_draft *draft = draft_of(fixture, "12345", 5);
    struct store_op op = append_op(fixture, INBOX, draft);

    settle(fixture);
    store_watch_add(fixture->mailbox, 0, &all.watch);
    op.in.append.quota_bytes = 4;
    assert_int_equal(store_run(&op), ERR_LIMIT);
    settle(fixture);
    assert_int_equal(atomic_load(&all.calls), 0);
    store_watch_remove(&all.watch);
    store_draft_unref(&draft);
}

static void recent_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    uint32_t next;

    append_text(fixture, INBOX, "1");
    append_text(fixture, INBOX, "2");
    settle(fixture);
    assert_int_equal(store_recent_peek(fixture->mailbox, INBOX), 1);
    next = folder_now(fixture, INBOX).uid_next;
    assert_int_equal(store_recent_claim(fixture->mailbox, INBOX, next), 1);
    assert_int_equal(store_recent_peek(fixture->mailbox, INBOX), 3);
    assert_int_equal(store_recent_claim(fixture->mailbox, INBOX, next), 3);
    append_text(fixture, INBOX, "3");
    settle(fixture);
    next = folder_now(fixture, INBOX).uid_next;
    assert_int_equal(store_recent_claim(fixture->mailbox, INBOX, next), 3);
    fixture_reopen(fixture);
    assert_int_equal(store_recent_claim(fixture->mailbox, INBOX, next), next);
}

static void recent_is_forgotten_in_the_folders_that_nobody_came_to_for_longest(void **state)
{
    struct fixture *fixture = *state;

    append_text(fixture, INBOX, "first");
    for (uint32_t folder = 100; folder < 5000; folder++) {
        assert_int_equal(store_recent_claim(fixture->mailbox, folder, folder), folder);
        assert_int_equal(store_recent_peek(fixture->mailbox, INBOX), 1);
    }
    assert_int_equal(store_recent_peek(fixture->mailbox, 4999), 4999);
    assert_int_equal(store_recent_peek(fixture->mailbox, 100), UINT32_MAX);
    assert_int_equal(store_recent_claim(fixture->mailbox, 100, 120), 120);
    assert_int_equal(store_recent_peek(fixture->mailbox, 100), 120);
}

static enum err_code set_property(struct fixture *fixture, uint32_t folder, uint64_t item,
                                  const char *name, const char *value, size_t length)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox, .folder = folder};

    op.in.property.item_id = item;
    op.in.property.property = (struct store_property){name, value, length};
    return store_run(&op);
}

static void properties_are_kept_listed_and_removed(void **state)
{
    struct fixture *fixture = *state;
    struct store_read *read;
    uint8_t value[STORE_PROPERTY_MAX];
    char big[STORE_PROPERTY_MAX + 1] = "";
    char name[64] = "";
    size_t length;

    assert_int_equal(set_property(fixture, INBOX, 0, "/private/b", "2", 1), ERR_NONE);
    assert_int_equal(set_property(fixture, INBOX, 0, "/private/a", "1", 1), ERR_NONE);
    assert_int_equal(set_property(fixture, INBOX, 0, "/shared/a", big, STORE_PROPERTY_MAX),
                     ERR_NONE);
    assert_int_equal(set_property(fixture, INBOX, 0, "/x", big, sizeof(big)), ERR_LIMIT);
    assert_int_equal(set_property(fixture, INBOX, 0, "", "1", 1), ERR_INVALID);
    assert_int_equal(set_property(fixture, 0, 0, "/private/m", "mailbox", 7), ERR_NONE);
    assert_int_equal(set_property(fixture, 99, 0, "/private/m", "x", 1), ERR_NOT_FOUND);
    fixture_reopen(fixture);
    read = read_begin(fixture);
    assert_int_equal(store_property_next(read, INBOX, 0, "/private/", "", name, 64, NULL),
                     ERR_NONE);
    assert_string_equal(name, "/private/a");
    assert_int_equal(store_property_next(read, INBOX, 0, "/private/", name, name, 64, NULL),
                     ERR_NONE);
    assert_string_equal(name, "/private/b");
    assert_int_equal(store_property_next(read, INBOX, 0, "/private/", name, name, 64, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(
        store_property_get(read, INBOX, 0, "/shared/a", value, sizeof(value), &length, NULL),
        ERR_NONE);
    assert_int_equal(length, STORE_PROPERTY_MAX);
    assert_int_equal(store_property_get(read, 0, 0, "/private/m", value, 3, &length, NULL),
                     ERR_LIMIT);
    assert_int_equal(length, 7);
    store_read_end(&read);
    assert_int_equal(set_property(fixture, INBOX, 0, "/private/a", "", 0), ERR_NONE);
    read = read_begin(fixture);
    assert_int_equal(store_property_get(read, INBOX, 0, "/private/a", value, 9, &length, NULL),
                     ERR_NOT_FOUND);
    store_read_end(&read);
}

static enum err_code set_properties(struct fixture *fixture, uint32_t folder,
                                    const struct store_property *list, unsigned count,
                                    bool *too_many)
{
    static const char *const counted[] = {"/shared/", "/private/", NULL};
    struct store_op op = {.kind = OP_PROPERTIES_SET, .mailbox = fixture->mailbox, .folder = folder};

    op.in.properties.list = list;
    op.in.properties.count = count;
    op.in.properties.counted = counted;
    op.in.properties.most = 2;
    store_run(&op);
    *too_many = op.over_quota;
    return op.err.code;
}

static bool has_property(struct fixture *fixture, uint32_t folder, const char *name)
{
    struct store_read *read = read_begin(fixture);
    uint8_t value[16];
    size_t length;
    enum err_code code =
        store_property_get(read, folder, 0, name, value, sizeof(value), &length, NULL);

    store_read_end(&read);
    return code == ERR_NONE;
}

static void several_properties_are_set_together_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    const struct store_property two[] = {
        {"/private/a", "1", 1},
        {"/private/b", "2", 1}
    };
    const struct store_property others[] = {
        {"/shared/a", "1", 1},
        {"uncounted", "2", 1}
    };
    const struct store_property swap[] = {
        {"/private/c", "3",   1},
        {"/private/a", "",    0},
        {"/private/b", "new", 3}
    };
    const struct store_property more[] = {
        {"/shared/b",  "1", 1},
        {"/private/d", "2", 1}
    };
    const struct store_property wrong[] = {
        {"/shared/b", "1", 1},
        {"",          "2", 1}
    };
    bool too_many;

    for (uint32_t folder = 0; folder <= INBOX; folder += INBOX) {
        assert_int_equal(set_properties(fixture, folder, two, 2, &too_many), ERR_NONE);
        assert_int_equal(set_properties(fixture, folder, others, 2, &too_many), ERR_NONE);
        assert_int_equal(set_properties(fixture, folder, swap, 3, &too_many), ERR_NONE);
        assert_false(too_many);
        assert_false(has_property(fixture, folder, "/private/a"));
        assert_true(has_property(fixture, folder, "/private/c"));
        assert_int_equal(set_properties(fixture, folder, more, 2, &too_many), ERR_LIMIT);
        assert_true(too_many);
        assert_int_equal(set_properties(fixture, folder, wrong, 2, &too_many), ERR_INVALID);
        assert_false(has_property(fixture, folder, "/shared/b"));
        assert_false(has_property(fixture, folder, "/private/d"));
    }
    assert_int_equal(set_properties(fixture, 99, two, 2, &too_many), ERR_NOT_FOUND);
    assert_false(too_many);
}

static void an_item_has_properties_and_a_summary(void **state)
{
    struct fixture *fixture = *state;
    const struct store_property property = {"to", "alice", 5};
    uint8_t summary[STORE_SUMMARY_MAX];
    struct store_draft *draft = draft_of(fixture, "x", 1);
    struct store_op op = append_op(fixture, INBOX, draft);
    struct store_read *read;
    size_t length;

    memset(summary, 's', sizeof(summary));
    op.in.append.summary = summary;
    op.in.append.summary_length = sizeof(summary);
    op.in.append.properties = &property;
    op.in.append.property_count = 1;
    must(store_run(&op), &op.err);
    assert_int_equal(set_property(fixture, INBOX, op.out.append.item_id, "more", "m", 1), ERR_NONE);
    assert_int_equal(set_property(fixture, INBOX, 999, "more", "m", 1), ERR_NOT_FOUND);
    read = read_begin(fixture);
    memset(summary, 0, sizeof(summary));
    assert_int_equal(store_summary_get(read, INBOX, 1, summary, &length, NULL), ERR_NONE);
    assert_int_equal(length, STORE_SUMMARY_MAX);
    assert_int_equal(summary[STORE_SUMMARY_MAX - 1], 's');
    assert_int_equal(store_summary_get(read, INBOX, 2, summary, &length, NULL), ERR_NOT_FOUND);
    assert_int_equal(store_property_get(read, INBOX, op.out.append.item_id, "to", summary,
                                        sizeof(summary), &length, NULL),
                     ERR_NONE);
    assert_int_equal(length, 5);
    store_read_end(&read);
    expunge(fixture, INBOX, 1, 1);
    read = read_begin(fixture);
    assert_int_equal(store_property_get(read, INBOX, op.out.append.item_id, "to", summary,
                                        sizeof(summary), &length, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(store_summary_get(read, INBOX, 1, summary, &length, NULL), ERR_NOT_FOUND);
    store_read_end(&read);
    store_draft_unref(&draft);
}

/* ---- threads ---- */

#define THREADS 8
#define EACH 60

struct worker {
    struct fixture *fixture;
    unsigned n;
    atomic_bool *stop;
};

static void *append_some(void *argument)
{
    struct worker *worker = argument;
    char text[32];

    for (int i = 0; i < EACH; i++) {
        snprintf(text, sizeof(text), "%u-%d", worker->n, i);
        append_text(worker->fixture, INBOX, text);
    }
    return NULL;
}

/* Whatever snapshot is taken, its counts agree with its items. */
static void *read_all_the_time(void *argument)
{
    struct worker *worker = argument;
    struct store_item *items = calloc(THREADS * EACH + 1, sizeof(*items));

    while (!atomic_load(worker->stop)) {
        struct store_read *read = read_begin(worker->fixture);
        struct store_folder folder;
        size_t count;

        assert_int_equal(store_folder_get(read, INBOX, &folder, NULL), ERR_NONE);
        assert_int_equal(
            store_item_scan(read, INBOX, 1, UINT32_MAX, 0, items, THREADS * EACH + 1, &count, NULL),
            ERR_NONE);
        assert_int_equal(folder.messages, count);
        assert_int_equal(folder.uid_next, count + 1);
        store_read_end(&read);
    }
    free(items);
    return NULL;
}

static void many_threads_write_and_read_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct listener all = {.watch.changed = on_changed};
    struct worker workers[THREADS + 2];
    pthread_t threads[THREADS + 2];
    atomic_bool stop = false;
    struct store_status status;

    store_watch_add(fixture->mailbox, INBOX, &all.watch);
    for (unsigned i = 0; i < THREADS + 2; i++) {
        workers[i] = (struct worker){fixture, i, &stop};
        pthread_create(&threads[i], NULL, i < THREADS ? append_some : read_all_the_time,
                       &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(threads[THREADS], NULL);
    pthread_join(threads[THREADS + 1], NULL);
    settle(fixture);
    assert_int_equal(folder_now(fixture, INBOX).messages, THREADS * EACH);
    assert_true(atomic_load(&all.calls) > 0);
    assert_int_equal(atomic_load(&all.modseq), folder_now(fixture, INBOX).highest_modseq);
    store_watch_remove(&all.watch);
    store_status(fixture->store, &status);
    assert_true(status.commits < status.operations); /* they shared commits */
}

struct answered {
    struct listener *listener;
    unsigned calls;  /* of the watch, when the answer came */
    uint32_t recent; /* the watermark then */
};

static void look_around(struct store_op *op)
{
    struct answered *answered = op->context;

    answered->calls = atomic_load(&answered->listener->calls);
    answered->recent = store_recent_peek(op->mailbox, INBOX);
}

/* Who is answered may select the folder, or let go of the mailbox, at once. */
static void all_is_told_before_the_answer(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "x", 1);
    struct store_op op = append_op(fixture, INBOX, draft);
    struct listener listener = {.watch.changed = on_changed};
    struct answered answered = {.listener = &listener};

    store_watch_add(fixture->mailbox, INBOX, &listener.watch);
    op.done = look_around;
    op.context = &answered;
    store_submit(&op);
    settle(fixture);
    must(op.err.code, &op.err);
    assert_int_equal(answered.calls, 1);
    assert_int_equal(answered.recent, op.out.append.uid);
    store_watch_remove(&listener.watch);
    store_draft_unref(&draft);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_watch_hears_of_its_folder_only),
        WITH_STORE(folders_that_come_and_go_are_told),
        WITH_STORE(properties_that_change_are_told_each_by_its_name),
        WITH_STORE(who_made_a_change_is_told),
        WITH_STORE(a_failed_operation_is_not_told),
        WITH_STORE(recent_is_told_once),
        WITH_STORE(recent_is_forgotten_in_the_folders_that_nobody_came_to_for_longest),
        WITH_STORE(all_is_told_before_the_answer),
        WITH_STORE(properties_are_kept_listed_and_removed),
        WITH_STORE(several_properties_are_set_together_or_not_at_all),
        WITH_STORE(an_item_has_properties_and_a_summary),
        WITH_STORE(many_threads_write_and_read_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
