/* kill -9 under load: what was acknowledged is there once, whole; the rest once or not at all. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER
#define ROUNDS 6
#define WRITERS 4
#define MESSAGES_MOST 200000

struct load {
    struct fixture *fixture;
    int pipe;
    unsigned round, writer;
};

/* Message number n is its own number, over and over: 8 bytes to some 20 KB. */
static size_t message_of(uint64_t n, uint64_t *words)
{
    size_t count = 1 + n * 7919 % 2500;

    for (size_t i = 0; i < count; i++)
        words[i] = n;
    return count * sizeof(*words);
}

static void *append_for_ever(void *argument)
{
    struct load *load = argument;
    uint64_t words[2500];

    for (uint64_t i = 0;; i++) {
        uint64_t n = (i * WRITERS + load->writer) * ROUNDS + load->round;
        size_t length = message_of(n, words);
        struct store_draft *draft;
        struct store_op op;

        if (store_draft_create(load->fixture->store, 0, length, &draft, NULL) != ERR_NONE ||
            store_draft_append(draft, words, length, NULL) != ERR_NONE ||
            store_draft_finish(draft, NULL) != ERR_NONE)
            _exit(3);
        op = append_op(load->fixture, INBOX, draft);
        op.in.append.email_id = n;
        if (store_run(&op) != ERR_NONE || write(load->pipe, &n, sizeof(n)) != sizeof(n))
            _exit(4);
        store_draft_unref(&draft);
        if (i % 10 == 9) {
            struct uidset uids = set_of(op.out.append.uid, op.out.append.uid);
            struct store_op flag = {
                .kind = OP_FLAGS, .mailbox = op.mailbox, .folder = INBOX, .uids = &uids};

            flag.in.flags.system = FLAG_SEEN;
            flag.in.flags.unchanged_since = UINT64_MAX;
            store_run(&flag);
            uidset_release(&flag.out.flags.changed);
            uidset_release(&uids);
        }
    }
    return NULL;
}

static void child(struct fixture *fixture, unsigned round, int pipe)
{
    struct load loads[WRITERS];
    struct store_guid guid = guid_of(1);
    pthread_t thread;

    if (store_open(&fixture->store, &fixture->settings, NULL) != ERR_NONE ||
        store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, NULL) != ERR_NONE)
        _exit(2);
    for (unsigned i = 0; i < WRITERS; i++) {
        loads[i] = (struct load){fixture, pipe, round, i};
        pthread_create(&thread, NULL, append_for_ever, &loads[i]);
    }
    for (;;)
        pause();
}

/* Lets a child write until some messages have been acknowledged, and kills it. */
static void one_round(struct fixture *fixture, unsigned round, uint8_t *acknowledged)
{
    int ends[2];
    uint64_t n;
    pid_t pid;
    int status;
    unsigned count = 0;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(fixture, round, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &n, sizeof(n)) == sizeof(n)) {
        assert_true(n < MESSAGES_MOST);
        acknowledged[n] = 1;
        if (++count == 60 + 40 * round)
            kill(pid, SIGKILL);
    }
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(count >= 60);
}

static void check_item(struct fixture *fixture, const struct store_item *item)
{
    uint64_t words[2500];
    size_t length = message_of(item->email_id, words);

    assert_content(fixture, INBOX, item->uid, words, length);
}

static void check(struct fixture *fixture, const uint8_t *acknowledged)
{
    uint8_t *seen = calloc(MESSAGES_MOST, 1);
    struct store_folder folder = folder_now(fixture, INBOX);
    struct store_item items[100];
    uint32_t first = 1;
    uint32_t total = 0, unseen = 0;
    uint64_t bytes = 0;
    size_t count;

    do {
        struct store_read *read = read_begin(fixture);

        assert_int_equal(
            store_item_scan(read, INBOX, first, UINT32_MAX, 0, items, 100, &count, NULL), ERR_NONE);
        store_read_end(&read);
        for (size_t i = 0; i < count; i++) {
            assert_true(items[i].email_id < MESSAGES_MOST);
            assert_int_equal(seen[items[i].email_id]++, 0);
            check_item(fixture, &items[i]);
            unseen += (items[i].flags.system & FLAG_SEEN) == 0;
            bytes += items[i].size;
            first = items[i].uid + 1;
        }
        total += (uint32_t)count;
    } while (count == 100);
    for (size_t n = 0; n < MESSAGES_MOST; n++)
        assert_true(seen[n] >= acknowledged[n]);
    assert_int_equal(folder.messages, total);
    assert_int_equal(folder.unseen, unseen);
    assert_int_equal(folder.bytes, bytes);
    assert_true(folder.uid_next >= first);
    free(seen);
}

static void acknowledged_mail_survives_kill_9(void **state)
{
    struct fixture *fixture = fixture_make();
    uint8_t *acknowledged = calloc(MESSAGES_MOST, 1);

    *state = fixture;
    for (unsigned round = 0; round < ROUNDS; round++) {
        one_round(fixture, round, acknowledged);
        fixture_open(fixture);
        check(fixture, acknowledged);
        fixture_close(fixture);
    }
    fixture_open(fixture);
    free(acknowledged);
}

/* A child begins a copy of many items and is killed in the middle of it. */
static void copy_and_die(struct fixture *fixture, uint32_t target)
{
    struct uidset uids = set_of(1, 30000);
    struct store_op op = {.kind = OP_COPY, .folder = INBOX, .uids = &uids};
    struct store_op behind = {.kind = OP_FOLDER_CREATE};

    fixture_open(fixture);
    op.mailbox = behind.mailbox = fixture->mailbox;
    op.in.copy.target = target;
    op.done = fixture_ignore;
    store_submit(&op);
    behind.in.create.parent = STORE_ROOT_FOLDER;
    for (int i = 0; i < 3; i++) { /* each commit takes one slice along */
        char name[16];

        snprintf(name, sizeof(name), "F%d", i);
        behind.in.create.name = name;
        store_run(&behind);
    }
    kill(getpid(), SIGKILL);
}

static void a_copy_that_was_cut_off_leaves_nothing(void **state)
{
    struct fixture *fixture = fixture_make();
    struct store_status status;
    uint32_t target;
    int wait_status;
    pid_t pid;

    *state = fixture;
    fixture_open(fixture);
    target = make_folder(fixture, STORE_ROOT_FOLDER, "Target");
    append_many(fixture, INBOX, 29999);
    fixture_close(fixture);
    pid = fork();
    if (pid == 0)
        copy_and_die(fixture, target);
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    assert_true(WIFSIGNALED(wait_status));
    fixture_open(fixture);
    assert_int_equal(folder_now(fixture, target).messages, 0);
    assert_int_equal(append_text(fixture, target, "new"), 1); /* waits until the claim is empty */
    assert_content(fixture, target, 1, "new", 3);
    store_status(fixture->store, &status);
    assert_int_equal(status.items, 30001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(acknowledged_mail_survives_kill_9, fixture_teardown),
        cmocka_unit_test_teardown(a_copy_that_was_cut_off_leaves_nothing, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
