/* A store that is damaged in one way, and what a check then tells. */
#ifndef TESTS_STORE_DAMAGE_H
#define TESTS_STORE_DAMAGE_H

#include "tests/unit/store/fixture.h"

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/index_internal.h"
#include "mailbox-backend/store/maintain.h"

#define INBOX STORE_INBOX_FOLDER
#define MAILBOX 1u /* its number */
#define FINDINGS 64

struct told {
    struct maintain_finding findings[FINDINGS];
    unsigned count;
    bool unwanted;
};

static inline enum err_code on_found(void *context, const struct maintain_finding *finding,
                                     struct err *err)
{
    struct told *told = context;

    (void)err;
    assert_true(told->count < FINDINGS);
    told->findings[told->count++] = *finding;
    return ERR_NONE;
}

static inline bool on_wanted(void *context)
{
    return !((struct told *)context)->unwanted;
}

static inline struct check_result check_with(struct fixture *fixture, struct told *told,
                                             uint32_t window)
{
    struct check_options options = {.content = true,
                                    .share = 100,
                                    .window = window,
                                    .wanted = on_wanted,
                                    .found = on_found,
                                    .context = told};
    struct check_result result;
    struct err err;

    *told = (struct told){0};
    must(store_check(fixture->store, 0, &options, &result, &err), &err);
    assert_int_equal(result.findings, told->count);
    return result;
}

static inline void assert_sound(struct fixture *fixture)
{
    struct told told;

    check_with(fixture, &told, 0);
    for (unsigned i = 0; i < told.count; i++)
        print_error("folder %u uid %u: %s\n", told.findings[i].folder, told.findings[i].uid,
                    told.findings[i].problem);
    assert_int_equal(told.count, 0);
}

/* Exactly these problems are told, in any order; NULL ends. */
static inline void assert_told(struct fixture *fixture, const char *const *problems)
{
    struct told told;
    unsigned wanted = 0;

    check_with(fixture, &told, 0);
    for (; problems[wanted] != NULL; wanted++) {
        bool found = false;

        for (unsigned i = 0; i < told.count; i++)
            found = found || strstr(told.findings[i].problem, problems[wanted]) != NULL;
        if (!found)
            print_error("not told: %s\n", problems[wanted]);
        assert_true(found);
    }
    for (unsigned i = 0; i < told.count && told.count != wanted; i++)
        print_error("told: %s\n", told.findings[i].problem);
    assert_int_equal(told.count, wanted);
}

#define ASSERT_TOLD(fixture, ...) assert_told(fixture, (const char *const[]){__VA_ARGS__, NULL})

/* ---- damage, while the store is closed ---- */

static inline struct index *index_of(struct fixture *fixture, struct tx *tx)
{
    struct index *index;
    struct err err;
    char folder[80];

    fixture_close(fixture);
    snprintf(folder, sizeof(folder), "%s/db1", fixture->folder);
    must(index_open(&index, folder, fixture->settings.map_size, 4, NULL, &err), &err);
    must(index_write_begin(index, &tx->txn, &err), &err);
    tx->mailbox = MAILBOX;
    return index;
}

static inline void close_index(struct fixture *fixture, struct index *index, struct tx *tx)
{
    struct err err;

    must(index_commit(&tx->txn, &err), &err);
    index_close(&index);
    fixture_open(fixture);
}

/* Bytes of a row as it is stored, its checksum at the end, are changed; the checksum is not made anew. */
static inline void spoil_row(struct fixture *fixture, enum table table, struct key key,
                             void (*spoil)(uint8_t *bytes, size_t length))
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    uint8_t bytes[512];
    struct bytes row;
    struct err err;
    MDB_val k, v;

    must(tx_get(&tx, table, &key, &row, &err), &err);
    k = (MDB_val){key.length, key.bytes};
    v = (MDB_val){row.length + 4, bytes};
    assert_true(v.mv_size <= sizeof(bytes));
    memcpy(bytes, row.data, v.mv_size);
    spoil(bytes, v.mv_size);
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[table], &k, &v, 0), 0);
    close_index(fixture, index, &tx);
}

static inline void flip_one(uint8_t *bytes, size_t length)
{
    bytes[(length - 4) / 2] ^= 0x10;
}

/* A byte of the row's value is flipped. */
static inline void flip_row(struct fixture *fixture, enum table table, struct key key)
{
    spoil_row(fixture, table, key, flip_one);
}

static inline void put_row(struct fixture *fixture, enum table table, struct key key,
                           const void *row, size_t length)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct err err;

    must(tx_put(&tx, table, &key, row, length, &err), &err);
    close_index(fixture, index, &tx);
}

static inline void remove_row(struct fixture *fixture, enum table table, struct key key)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct err err;

    must(tx_remove(&tx, table, &key, &err), &err);
    close_index(fixture, index, &tx);
}

/* Copies the row's value. */
static inline size_t get_row(struct fixture *fixture, enum table table, struct key key,
                             uint8_t *row, size_t room)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct bytes value;
    struct err err;
    size_t length;

    must(tx_get(&tx, table, &key, &value, &err), &err);
    assert_true(value.length <= room);
    memcpy(row, value.data, value.length);
    length = value.length;
    close_index(fixture, index, &tx);
    return length;
}

static inline struct folder_state state_of(struct fixture *fixture)
{
    struct folder_state state;
    uint8_t row[FOLDER_STATE_ROW];

    get_row(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE), row, sizeof(row));
    assert_true(folder_state_unpack((struct bytes){row, sizeof(row)}, &state));
    return state;
}

static inline void put_state(struct fixture *fixture, const struct folder_state *state)
{
    uint8_t row[FOLDER_STATE_ROW];

    folder_state_pack(row, state);
    put_row(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE), row, sizeof(row));
}

static inline struct store_item item_of(struct fixture *fixture, uint32_t uid)
{
    struct store_item item;

    assert_int_equal(item_now(fixture, INBOX, uid, &item), ERR_NONE);
    return item;
}

static inline void put_item(struct fixture *fixture, const struct store_item *item)
{
    uint8_t row[ITEM_ROW];

    item_pack(row, item, item->modseq);
    put_row(fixture, TABLE_ITEM, key_item(INBOX, item->uid), row, sizeof(row));
}

static inline void put_references(struct fixture *fixture, uint64_t id, uint32_t references)
{
    uint8_t row[256];
    size_t length = get_row(fixture, TABLE_CONTENT, key_content(id), row, sizeof(row));
    struct content_head head;

    assert_true(content_head_unpack((struct bytes){row, length}, &head));
    head.references = references;
    content_head_pack(row, &head);
    put_row(fixture, TABLE_CONTENT, key_content(id), row, length);
}

static inline void flip_file(struct fixture *fixture, const char *name, long offset)
{
    char path[96];
    FILE *file;
    int byte;

    snprintf(path, sizeof(path), "%s/db1/%s", fixture->folder, name);
    file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    byte = fgetc(file);
    fseek(file, offset, SEEK_SET);
    fputc(byte ^ 0x20, file);
    fclose(file);
}

/* Three messages, the last of them in two folders. */
static inline void fill(struct fixture *fixture)
{
    uint32_t archive = make_folder(fixture, STORE_ROOT_FOLDER, "Archive");
    struct uidset uids = set_of(3, 3);
    struct store_op op = {
        .kind = OP_COPY, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &uids};

    append_text(fixture, INBOX, "one");
    append_text(fixture, INBOX, "the second");
    append_text(fixture, INBOX, "the third message");
    op.in.copy.target = archive;
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    uidset_release(&uids);
}

#endif
