/* Disk faults, made by taking the place of a few functions of the C library. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/unit/store/fixture.h"

#include "common/log.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/segment_internal.h"

#define INBOX STORE_INBOX_FOLDER

enum fault {
    FAULT_NONE,
    FAULT_SEGMENT_SYNC,
    FAULT_SEGMENT_WRITE,
    FAULT_SEGMENT_WRITE_ONCE,
    FAULT_INDEX_WRITE,
    FAULT_META,
    FAULT_OPEN_INDEX, /* after a sync that failed */
};

static atomic_int fault;
static atomic_uint_fast64_t fake_free; /* bytes; 0: as they are */
static atomic_uint faults_met;

static bool is_file(int fd, const char *part)
{
    char link[64], path[256];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return strstr(path, part) != NULL;
}

static bool meets(enum fault which, int fd, const char *part)
{
    if (atomic_load(&fault) != (int)which || !is_file(fd, part))
        return false;
    atomic_fetch_add(&faults_met, 1);
    errno = EIO;
    return true;
}

/* What runs just before the next write of a record's bytes to segment 1. */
static void (*meanwhile)(void *context);
static void *meanwhile_context;
static atomic_uint first_syncs; /* of segment 1 */

int fdatasync(int fd)
{
    if (meets(FAULT_SEGMENT_SYNC, fd, "segment-") || meets(FAULT_OPEN_INDEX, fd, "segment-"))
        return -1;
    if (is_file(fd, "segment-00000001"))
        atomic_fetch_add(&first_syncs, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

static bool meets_once(int fd)
{
    if (!meets(FAULT_SEGMENT_WRITE_ONCE, fd, "segment-00000001"))
        return false;
    atomic_store(&fault, FAULT_NONE);
    return true;
}

static void run_meanwhile(int fd, size_t length)
{
    void (*run)(void *context) = meanwhile;

    if (run == NULL || length <= RECORD_HEADER || !is_file(fd, "segment-00000001"))
        return;
    meanwhile = NULL;
    run(meanwhile_context);
}

/* The two writes of a commit's last page: the one that fails, though the page cache has it, and the
   one by which LMDB would take it back. */
static bool meets_meta(int fd, const void *bytes, size_t length, off_t offset)
{
    if (atomic_load(&fault) != FAULT_META || length > 256 || !is_file(fd, "index.mdb"))
        return false;
    if (atomic_fetch_add(&faults_met, 1) == 0)
        syscall(SYS_pwrite64, fd, bytes, length, offset);
    else
        atomic_store(&fault, FAULT_NONE);
    errno = EIO;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    run_meanwhile(fd, length);
    if (meets_once(fd) || meets(FAULT_SEGMENT_WRITE, fd, "segment-") ||
        meets(FAULT_INDEX_WRITE, fd, "index.mdb") || meets_meta(fd, bytes, length, offset))
        return -1;
    return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    if (meets(FAULT_INDEX_WRITE, fd, "index.mdb"))
        return -1;
    return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite(fd, bytes, length, offset);
}

/* LMDB's. */
int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (atomic_load(&fault) == FAULT_OPEN_INDEX && strstr(path, "index.mdb") != NULL) {
        atomic_fetch_add(&faults_met, 1);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int statvfs(const char *path, struct statvfs *disk)
{
    int (*real)(const char *, struct statvfs *);
    int rc;

    *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    rc = real(path, disk);
    if (atomic_load(&fake_free) != 0)
        disk->f_bavail = atomic_load(&fake_free) / disk->f_frsize;
    return rc;
}

static void start(enum fault which)
{
    atomic_store(&faults_met, 0);
    atomic_store(&fault, (int)which);
}

static int teardown(void **state)
{
    start(FAULT_NONE);
    atomic_store(&fake_free, 0);
    return fixture_teardown(state);
}

static enum err_code try_append(struct fixture *fixture, const char *text)
{
    struct store_draft *draft = draft_of(fixture, text, strlen(text));
    struct store_op op = append_op(fixture, INBOX, draft);

    store_run(&op);
    store_draft_unref(&draft);
    return op.err.code;
}

/* The failed append is temporary, is not seen, and nothing else is harmed. */
static void survive(struct fixture *fixture, enum fault which)
{
    struct store_item item;

    append_text(fixture, INBOX, "before");
    start(which);
    assert_int_equal(try_append(fixture, "fails"), ERR_UNAVAILABLE);
    assert_true(atomic_load(&faults_met) > 0);
    start(FAULT_NONE);
    assert_int_equal(item_now(fixture, INBOX, 2, &item), ERR_NOT_FOUND);
    assert_int_equal(folder_now(fixture, INBOX).messages, 1);
    assert_content(fixture, INBOX, 1, "before", 6);
    assert_int_equal(append_text(fixture, INBOX, "after"), 2);
    fixture_reopen(fixture);
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    assert_content(fixture, INBOX, 1, "before", 6);
    assert_content(fixture, INBOX, 2, "after", 5);
}

static void a_failed_sync_fails_its_batch_only(void **state)
{
    survive(*state, FAULT_SEGMENT_SYNC);
}

static void a_failed_write_of_content_fails_its_batch_only(void **state)
{
    survive(*state, FAULT_SEGMENT_WRITE);
}

static void a_failed_commit_fails_its_batch_only(void **state)
{
    survive(*state, FAULT_INDEX_WRITE);
}

static void a_commit_that_failed_but_shows_is_taken_back(void **state)
{
    survive(*state, FAULT_META);
}

static enum err_code try_draft(struct fixture *fixture)
{
    struct store_draft *draft = NULL;
    enum err_code code = store_draft_create(fixture->store, 0, 1, &draft, NULL);

    if (code == ERR_NONE)
        store_draft_unref(&draft);
    return code;
}

/* Drafts are refused meanwhile, so no operation comes that would make the writer try. */
static void an_index_that_could_not_be_opened_is_tried_again_by_itself(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "fails", 5);
    struct store_op op = append_op(fixture, INBOX, draft);

    start(FAULT_OPEN_INDEX);
    assert_int_equal(store_run(&op), ERR_UNAVAILABLE);
    store_draft_unref(&draft);
    assert_int_equal(try_draft(fixture), ERR_UNAVAILABLE);
    assert_true(atomic_load(&faults_met) > 0);
    start(FAULT_NONE);
    while (try_draft(fixture) != ERR_NONE)
        usleep(1000);
    append_text(fixture, INBOX, "works");
    assert_content(fixture, INBOX, 1, "works", 5);
}

static void a_segment_whose_sync_failed_is_never_appended_to(void **state)
{
    struct fixture *fixture = *state;
    struct store_status before, after;

    append_text(fixture, INBOX, "before");
    store_status(fixture->store, &before);
    start(FAULT_SEGMENT_SYNC);
    assert_int_equal(try_append(fixture, "fails"), ERR_UNAVAILABLE);
    start(FAULT_NONE);
    append_text(fixture, INBOX, "after");
    store_status(fixture->store, &after);
    assert_true(after.segment_bytes > before.segment_bytes);
}

static void a_large_message_whose_segment_failed_is_refused(void **state)
{
    struct fixture *fixture = *state;
    size_t length = 3u << 20;
    uint8_t *bytes = calloc(1, length);
    struct store_draft *draft;
    struct store_op op;
    struct err err;

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * i >> 7);
    fixture_close(fixture);
    fixture->settings.compress = false;
    fixture_open(fixture);
    must(store_draft_create(fixture->store, 0, 0, &draft, &err), &err);
    must(store_draft_append(draft, bytes, length, &err), &err); /* has written pieces by now */
    must(store_draft_finish(draft, &err), &err);
    start(FAULT_SEGMENT_SYNC);
    assert_int_equal(try_append(fixture, "fails, and the segment with it"), ERR_UNAVAILABLE);
    start(FAULT_NONE);
    op = append_op(fixture, INBOX, draft);
    assert_int_equal(store_run(&op), ERR_UNAVAILABLE);
    store_draft_unref(&draft);
    append_bytes(fixture, INBOX, bytes, length);
    assert_content(fixture, INBOX, 1, bytes, length);
    free(bytes);
}

/* Bytes that do not compress, and are filled in once. */
static const uint8_t *noise(void)
{
    static uint8_t bytes[3u << 20];
    static size_t made;

    for (uint32_t x = 1; made < sizeof(bytes); made++)
        bytes[made] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    return bytes;
}

static uint64_t left_in_segment(struct fixture *fixture)
{
    struct segments *set = fixture->store->databases[0]->segments;
    uint64_t left;

    pthread_mutex_lock(&set->lock);
    left = set->active->record.size - set->active->record.used;
    pthread_mutex_unlock(&set->lock);
    return left;
}

/* Leaves a little room in the first segment: more than left, and less than 300 KB more. */
static void fill_segment(struct fixture *fixture, uint64_t left)
{
    append_text(fixture, INBOX, "opens it");
    while (left_in_segment(fixture) > left + 300000)
        append_bytes(fixture, INBOX, noise(), 200000);
}

static void a_failed_write_is_seen_though_the_next_record_goes_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft;
    struct store_op op;
    size_t length;

    fill_segment(fixture, 1000);
    length = left_in_segment(fixture) - RECORD_HEADER;
    if (length > PIECE_BYTES)
        length -= RECORD_HEADER; /* it is two pieces */
    draft = draft_of(fixture, noise(), length);
    op = append_op(fixture, INBOX, draft);
    start(FAULT_SEGMENT_WRITE_ONCE);
    assert_int_equal(store_run(&op), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&faults_met), 1);
    assert_true(left_in_segment(fixture) > 16u << 20); /* the operation record stands in the next */
    must(store_run(&op), &op.err);
    assert_content(fixture, INBOX, op.out.append.uid, noise(), length);
    store_draft_unref(&draft);
}

/* The writer syncs the first segment, and goes on to the next. */
static void fill_meanwhile(void *context)
{
    struct fixture *fixture = context;

    fill_segment(fixture, 0);
    append_bytes(fixture, INBOX, noise(), 800000);
    atomic_store(&first_syncs, 0);
}

static void a_piece_written_during_a_sync_is_synced_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft;
    struct store_op op;
    struct err err;

    append_text(fixture, INBOX, "opens the segment");
    must(store_draft_create(fixture->store, 0, 0, &draft, &err), &err);
    meanwhile_context = fixture;
    meanwhile = fill_meanwhile;
    must(store_draft_append(draft, noise(), (1u << 20) + (1u << 18), &err), &err);
    assert_null(meanwhile);
    must(store_draft_finish(draft, &err), &err);
    op = append_op(fixture, INBOX, draft);
    must(store_run(&op), &op.err);
    assert_int_equal(atomic_load(&first_syncs), 1);
    store_draft_unref(&draft);
}

static void a_full_disk_refuses_mail_but_not_deletion(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft;
    struct err err;

    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "two");
    draft = draft_of(fixture, "three", 5);
    atomic_store(&fake_free, 1u << 20);
    assert_int_equal(store_draft_create(fixture->store, 0, 5, &(struct store_draft *){NULL}, &err),
                     ERR_UNAVAILABLE);
    {
        struct store_op op = append_op(fixture, INBOX, draft);

        assert_int_equal(store_run(&op), ERR_UNAVAILABLE);
        expunge(fixture, INBOX, 1, 1);
        assert_int_equal(folder_now(fixture, INBOX).messages, 1);
        atomic_store(&fake_free, 0);
        assert_int_equal(store_run(&op), ERR_NONE);
    }
    store_draft_unref(&draft);
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
}

/* Waits for what the writer does in its idle time. */
static void wait_until_empty(struct fixture *fixture)
{
    struct store_status status;

    store_status(fixture->store, &status);
    for (int i = 0; i < 6000 && status.content_bytes != 0; i++) {
        usleep(10000);
        store_status(fixture->store, &status);
    }
    assert_int_equal(status.content_bytes, 0);
}

static void recoverable_items_go_early_when_the_disk_is_short(void **state)
{
    struct fixture *fixture = *state;
    struct store_status status;

    fixture_close(fixture);
    fixture->settings.recovery_seconds = 1000000;
    fixture_open(fixture);
    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "two");
    expunge(fixture, INBOX, 1, 2);
    store_status(fixture->store, &status);
    assert_int_equal(status.content_bytes, 2 * 64);
    fixture_close(fixture);
    atomic_store(&fake_free, 1u << 20);
    fixture_open(fixture); /* a round of housekeeping begins with the start */
    wait_until_empty(fixture);
}

/* An append with a summary that fills a page of the index with two others. */
static enum err_code append_bulky(struct fixture *fixture)
{
    char summary[STORE_SUMMARY_MAX] = "";
    struct store_draft *draft;
    struct store_op op;

    if (store_draft_create(fixture->store, 0, 1, &draft, NULL) != ERR_NONE)
        return ERR_UNAVAILABLE;
    assert_int_equal(store_draft_append(draft, "x", 1, NULL), ERR_NONE);
    assert_int_equal(store_draft_finish(draft, NULL), ERR_NONE);
    op = append_op(fixture, INBOX, draft);
    op.in.append.summary = summary;
    op.in.append.summary_length = sizeof(summary);
    store_run(&op);
    store_draft_unref(&draft);
    return op.err.code;
}

static void a_full_index_refuses_mail_but_not_deletion(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count = 0;

    fixture_close(fixture);
    fixture->settings.map_size = 2u << 20;
    fixture_open(fixture);
    while (append_bulky(fixture) == ERR_NONE)
        assert_true(++count < 3000);
    assert_true(count > 100);
    expunge(fixture, INBOX, 1, count);
    assert_int_equal(folder_now(fixture, INBOX).messages, 0);
    append_text(fixture, INBOX, "there is room again");
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_failed_sync_fails_its_batch_only),
        WITH_STORE(a_failed_write_of_content_fails_its_batch_only),
        WITH_STORE(a_failed_commit_fails_its_batch_only),
        WITH_STORE(a_commit_that_failed_but_shows_is_taken_back),
        WITH_STORE(an_index_that_could_not_be_opened_is_tried_again_by_itself),
        WITH_STORE(a_segment_whose_sync_failed_is_never_appended_to),
        WITH_STORE(a_large_message_whose_segment_failed_is_refused),
        WITH_STORE(a_failed_write_is_seen_though_the_next_record_goes_elsewhere),
        WITH_STORE(a_piece_written_during_a_sync_is_synced_again),
        WITH_STORE(a_full_disk_refuses_mail_but_not_deletion),
        WITH_STORE(recoverable_items_go_early_when_the_disk_is_short),
        WITH_STORE(a_full_index_refuses_mail_but_not_deletion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
