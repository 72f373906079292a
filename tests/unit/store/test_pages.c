/* Pages of a closed index are damaged: the check tells, or nothing came of it, and nobody crashes. */
#include "tests/unit/store/damage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/pages.h"

#define PAGE 4096u
#define DAMAGES 200u

struct file {
    char path[96];
    uint8_t *bytes; /* as it was */
    size_t length;
};

static void set_property(struct fixture *fixture, const char *name, size_t length)
{
    uint8_t *value = calloc(1, length);
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = fixture->mailbox, .folder = INBOX};

    op.in.property.property = (struct store_property){name, value, length};
    must(store_run(&op), &op.err);
    free(value);
}

/* Trees of two and three levels, values in overflow pages, and free pages. */
static int setup(void **state)
{
    int rc = fixture_setup(state);
    struct fixture *fixture = *state;

    fill(fixture);
    append_many(fixture, INBOX, 3000);
    set_property(fixture, "large", 8000);
    set_property(fixture, "larger", 8192);
    expunge(fixture, INBOX, 200, 900);
    expunge(fixture, INBOX, 1500, 1600);
    set_property(fixture, "large", 5000);
    return rc;
}

static void file_read(struct fixture *fixture, struct file *file)
{
    struct stat facts;
    int fd;

    fixture_close(fixture);
    snprintf(file->path, sizeof(file->path), "%s/db1/index.mdb", fixture->folder);
    fd = open(file->path, O_RDONLY);
    assert_int_equal(fstat(fd, &facts), 0);
    file->length = (size_t)facts.st_size;
    file->bytes = malloc(file->length);
    assert_int_equal(read(fd, file->bytes, file->length), (ssize_t)file->length);
    close(fd);
}

static void file_write(const struct file *file, const uint8_t *bytes)
{
    int fd = open(file->path, O_WRONLY);

    assert_int_equal(pwrite(fd, bytes, file->length, 0), (ssize_t)file->length);
    close(fd);
}

static void assert_page_told(const struct file *file, const uint8_t *bytes, const char *problem)
{
    struct err err;

    file_write(file, bytes);
    assert_int_equal(pages_look(file->path, NULL, &err), ERR_CORRUPT);
    if (strstr(err.text, problem) == NULL)
        print_error("not '%s', but '%s'\n", problem, err.text);
    assert_non_null(strstr(err.text, problem));
}

/* ---- at random ---- */

static uint64_t random_state;

static uint32_t random_below(size_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

static void damage(const struct file *file, uint8_t *bytes)
{
    size_t pages = file->length / PAGE;
    uint8_t *page = bytes + (2 + random_below(pages - 2)) * PAGE;
    size_t at = random_below(2) == 0 ? random_below(64) : random_below(PAGE - 64);
    size_t length = 1 + random_below(64);

    switch (random_below(6)) {
    case 0: /* a sector that was never written */
        memset(page, 0, 512 * (1 + random_below(8)));
        break;
    case 1: /* another page's */
        memcpy(page, bytes + random_below(pages) * PAGE, PAGE);
        break;
    case 2:
        page[at] ^= (uint8_t)(1u << random_below(8));
        break;
    case 3: /* the right number, and the rest another's */
        memcpy(page + 8, bytes + random_below(pages) * PAGE + 8, PAGE - 8);
        break;
    default:
        while (length-- > 0)
            page[at + length] = (uint8_t)random_below(256);
    }
}

/* In a process of its own: 0: nothing is found, 1: something is. */
static int look(struct fixture *fixture)
{
    struct told told = {0};
    struct check_options options = {
        .share = 100, .wanted = on_wanted, .found = on_found, .context = &told};
    struct check_result result;
    struct err err;

    fixture->settings.check_pages = true;
    if (store_open(&fixture->store, &fixture->settings, &err) != ERR_NONE)
        return err.code == ERR_CORRUPT ? 1 : 2;
    if (store_check(fixture->store, 0, &options, &result, &err) != ERR_NONE)
        return 3;
    store_close(&fixture->store);
    return result.findings > 0;
}

static void whatever_is_damaged_is_told_and_nothing_crashes(void **state)
{
    struct fixture *fixture = *state;
    struct file file;
    unsigned found = 0;
    uint8_t *bytes;

    file_read(fixture, &file);
    bytes = malloc(file.length);
    for (unsigned seed = 1; seed <= DAMAGES; seed++) {
        int status;
        pid_t child;

        random_state = seed;
        memcpy(bytes, file.bytes, file.length);
        damage(&file, bytes);
        file_write(&file, bytes);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(look(fixture));
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
            print_error("seed %u: status %x\n", seed, (unsigned)status);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        found += WEXITSTATUS(status) == 1;
    }
    print_message("%u of %u damages told; the others changed no row\n", found, DAMAGES);
    assert_true(found > DAMAGES / 4);
    file_write(&file, file.bytes);
    fixture_open(fixture);
    assert_sound(fixture);
    free(bytes);
    free(file.bytes);
}

/* ---- one by one ---- */

/* The first page behind after that is of this kind and without which the index is not sound. */
static size_t page_of(const struct file *file, unsigned kind, size_t after)
{
    uint8_t *bytes = malloc(file->length);
    size_t pages = file->length / PAGE;
    struct err err = {0};
    size_t page;

    for (page = after + 1; page < pages; page++) {
        if (file->bytes[page * PAGE + 10] != kind)
            continue;
        memcpy(bytes, file->bytes, file->length);
        bytes[page * PAGE] ^= 1;
        file_write(file, bytes);
        if (pages_look(file->path, NULL, &err) == ERR_CORRUPT)
            break;
    }
    assert_true(page < pages);
    free(bytes);
    return page;
}

static void each_kind_of_damage_has_its_words(void **state)
{
    struct file file;
    uint8_t *bytes, *leaf, *branch;
    size_t first, second;

    file_read(*state, &file);
    bytes = malloc(file.length);
    first = page_of(&file, 1, 1);
    memcpy(bytes, file.bytes, file.length);
    branch = bytes + first * PAGE;
    branch[0] ^= 1;
    assert_page_told(&file, bytes, "it says that it is page");
    branch[0] ^= 1;
    branch[10] = 2;
    assert_page_told(&file, bytes, "it should be a branch");
    branch[10] = 1;
    second = branch[16] + 256u * branch[17]; /* the first child becomes one that there is not */
    branch[second + 3] = 0x7F;
    assert_page_told(&file, bytes, "which is none of the file's");
    memcpy(bytes, file.bytes, file.length);
    second = branch[18] + 256u * branch[19]; /* the second child becomes the first */
    memcpy(branch + second, branch + branch[16] + 256u * branch[17], 4);
    assert_page_told(&file, bytes, "which is used elsewhere too");
    memcpy(bytes, file.bytes, file.length);
    leaf = bytes + page_of(&file, 2, 1) * PAGE;
    leaf[13] = 0x70;
    assert_page_told(&file, bytes, "its bounds make no sense");
    free(bytes);
    free(file.bytes);
}

static void an_index_that_is_cut_is_told(void **state)
{
    struct file file;
    struct err err;

    file_read(*state, &file);
    assert_int_equal(pages_look(file.path, NULL, &err), ERR_NONE);
    assert_int_equal(truncate(file.path, (off_t)(file.length / 2 / PAGE * PAGE)), 0);
    assert_int_equal(pages_look(file.path, NULL, &err), ERR_CORRUPT);
    free(file.bytes);
}

/* Before the last page of the value that comes last in the file. */
static void an_index_that_is_cut_within_a_value_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct file file;
    struct err err;
    size_t value;

    for (char name[] = "value-a"; name[6] <= 'z'; name[6]++)
        set_property(fixture, name, 8192);
    file_read(fixture, &file);
    value = file.length / PAGE - 1;
    while (file.bytes[value * PAGE] == 0 || file.bytes[value * PAGE + 10] != 4)
        value--;
    assert_int_equal(file.bytes[value * PAGE + 12], 3);
    assert_int_equal(truncate(file.path, (off_t)((value + 2) * PAGE)), 0);
    assert_int_equal(pages_look(file.path, NULL, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "it cannot be read: the file ends"));
    free(file.bytes);
}

/* The store serves; the page goes bad under it. */
static void a_check_of_a_store_that_serves_tells_and_stops_there(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    struct file file;
    uint8_t zeros[PAGE] = {0};
    size_t page;
    int fd;

    file_read(fixture, &file);
    page = page_of(&file, 2, 1);
    while (memmem(file.bytes + page * PAGE, PAGE, "larger", 6) == NULL)
        page = page_of(&file, 2, page); /* the table of properties, which nobody else reads now */
    file_write(&file, file.bytes);
    fixture_open(fixture);
    fd = open(file.path, O_WRONLY);
    assert_int_equal(pwrite(fd, zeros, PAGE, (off_t)(page * PAGE)), PAGE);
    check_with(fixture, &told, 0);
    assert_true(told.count >= 1);
    for (unsigned i = 0; i < told.count; i++)
        assert_non_null(strstr(told.findings[i].problem, "of the index file is damaged"));
    assert_non_null(strstr(told.findings[0].advice, "database rebuild"));
    assert_int_equal(pwrite(fd, file.bytes + page * PAGE, PAGE, (off_t)(page * PAGE)), PAGE);
    close(fd);
    assert_sound(fixture);
    free(file.bytes);
}

/* ---- an index that is written to ---- */

static void on_false_finding(void *context, const char *table, uint64_t page, const char *problem)
{
    (void)context;
    print_error("page %llu of table %s: %s\n", (unsigned long long)page, table, problem);
    assert_true(false);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

/* One leaf in a snapshot. False: the walk is at its end. */
static bool walk_leaf(struct index *index, struct pages *pages)
{
    struct index_txn *txn;
    bool ended;
    struct err err;

    must(index_read_begin(index, &txn, &err), &err);
    assert_true(pages_at(pages, index_txn_id(txn)));
    ended = pages_walk(pages, NULL, at_once, NULL);
    index_read_end(&txn);
    return !ended;
}

/* every: how many leaves are walked between two changes. */
static unsigned walk_among_changes(struct fixture *fixture, unsigned every)
{
    struct index *index = fixture->mailbox->database->index;
    unsigned leaves = 0, uid = 2;
    struct pages *pages;
    struct err err;

    must(pages_open(&pages, index_path(index), on_false_finding, NULL, &err), &err);
    while (walk_leaf(index, pages)) {
        if (++leaves % every != 0)
            continue;
        set_property(fixture, "large", 100 + leaves % 70 * 100);
        expunge(fixture, INBOX, uid, uid + 20);
        append_many(fixture, INBOX, 10 + leaves % 20);
        uid += 30;
    }
    pages_close(&pages);
    return leaves;
}

static void a_walk_through_many_snapshots_tells_nothing_of_a_sound_index(void **state)
{
    assert_true(walk_among_changes(*state, 1000000) > 60);
    assert_true(walk_among_changes(*state, 1) > 60);
    assert_true(walk_among_changes(*state, 7) > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_is_damaged_is_told_and_nothing_crashes, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(each_kind_of_damage_has_its_words, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_index_that_is_cut_is_told, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_index_that_is_cut_within_a_value_is_told, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_check_of_a_store_that_serves_tells_and_stops_there, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(
            a_walk_through_many_snapshots_tells_nothing_of_a_sound_index, setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
