/* Compaction: the store stays near its live bytes, whatever happens meanwhile. */
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/segment_internal.h"
#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER
#define SEGMENT (1u << 20)
#define MOST_BYTES 60000u

static struct fixture *small_segments(void)
{
    struct fixture *fixture = fixture_make();

    fixture->settings.segment_size = SEGMENT;
    fixture->settings.compress = false;
    return fixture;
}

/* ---- operation records without content ---- */

static void a_sealed_segment_with_operations_only_is_synced_with_the_next_content(void **state)
{
    struct fixture *fixture = small_segments();
    static char large[SEGMENT / 10 * 9], value[STORE_PROPERTY_MAX];
    struct segments *segments;
    unsigned sealed = 0;

    fixture_open(fixture);
    *state = fixture;
    append_bytes(fixture, INBOX, large, sizeof(large)); /* so much that it is not rewritten */
    for (unsigned n = 0; n < 2 * SEGMENT / sizeof(value); n++) {
        struct store_op op = {
            .kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox, .folder = INBOX};

        op.in.property.property = (struct store_property){"note", value, sizeof(value)};
        must(store_run(&op), &op.err);
    }
    append_text(fixture, INBOX, "last");
    segments = fixture->mailbox->database->segments;
    pthread_mutex_lock(&segments->lock);
    for (size_t i = 0; i < segments->count; i++) {
        if (segments->all[i]->record.state != SEGMENT_SEALED)
            continue;
        sealed++;
        assert_false(atomic_load(&segments->all[i]->dirty));
    }
    pthread_mutex_unlock(&segments->lock);
    assert_true(sealed > 0);
}

/* ---- messages that can be told from their number ---- */

static uint64_t scramble(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return n ^ n >> 31;
}

static size_t message_of(uint64_t n, uint64_t *words)
{
    size_t count = 1 + scramble(n) % (MOST_BYTES / sizeof(*words) - 1);

    for (size_t i = 0; i < count; i++)
        words[i] = scramble(n * 1000003 + i);
    return count * sizeof(*words);
}

#define AT_ONCE 20u

/* Appends AT_ONCE messages together. */
static void append_numbers(struct fixture *fixture, uint64_t first, uint32_t uids[AT_ONCE])
{
    static uint64_t words[MOST_BYTES / sizeof(uint64_t)];
    struct store_draft *drafts[AT_ONCE];
    struct store_op ops[AT_ONCE];
    struct store_op *list[AT_ONCE];

    for (unsigned i = 0; i < AT_ONCE; i++) {
        drafts[i] = draft_of(fixture, words, message_of(first + i, words));
        ops[i] = append_op(fixture, INBOX, drafts[i]);
        ops[i].in.append.email_id = first + i;
        list[i] = &ops[i];
    }
    store_run_all(list, AT_ONCE);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        must(ops[i].err.code, &ops[i].err);
        uids[i] = ops[i].out.append.uid;
        store_draft_unref(&drafts[i]);
    }
}

/* A mailbox that holds so many messages; in a step some go, and as many come. */
#define HELD 1200u /* about 36 MB */

struct churn {
    struct fixture *fixture;
    uint32_t uids[HELD];
    uint32_t held;
    uint64_t next; /* number */
};

static void churn_fill(struct churn *churn)
{
    for (uint32_t at = 0; at < churn->held; at += AT_ONCE, churn->next += AT_ONCE)
        append_numbers(churn->fixture, churn->next, churn->uids + at);
}

static void churn_step(struct churn *churn)
{
    struct uidset gone = {0};
    struct store_op op = {
        .kind = OP_EXPUNGE, .mailbox = churn->fixture->mailbox, .folder = INBOX, .uids = &gone};
    uint32_t uids[AT_ONCE];
    uint32_t places[AT_ONCE];

    for (unsigned i = 0; i < AT_ONCE; i++) {
        uint32_t part = churn->held / AT_ONCE; /* one of each part: all are different */

        places[i] = i * part + (uint32_t)(scramble(churn->next + i) % part);
        uidset_add(&gone, churn->uids[places[i]]);
    }
    must(store_run(&op), &op.err);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&gone);
    append_numbers(churn->fixture, churn->next, uids);
    for (unsigned i = 0; i < AT_ONCE; i++)
        churn->uids[places[i]] = uids[i];
    churn->next += AT_ONCE;
}

/* Every item is the message that its number tells. Returns how many there are. */
static unsigned check_all(struct fixture *fixture)
{
    static uint64_t words[MOST_BYTES / sizeof(uint64_t)];
    struct store_item item;
    uint32_t uid = 1;
    unsigned total = 0;
    size_t count;

    for (;;) {
        struct store_read *read = read_begin(fixture);
        enum err_code code =
            store_item_scan(read, INBOX, uid, UINT32_MAX, 0, &item, 1, &count, NULL);

        store_read_end(&read);
        assert_int_equal(code, ERR_NONE);
        if (count == 0)
            return total;
        assert_content(fixture, INBOX, item.uid, words, message_of(item.email_id, words));
        uid = item.uid + 1;
        total++;
    }
}

static struct store_status status_of(struct fixture *fixture)
{
    struct store_status status;

    store_status(fixture->store, &status);
    return status;
}

/* Beside the bound there are files that compaction cannot help: the active, the next, the free, and what is dead and
   waits for a reader (one is below) and for the commit behind it. These come and go. */
#define BESIDE 8u

static void assert_within(struct fixture *fixture)
{
    struct store_status status = status_of(fixture);
    unsigned waited = 0;

    assert_true(status.segment_bytes * 10 <= status.content_bytes * 17 + BESIDE * SEGMENT * 10);
    while (status.segment_bytes * 10 > status.content_bytes * 17) {
        assert_true(waited++ < 60000);
        usleep(1000);
        status = status_of(fixture);
    }
}

/* ---- the tests ---- */

static void constant_churn_stays_within_1_7_times_the_live_bytes(void **state)
{
    struct churn churn = {.fixture = small_segments(), .held = HELD};

    *state = churn.fixture;
    fixture_open(churn.fixture);
    churn_fill(&churn);
    for (unsigned step = 0; step < 300; step++) { /* five times all that there is */
        churn_step(&churn);
        assert_within(churn.fixture);
    }
    assert_true(status_of(churn.fixture).compacted_bytes > 0);
    assert_int_equal(check_all(churn.fixture), HELD);
    fixture_reopen(churn.fixture);
    assert_int_equal(check_all(churn.fixture), HELD);
}

/* ---- who reads first ---- */

#define PLACES 65536u

static atomic_bool notes_reads;
static atomic_uint cold_reads, warm_reads; /* of pieces, by the writer */
static atomic_bool was_read[PLACES];       /* by the thread that reads ahead */

static bool is_thread(const char *name)
{
    char own[16] = "";

    prctl(PR_GET_NAME, own);
    return strcmp(own, name) == 0;
}

static void note_read(int fd, off_t offset)
{
    struct stat facts;
    size_t place;

    assert_int_equal(fstat(fd, &facts), 0);
    place = scramble((uint64_t)facts.st_ino << 32 | (uint64_t)offset) % PLACES;
    if (is_thread("read-ahead"))
        atomic_store(&was_read[place], true);
    else if (is_thread("db1"))
        atomic_fetch_add(atomic_load(&was_read[place]) ? &warm_reads : &cold_reads, 1);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    if (atomic_load(&notes_reads) && length > RECORD_HEADER)
        note_read(fd, offset);
    return syscall(SYS_pread64, fd, bytes, length, offset);
}

/* A few segments of many are thin, so that it is not urgent. */
static void the_writer_moves_what_was_read_for_it(void **state)
{
    struct fixture *fixture = small_segments();
    struct churn churn = {.fixture = fixture, .held = 600};

    *state = fixture;
    fixture_open(fixture);
    churn_fill(&churn);
    atomic_store(&notes_reads, true);
    for (uint32_t uid = 100; uid < 160; uid += 4)
        expunge(fixture, INBOX, uid, uid + 2);
    while (atomic_load(&warm_reads) < 5)
        usleep(1000);
    atomic_store(&notes_reads, false);
    assert_int_equal(atomic_load(&cold_reads), 0);
    assert_int_equal(check_all(fixture), 600 - 45);
}

/* Fills some segments and leaves every eighth message. */
static void thin_out(struct fixture *fixture)
{
    struct churn churn = {.fixture = fixture, .held = 320};

    churn_fill(&churn);
    for (uint32_t uid = 1; uid <= 320; uid += 8)
        expunge(fixture, INBOX, uid, uid + 6);
}

/* Until the sealed segments have nothing to be moved any more. */
static void wait_for_compaction(struct fixture *fixture)
{
    struct store_status status = status_of(fixture);

    while (status.compacted_bytes == 0 || status.compacting ||
           status.segment_bytes > status.content_bytes * 10 / 6 + 5 * SEGMENT) {
        usleep(1000);
        status = status_of(fixture);
    }
}

static void a_thinned_store_shrinks_by_itself(void **state)
{
    struct fixture *fixture = small_segments();
    struct store_status before, after;

    *state = fixture;
    fixture_open(fixture);
    thin_out(fixture);
    before = status_of(fixture);
    wait_for_compaction(fixture);
    after = status_of(fixture);
    assert_int_equal(after.content_bytes, before.content_bytes);
    assert_true(after.segments < 10);
    assert_int_equal(check_all(fixture), 40);
}

static void an_open_content_is_read_from_its_old_place(void **state)
{
    static uint64_t words[MOST_BYTES / sizeof(uint64_t)];
    struct fixture *fixture = small_segments();
    struct churn churn = {.held = 200, .next = 1000};
    struct store_content *content;
    size_t length = message_of(7, words);
    uint8_t *got = malloc(length);
    size_t count;
    struct err err;

    *state = fixture;
    fixture_open(fixture);
    thin_out(fixture);
    content = content_now(fixture, INBOX, 8); /* number 7 */
    wait_for_compaction(fixture);
    churn.fixture = fixture;
    churn_fill(&churn); /* what is free is written over */
    must(store_content_read(content, 0, got, length, &count, &err), &err);
    assert_int_equal(count, length);
    assert_memory_equal(got, words, length);
    store_content_close(&content);
    free(got);
    assert_int_equal(check_all(fixture), 240);
}

/* ---- kill -9 ---- */

#define ROUNDS 5
#define HELD_BY_CHILD 200u

/* Tells of each step before it begins: what is there then stays, but for AT_ONCE messages. */
static void churn_for_ever(struct fixture *fixture, int pipe)
{
    struct churn churn = {.fixture = fixture, .held = HELD_BY_CHILD};

    fixture_open(fixture);
    churn_fill(&churn);
    for (;;) {
        if (write(pipe, "s", 1) != 1)
            _exit(3);
        churn_step(&churn);
    }
}

static void one_round(struct fixture *fixture, unsigned round)
{
    unsigned steps = 0;
    char byte;
    int ends[2];
    int status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        churn_for_ever(fixture, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        if (++steps == 30 + 7 * round)
            kill(pid, SIGKILL);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void nothing_is_lost_by_kill_9_during_compaction(void **state)
{
    struct fixture *fixture = small_segments();

    *state = fixture;
    for (unsigned round = 0; round < ROUNDS; round++) {
        one_round(fixture, round);
        fixture_open(fixture);
        assert_in_range(check_all(fixture), HELD_BY_CHILD - AT_ONCE, HELD_BY_CHILD);
        expunge(fixture, INBOX, 1, UINT32_MAX - 1);
        fixture_close(fixture);
    }
    fixture_open(fixture);
}

static bool dies_at_removal; /* of a segment file */

int unlink(const char *path)
{
    if (dies_at_removal && strstr(path, "/segment-") != NULL) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return (int)syscall(SYS_unlink, path);
}

static uint64_t segment_files(const struct fixture *fixture)
{
    char path[80];
    const struct dirent *entry;
    uint64_t count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/db1", fixture->folder);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        count += strncmp(entry->d_name, "segment-", 8) == 0;
    closedir(dir);
    return count;
}

/* Its row is gone from the index then. */
static void a_file_whose_removal_was_cut_off_goes_at_the_next_start(void **state)
{
    struct fixture *fixture = small_segments();
    int status;
    pid_t pid;

    *state = fixture;
    pid = fork();
    if (pid == 0) {
        fixture_open(fixture);
        thin_out(fixture);
        dies_at_removal = true;
        expunge(fixture, INBOX, 1, UINT32_MAX - 1);
        for (;;)
            pause();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    fixture_open(fixture);
    assert_int_equal(status_of(fixture).segments, segment_files(fixture));
}

/* ---- which segments ---- */

static struct segments *set_of_segments(const struct segment_record *rows, size_t count)
{
    struct segments_start how = {.folder = "/nonexistent", .start = 1, .next = 100, .txn = 5};
    struct segments *set;

    segments_open(&set, &how, rows, count);
    return set;
}

static void old_deletions_come_first_and_then_the_least_live(void **state)
{
    const struct segment_record rows[] = {
        {1, 1, SEGMENT_SEALED, 100, 100, 50, 0  },
        {2, 1, SEGMENT_SEALED, 100, 100, 20, 900},
        {3, 1, SEGMENT_SEALED, 100, 100, 60, 900}, /* live enough */
        {4, 1, SEGMENT_SEALED, 100, 100, 99, 400}, /* died too long ago */
        {5, 1, SEGMENT_SEALED, 100, 100, 0,  400}, /* dead: has only to wait */
        {6, 1, SEGMENT_FREE,   100, 100, 0,  400},
    };
    const struct segments_rule rule = {60, 500};
    struct segments *set = set_of_segments(rows, 6);
    uint32_t numbers[8];

    (void)state;
    assert_int_equal(segments_choose(set, &rule, numbers, 1), 1);
    assert_int_equal(numbers[0], 4);
    assert_int_equal(segments_choose(set, &(struct segments_rule){60, 0}, numbers, 8), 2);
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[1], 2);
    assert_int_equal(segments_give_up(set, numbers, 1), 1);
    assert_int_equal(segments_choose(set, &(struct segments_rule){60, 0}, numbers, 8), 1);
    assert_int_equal(numbers[0], 2);
    segments_close(&set);
}

static void operations_newer_than_the_copy_of_the_index_are_kept(void **state)
{
    const struct segment_record row = {1, 1, SEGMENT_SEALED, 100, 100, 0, 0};
    struct segments *set = set_of_segments(&row, 1);

    (void)state;
    segments_copied(set, 4);
    assert_false(segments_recycle(set, UINT64_MAX, 0));
    segments_copied(set, 5);
    assert_true(segments_recycle(set, UINT64_MAX, 0));
    segments_close(&set);
}

static void a_free_file_that_is_old_is_removed(void **state)
{
    const struct segment_record rows[] = {
        {1, 1, SEGMENT_FREE, 100, 100, 0, 0  }, /* never used */
        {2, 1, SEGMENT_FREE, 100, 100, 0, 900},
    };
    struct segments *set = set_of_segments(rows, 2);

    (void)state;
    assert_false(segments_recycle(set, UINT64_MAX, 800));
    assert_true(segments_recycle(set, UINT64_MAX, 1000));
    segments_close(&set);
}

int main(void)
{
#define TIDY(test) cmocka_unit_test_teardown(test, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_deletions_come_first_and_then_the_least_live),
        cmocka_unit_test(operations_newer_than_the_copy_of_the_index_are_kept),
        cmocka_unit_test(a_free_file_that_is_old_is_removed),
        TIDY(a_sealed_segment_with_operations_only_is_synced_with_the_next_content),
        TIDY(a_thinned_store_shrinks_by_itself),
        TIDY(the_writer_moves_what_was_read_for_it),
        TIDY(an_open_content_is_read_from_its_old_place),
        TIDY(nothing_is_lost_by_kill_9_during_compaction),
        TIDY(a_file_whose_removal_was_cut_off_goes_at_the_next_start),
        TIDY(constant_churn_stays_within_1_7_times_the_live_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
