/* The index file itself, below the operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox-backend/store/index.h"

#define ROWS 400u

struct file {
    char folder[32];
    char path[64];
    struct index *index;
};

static void must(enum err_code code, const struct err *err)
{
    if (code != ERR_NONE)
        fail_msg("%s", err->text);
}

static void open_index(struct file *file)
{
    struct err err;

    must(index_open(&file->index, file->folder, 1u << 30, 4, NULL, &err), &err);
}

static int setup(void **state)
{
    struct file *file = calloc(1, sizeof(*file));

    strcpy(file->folder, "/tmp/test-index-XXXXXX");
    assert_non_null(mkdtemp(file->folder));
    snprintf(file->path, sizeof(file->path), "%s/index.mdb", file->folder);
    open_index(file);
    *state = file;
    return 0;
}

static int teardown(void **state)
{
    struct file *file = *state;
    char lock[80];

    index_close(&file->index);
    snprintf(lock, sizeof(lock), "%s-lock", file->path);
    unlink(lock);
    unlink(file->path);
    rmdir(file->folder);
    free(file);
    return 0;
}

static uint64_t size_of(const struct file *file)
{
    struct stat facts;

    assert_int_equal(stat(file->path, &facts), 0);
    return (uint64_t)facts.st_size;
}

static uint64_t used(const struct file *file)
{
    struct index_size size;
    struct err err;

    must(index_measure(file->index, &size, &err), &err);
    return size.bytes;
}

static void write_row(struct file *file, uint32_t number)
{
    uint8_t value[1000];
    struct key key = key_item(1, number);
    struct index_txn *txn;
    struct err err;

    memset(value, (int)number, sizeof(value));
    must(index_write_begin(file->index, &txn, &err), &err);
    must(tx_put(&(struct tx){txn, 1}, TABLE_SUMMARY, &key, value, sizeof(value), &err), &err);
    must(index_commit(&txn, &err), &err);
}

static void assert_rows(struct file *file)
{
    struct index_txn *txn;
    struct err err;

    must(index_read_begin(file->index, &txn, &err), &err);
    for (uint32_t number = 1; number <= ROWS; number++) {
        struct key key = key_item(1, number);
        struct bytes row;

        must(tx_get(&(struct tx){txn, 1}, TABLE_SUMMARY, &key, &row, &err), &err);
        assert_int_equal(row.length, 1000);
        assert_int_equal(row.data[999], (uint8_t)number);
    }
    index_read_end(&txn);
}

static void commits_rarely_make_an_extended_file_longer(void **state)
{
    struct file *file = *state;
    unsigned longer = 0;

    for (uint32_t number = 1; number <= ROWS; number++) {
        uint64_t before;

        index_extend(file->index);
        before = size_of(file);
        assert_true(before > used(file));
        write_row(file, number);
        longer += size_of(file) != before;
    }
    assert_int_equal(longer, 0);
    assert_rows(file);
    index_close(&file->index);
    open_index(file);
    assert_rows(file);
}

static void extending_leaves_what_is_there(void **state)
{
    struct file *file = *state;
    uint64_t size;

    for (uint32_t number = 1; number <= ROWS; number++)
        write_row(file, number);
    index_extend(file->index);
    size = size_of(file);
    assert_true(size >= used(file));
    index_extend(file->index);
    assert_int_equal(size_of(file), size);
    assert_rows(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commits_rarely_make_an_extended_file_longer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(extending_leaves_what_is_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
