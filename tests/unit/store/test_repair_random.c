/* Rows are damaged at random: whatever they are, no text is lost. */
#include <dirent.h>

#include "tests/unit/store/repairing.h"

#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/rebuild.h"

/* ---- at random ---- */

#define ROUNDS 12
#define DAMAGES 4
#define TEXTS 40

static unsigned seed;

static unsigned pick(unsigned below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % below;
}

/* A byte of a random row's value is changed. */
static void damage_one(struct index *index, struct tx *tx, enum table table)
{
    uint8_t bytes[2048];
    MDB_cursor *cursor;
    MDB_stat stat;
    MDB_val key, value;

    assert_int_equal(mdb_stat(tx->txn->mdb, index->tables[table], &stat), 0);
    if (stat.ms_entries == 0)
        return;
    assert_int_equal(mdb_cursor_open(tx->txn->mdb, index->tables[table], &cursor), 0);
    for (unsigned n = pick((unsigned)stat.ms_entries) + 1; n > 0; n--)
        assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_NEXT), 0);
    assert_true(value.mv_size <= sizeof(bytes));
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[pick((unsigned)value.mv_size)] ^= (uint8_t)(1u << pick(8));
    value.mv_data = bytes;
    assert_int_equal(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    mdb_cursor_close(cursor);
}

static void damage(struct fixture *fixture)
{
    static const enum table tables[] = {TABLE_ITEM,   TABLE_ITEM,     TABLE_ITEM,    TABLE_CONTENT,
                                        TABLE_FOLDER, TABLE_NAME,     TABLE_SUMMARY, TABLE_KEYWORD,
                                        TABLE_BLOCK,  TABLE_VANISHED, TABLE_MAILBOX};
    struct tx tx;
    struct index *index = index_of(fixture, &tx);

    for (unsigned n = 0; n < DAMAGES; n++)
        damage_one(index, &tx, tables[pick(sizeof(tables) / sizeof(tables[0]))]);
    close_index(fixture, index, &tx);
}

static void text_of(char text[32], unsigned n)
{
    snprintf(text, 32, "the text with the number %u", n);
}

static void see_text(bool seen[TEXTS], const char *bytes, size_t length)
{
    char text[32];

    for (unsigned n = 0; n < TEXTS; n++) {
        text_of(text, n);
        if (length == strlen(text) && memcmp(bytes, text, length) == 0)
            seen[n] = true;
    }
}

static void see_folder(struct fixture *fixture, uint32_t folder, bool seen[TEXTS])
{
    struct store_read *read = read_begin(fixture);
    struct store_item items[200];
    size_t count = 0;

    store_item_scan(read, folder, 1, UINT32_MAX - 1, 0, items, 200, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        struct store_content *content;
        char bytes[64];
        size_t got;
        struct err err;

        must(store_content_open(read, &items[i], &content, &err), &err);
        must(store_content_read(content, 0, bytes, sizeof(bytes), &got, &err), &err);
        see_text(seen, bytes, got);
        store_content_close(&content);
    }
    store_read_end(&read);
}

static void see_files(struct fixture *fixture, bool seen[TEXTS])
{
    char path[400], bytes[64];
    const struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/db1/found", fixture->folder);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        FILE *file;

        snprintf(path, sizeof(path), "%s/db1/found/%s", fixture->folder, entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (file == NULL)
            continue;
        see_text(seen, bytes, fread(bytes, 1, sizeof(bytes), file));
        fclose(file);
    }
    if (dir != NULL)
        closedir(dir);
}

static void see_folders(struct fixture *fixture, uint32_t parent, bool seen[TEXTS])
{
    struct store_folder folder = {0};
    struct store_read *read = read_begin(fixture);

    while (store_folder_next(read, parent, folder.name, &folder, NULL) == ERR_NONE) {
        see_folder(fixture, folder.id, seen);
        see_folders(fixture, folder.id, seen);
    }
    store_read_end(&read);
}

static void assert_all_seen(struct fixture *fixture, unsigned count, unsigned round)
{
    bool seen[TEXTS] = {0};

    see_folders(fixture, STORE_ROOT_FOLDER, seen);
    see_files(fixture, seen);
    for (unsigned n = 0; n < count; n++) {
        if (!seen[n])
            print_error("round %u: text %u is lost\n", round, n);
        assert_true(seen[n]);
    }
}

static void append_texts(struct fixture *fixture, unsigned from, unsigned to)
{
    char text[32];

    for (unsigned n = from; n < to; n++) {
        text_of(text, n);
        append_text(fixture, n % 2 == 0 ? INBOX : 3, text);
    }
}

static void whatever_rows_are_damaged_no_text_is_lost(void **state)
{
    struct fixture *fixture = *state;

    seed = 20261124;
    append_texts(fixture, 0, TEXTS);
    expunge(fixture, INBOX, 1, 3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct mended mended;

        damage(fixture);
        repair_with(fixture, &mended, false);
        assert_int_equal(mended.result.left, 0);
        assert_sound(fixture);
        assert_all_seen(fixture, TEXTS, round);
    }
}

/* ---- a copy that is damaged at random ---- */

/* The copy takes the index's place, and is damaged there: the index is lost. */
static void damage_copy(struct fixture *fixture)
{
    static const enum table tables[] = {TABLE_ITEM, TABLE_ITEM,    TABLE_CONTENT, TABLE_FOLDER,
                                        TABLE_NAME, TABLE_KEYWORD, TABLE_MAILBOX, TABLE_BLOCK};
    char index_path[96], copy_path[96];
    struct index *index;
    struct err err;
    struct tx tx;

    snprintf(index_path, sizeof(index_path), "%s/db1/index.mdb", fixture->folder);
    snprintf(copy_path, sizeof(copy_path), "%s/db1/index.copy", fixture->folder);
    fixture_close(fixture);
    assert_int_equal(rename(copy_path, index_path), 0);
    index = index_of(fixture, &tx);
    for (unsigned n = 0; n < DAMAGES; n++)
        damage_one(index, &tx, tables[pick(sizeof(tables) / sizeof(tables[0]))]);
    must(index_commit(&tx.txn, &err), &err);
    index_close(&index);
    assert_int_equal(rename(index_path, copy_path), 0);
}

static void nor_when_the_index_is_made_again_from_a_damaged_copy(void **state)
{
    const struct rebuild_options options = {0};
    struct fixture *fixture = *state;

    seed = 24112026;
    append_texts(fixture, 0, TEXTS - ROUNDS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct rebuild_result result;
        struct mended mended;
        struct err err;

        must(copier_copy(fixture->store->databases[0], &err), &err);
        append_texts(fixture, TEXTS - ROUNDS + round, TEXTS - ROUNDS + round + 1);
        damage_copy(fixture);
        must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
        fixture_open(fixture);
        repair_with(fixture, &mended, false);
        assert_int_equal(mended.result.left, 0);
        assert_sound(fixture);
        assert_all_seen(fixture, TEXTS - ROUNDS + round + 1, round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(whatever_rows_are_damaged_no_text_is_lost),
        TEST(nor_when_the_index_is_made_again_from_a_damaged_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
