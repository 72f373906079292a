/* Segment files that the index does not know: removed when nothing in them can be wanted, else kept. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/crc32c.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/journal.pb-c.h"
#include "mailbox-backend/store/segment_internal.h"
#include "tests/unit/store/fixture.h"

#define NUMBER 7u
#define START 5u /* of the opening */
#define BATCH 40u

struct place {
    char folder[64];
    char *file;
    uint32_t end; /* where the next record comes */
};

static int setup(void **state)
{
    const struct segment_record record = {
        .number = NUMBER, .generation = 1, .size = SEGMENT_STEP, .state = SEGMENT_FREE};
    struct place *place = calloc(1, sizeof(*place));
    struct err err;

    strcpy(place->folder, "/tmp/leftover-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->file = segment_path(place->folder, NUMBER);
    place->end = SEGMENT_HEADER;
    must(segment_make(place->folder, &record, &err), &err);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    unlink(place->file);
    assert_int_equal(rmdir(place->folder), 0);
    free(place->file);
    free(place);
    return 0;
}

static void put(struct place *place, enum record_type type, uint32_t start, const void *bytes,
                uint32_t length)
{
    struct record_head head = {.type = type,
                               .generation = 1,
                               .start = start,
                               .stored = length,
                               .real = length,
                               .crc = crc32c(0, bytes, length)};
    int fd = open(place->file, O_WRONLY);
    uint8_t packed[RECORD_HEADER];

    record_head_pack(packed, &head, NUMBER, place->end);
    assert_int_equal(pwrite(fd, packed, sizeof(packed), place->end), sizeof(packed));
    assert_int_equal(pwrite(fd, bytes, length, place->end + RECORD_HEADER), length);
    close(fd);
    place->end += record_space(length);
}

static void put_piece(struct place *place, uint32_t start)
{
    static const char text[100] = "content";

    put(place, RECORD_PIECE, start, text, sizeof(text));
    place->end += 3 * RECORD_ALIGN; /* room that was reserved, and never written */
}

static void put_operations(struct place *place, uint64_t number, uint64_t before)
{
    Journal__Batch batch = JOURNAL__BATCH__INIT;
    uint8_t bytes[64];

    batch.number = number;
    batch.before = before;
    batch.last = true;
    put(place, RECORD_OPERATIONS, START - 1, bytes, (uint32_t)journal__batch__pack(&batch, bytes));
}

static bool is_named(void *context, uint32_t number)
{
    const bool *named = context;

    assert_int_equal(number, NUMBER);
    return *named;
}

/* Opens the segments; next: the number that the index would give to the next file. */
static bool stays(struct place *place, uint32_t next, bool named)
{
    struct segments_start how = {.folder = place->folder,
                                 .start = START,
                                 .next = next,
                                 .batch = BATCH,
                                 .is_named = is_named,
                                 .context = &named};
    struct segments *set;
    bool there;

    segments_open(&set, &how, NULL, 0);
    assert_true(segments_next_number(set) > NUMBER);
    there = access(place->file, F_OK) == 0;
    segments_close(&set);
    return there;
}

static void a_file_that_was_only_made_is_removed(void **state)
{
    assert_false(stays(*state, NUMBER, true));
}

static void what_was_written_and_never_committed_is_removed(void **state)
{
    put_piece(*state, START - 1);
    put_operations(*state, BATCH + 1, BATCH);
    assert_false(stays(*state, NUMBER, false));
}

static void a_file_with_content_that_is_named_stays(void **state)
{
    put_piece(*state, START - 1);
    assert_true(stays(*state, NUMBER + 1, true));
    assert_true(stays(*state, NUMBER, true));
    assert_false(stays(*state, NUMBER + 1, false));
}

static void a_file_that_is_newer_than_the_index_stays(void **state)
{
    put_operations(*state, BATCH + 1, BATCH);
    put_piece(*state, START - 1);
    put_operations(*state, BATCH + 2, BATCH + 1); /* BATCH + 1 was committed */
    assert_true(stays(*state, NUMBER, false));
}

static void a_file_of_a_start_that_the_index_does_not_know_stays(void **state)
{
    put_piece(*state, START - 1);
    put_piece(*state, START);
    assert_true(stays(*state, NUMBER, false));
}

static void a_file_with_a_damaged_header_stays(void **state)
{
    const struct place *place = *state;
    int fd = open(place->file, O_WRONLY);

    assert_int_equal(pwrite(fd, "x", 1, 17), 1);
    close(fd);
    assert_true(stays(*state, NUMBER, false));
}

/* ---- a store ---- */

#define LARGE (3u << 20)

/* The maker is at rest, so that no file has a name before it is known. */
static void assert_all_known(struct fixture *fixture)
{
    struct segments *set = fixture->mailbox->database->segments;
    bool rests = false;

    while (!rests) {
        pthread_mutex_lock(&set->lock);
        rests = !set->wanted;
        for (uint32_t number = 1; rests && number < 20; number++) {
            char *file = segment_path(set->folder, number);

            assert_int_equal(access(file, F_OK) == 0, segments_find(set, number) != NULL);
            free(file);
        }
        pthread_mutex_unlock(&set->lock);
        usleep(1000);
    }
}

static void a_message_that_was_cut_off_leaves_no_file_behind(void **state)
{
    struct fixture *fixture = fixture_make();
    char *bytes = calloc(1, LARGE);
    int ended;
    pid_t pid;

    *state = fixture;
    fixture->settings.segment_size = SEGMENT_STEP;
    fixture->settings.compress = false;
    pid = fork();
    if (pid == 0) {
        fixture_open(fixture);
        append_text(fixture, STORE_INBOX_FOLDER, "kept");
        draft_of(fixture, bytes, LARGE);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_true(WIFSIGNALED(ended));
    fixture_open(fixture);
    assert_content(fixture, STORE_INBOX_FOLDER, 1, "kept", 4);
    assert_all_known(fixture);
    free(bytes);
}

static void copy_file(const char *from, const char *to)
{
    char command[300];

    snprintf(command, sizeof(command), "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static uint64_t files_of(const char *folder)
{
    uint64_t files = 0;

    for (uint32_t number = 1; number < 64; number++) {
        char *file = segment_path(folder, number);

        if (access(file, F_OK) == 0)
            files |= UINT64_C(1) << number;
        free(file);
    }
    return files;
}

/* The pieces of a large message fill files of their own, which tell nothing. */
static void no_file_goes_when_another_shows_that_the_index_is_older(void **state)
{
    struct fixture *fixture = fixture_make();
    char *bytes = calloc(1, LARGE);
    char folder[80], index[100], older[100];
    uint64_t files;

    *state = fixture;
    fixture->settings.segment_size = SEGMENT_STEP;
    fixture->settings.compress = false;
    fixture_open(fixture);
    append_text(fixture, STORE_INBOX_FOLDER, "first");
    fixture_close(fixture);
    snprintf(folder, sizeof(folder), "%s/db1", fixture->folder);
    snprintf(index, sizeof(index), "%s/index.mdb", folder);
    snprintf(older, sizeof(older), "%s/older", fixture->folder);
    copy_file(index, older);
    fixture_open(fixture);
    append_bytes(fixture, STORE_INBOX_FOLDER, bytes, LARGE);
    append_text(fixture, STORE_INBOX_FOLDER, "last");
    fixture_close(fixture);
    files = files_of(folder);
    copy_file(older, index);
    fixture_open(fixture);
    assert_true((files_of(folder) & files) == files);
    free(bytes);
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_file_that_was_only_made_is_removed),
        WITH_FILE(what_was_written_and_never_committed_is_removed),
        WITH_FILE(a_file_with_content_that_is_named_stays),
        WITH_FILE(a_file_that_is_newer_than_the_index_stays),
        WITH_FILE(a_file_of_a_start_that_the_index_does_not_know_stays),
        WITH_FILE(a_file_with_a_damaged_header_stays),
        cmocka_unit_test_teardown(a_message_that_was_cut_off_leaves_no_file_behind,
                                  fixture_teardown),
        cmocka_unit_test_teardown(no_file_goes_when_another_shows_that_the_index_is_older,
                                  fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
