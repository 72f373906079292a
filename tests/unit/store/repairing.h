/* A store that was damaged is repaired: nothing is left, the check has nothing more to say, and what could be read before
   can be read again. */
#ifndef TESTS_STORE_REPAIRING_H
#define TESTS_STORE_REPAIRING_H

#include "tests/unit/store/damage.h"

#define SECOND "the second"
#define THIRD "the third message"

struct mended {
    char done[FINDINGS][240];
    char problem[FINDINGS][240];
    bool mended[FINDINGS];
    unsigned count;
    struct repair_result result;
};

static inline enum err_code on_told(void *context, const struct maintain_finding *finding,
                                    bool is_mended, const char *done, struct err *err)
{
    struct mended *mended = context;

    (void)err;
    assert_true(mended->count < FINDINGS);
    strcpy(mended->done[mended->count], done);
    strcpy(mended->problem[mended->count], finding->problem);
    mended->mended[mended->count++] = is_mended;
    return ERR_NONE;
}

static inline void repair_with(struct fixture *fixture, struct mended *mended, bool dry_run)
{
    struct repair_options options = {
        .check = {.content = true, .share = 100, .context = mended},
        .dry_run = dry_run,
        .told = on_told
    };
    struct err err;

    *mended = (struct mended){0};
    must(store_repair(fixture->store, 0, &options, &mended->result, &err), &err);
}

/* Repairs; nothing is left, and the check is content. */
static inline struct mended repair(struct fixture *fixture)
{
    static struct mended mended;

    repair_with(fixture, &mended, false);
    for (unsigned i = 0; i < mended.count; i++)
        if (!mended.mended[i])
            print_error("left: %s\n", mended.problem[i]);
    assert_int_equal(mended.result.left, 0);
    assert_true(mended.result.mended > 0);
    assert_sound(fixture);
    return mended;
}

static inline void assert_done(const struct mended *mended, const char *done)
{
    for (unsigned i = 0; i < mended->count; i++)
        if (strstr(mended->done[i], done) != NULL)
            return;
    for (unsigned i = 0; i < mended->count; i++)
        print_error("%s: %s\n", mended->problem[i], mended->done[i]);
    print_error("not done: %s\n", done);
    fail();
}

static inline void assert_all_there(struct fixture *fixture)
{
    assert_content(fixture, INBOX, 1, "one", 3);
    assert_content(fixture, INBOX, 2, SECOND, strlen(SECOND));
    assert_content(fixture, INBOX, 3, THIRD, strlen(THIRD));
    assert_int_equal(folder_now(fixture, INBOX).messages, 3);
}

static inline uint32_t find_folder(struct fixture *fixture, uint32_t parent, const char *name)
{
    struct store_read *read = read_begin(fixture);
    struct store_folder folder = {0};
    enum err_code code = store_folder_find(read, parent, str_of(name), &folder, NULL);

    store_read_end(&read);
    return code == ERR_NONE ? folder.id : 0;
}

static inline int setup(void **state)
{
    int rc = fixture_setup(state);

    fill(*state);
    return rc;
}

static inline void flip_all(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)~bytes[i];
}

/* Every byte of the row is wrong. */
static inline void garble_row(struct fixture *fixture, enum table table, struct key key)
{
    spoil_row(fixture, table, key, flip_all);
}

/* Operation records cannot be read any more. */
static inline void garble_operations(struct fixture *fixture)
{
    char path[96];
    uint8_t head[RECORD_HEADER];
    FILE *file;

    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->folder);
    file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = SEGMENT_HEADER; at < 1 << 20; at += RECORD_ALIGN) {
        struct record_head record;

        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
        if (!record_head_unpack(head, &record, 1, (uint32_t)at) || record.type != RECORD_OPERATIONS)
            continue;
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fwrite("gone", 1, 4, file), 4);
    }
    fclose(file);
    fixture_open(fixture);
}

static inline void assert_file(struct fixture *fixture, uint64_t content, const char *text)
{
    char path[128], bytes[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/db1/found/content-%llu", fixture->folder,
             (unsigned long long)content);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof(bytes), file), strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
    fclose(file);
}

#endif
