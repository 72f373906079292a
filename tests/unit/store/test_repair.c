/* A store is damaged in one way: the check names it, repair mends it, the check has nothing more to
   say, and what could be read before can be read again. */
#include "tests/unit/store/damage.h"

#include <dirent.h>

#define SECOND "the second"
#define THIRD "the third message"

struct mended {
    char done[FINDINGS][240];
    char problem[FINDINGS][240];
    bool mended[FINDINGS];
    unsigned count;
    struct repair_result result;
};

static enum err_code on_told(void *context, const struct maintain_finding *finding, bool is_mended,
                             const char *done, struct err *err)
{
    struct mended *mended = context;

    (void)err;
    assert_true(mended->count < FINDINGS);
    strcpy(mended->done[mended->count], done);
    strcpy(mended->problem[mended->count], finding->problem);
    mended->mended[mended->count++] = is_mended;
    return ERR_NONE;
}

static void repair_with(struct fixture *fixture, struct mended *mended, bool dry_run)
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
static struct mended repair(struct fixture *fixture)
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

static void assert_done(const struct mended *mended, const char *done)
{
    for (unsigned i = 0; i < mended->count; i++)
        if (strstr(mended->done[i], done) != NULL)
            return;
    for (unsigned i = 0; i < mended->count; i++)
        print_error("%s: %s\n", mended->problem[i], mended->done[i]);
    print_error("not done: %s\n", done);
    fail();
}

static void assert_all_there(struct fixture *fixture)
{
    assert_content(fixture, INBOX, 1, "one", 3);
    assert_content(fixture, INBOX, 2, SECOND, strlen(SECOND));
    assert_content(fixture, INBOX, 3, THIRD, strlen(THIRD));
    assert_int_equal(folder_now(fixture, INBOX).messages, 3);
}

static uint32_t find_folder(struct fixture *fixture, uint32_t parent, const char *name)
{
    struct store_read *read = read_begin(fixture);
    struct store_folder folder = {0};
    enum err_code code = store_folder_find(read, parent, str_of(name), &folder, NULL);

    store_read_end(&read);
    return code == ERR_NONE ? folder.id : 0;
}

static int setup(void **state)
{
    int rc = fixture_setup(state);

    fill(*state);
    return rc;
}

/* ---- the whole ---- */

static void a_sound_store_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    repair_with(fixture, &mended, false);
    assert_int_equal(mended.count, 0);
    assert_int_equal(mended.result.mended, 0);
    assert_all_there(fixture);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);
    struct mended mended;

    row.messages = 17;
    put_state(fixture, &row);
    repair_with(fixture, &mended, true);
    assert_int_equal(mended.count, 2); /* the folder, and the mailbox that it is in */
    assert_false(mended.mended[0]);
    assert_int_equal(mended.result.mended, 0);
    assert_int_equal(state_of(fixture).messages, 17);
}

/* ---- counts ---- */

static void wrong_counts_are_counted_anew(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);
    struct store_usage usage;
    struct store_read *read;
    struct err err;

    row.messages += 5;
    row.unseen--;
    row.deleted = 9;
    row.bytes = 1;
    put_state(fixture, &row);
    repair(fixture);
    assert_all_there(fixture);
    assert_int_equal(folder_now(fixture, INBOX).unseen, 3);
    read = read_begin(fixture);
    must(store_usage(read, &usage, &err), &err);
    store_read_end(&read);
    assert_int_equal(usage.messages, 4);
    assert_int_equal(usage.bytes, 47);
}

static void a_modseq_that_is_too_high_raises_the_folders_and_the_mailboxs(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);
    uint32_t uid;

    item.modseq += 1000;
    put_item(fixture, &item);
    repair(fixture);
    assert_true(folder_now(fixture, INBOX).highest_modseq >= item.modseq);
    uid = append_text(fixture, INBOX, "more");
    assert_true(item_of(fixture, uid).modseq > item.modseq);
}

static void a_uid_behind_uidnext_raises_it(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state row = state_of(fixture);

    row.uid_next = 2;
    put_state(fixture, &row);
    repair(fixture);
    assert_all_there(fixture);
    assert_int_equal(append_text(fixture, INBOX, "more"), 4);
}

static void a_folder_whose_own_row_is_damaged_gets_a_new_uidvalidity(void **state)
{
    struct fixture *fixture = *state;
    struct folder_state before = state_of(fixture);
    struct mended mended;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, KEY_STATE));
    mended = repair(fixture);
    assert_done(&mended, "with a new UIDVALIDITY");
    assert_all_there(fixture);
    assert_true(folder_now(fixture, INBOX).uid_validity > before.uid_validity);
    assert_true(append_text(fixture, INBOX, "more") > 3);
    assert_sound(fixture);
}

static void lost_counters_of_a_mailbox_give_nothing_twice(void **state)
{
    struct fixture *fixture = *state;
    uint64_t item_id = item_of(fixture, 3).item_id;
    uint32_t uid;

    flip_row(fixture, TABLE_ITEM, key_item(0, KEY_STATE));
    repair(fixture);
    assert_all_there(fixture);
    uid = append_text(fixture, INBOX, "more");
    assert_true(item_of(fixture, uid).item_id > item_id + 1);
    remove_row(fixture, TABLE_ITEM, key_item(0, KEY_STATE));
    repair(fixture);
    assert_sound(fixture);
}

/* ---- items ---- */

static void a_damaged_item_comes_back_with_its_uid(void **state)
{
    struct fixture *fixture = *state;
    struct store_item before = item_of(fixture, 2), after;
    struct mended mended;

    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_true(mended.mended[0]);
    assert_all_there(fixture);
    after = item_of(fixture, 2);
    assert_int_equal(after.content_id, before.content_id);
    assert_int_equal(after.item_id, before.item_id);
    assert_int_equal(after.internal_date, before.internal_date);
    assert_true(after.modseq > before.modseq);
}

/* The row in which every byte is wrong. */
static void garble_row(struct fixture *fixture, enum table table, struct key key)
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
    for (size_t i = 0; i < row.length + 4; i++)
        bytes[i] = (uint8_t)~row.data[i];
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[table], &k, &v, 0), 0);
    close_index(fixture, index, &tx);
}

static void a_garbled_item_is_told_by_operation_records(void **state)
{
    struct fixture *fixture = *state;
    uint32_t archive = find_folder(fixture, STORE_ROOT_FOLDER, "Archive");
    struct mended mended;

    garble_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    garble_row(fixture, TABLE_ITEM, key_item(archive, 1)); /* a copy of another */
    mended = repair(fixture);
    assert_done(&mended, "made anew from operation records");
    assert_all_there(fixture);
    assert_content(fixture, archive, 1, THIRD, strlen(THIRD));
}

/* Operation records cannot be read any more. */
static void garble_operations(struct fixture *fixture)
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

static void without_operation_records_a_damaged_row_counts_where_all_else_agrees(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2)); /* in the middle: the email id */
    mended = repair(fixture);
    assert_done(&mended, "flags and dates are as the damaged row has them");
    assert_all_there(fixture);
}

static void assert_file(struct fixture *fixture, uint64_t content, const char *text)
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

static void a_text_whose_message_nobody_knows_goes_to_a_file(void **state)
{
    struct fixture *fixture = *state;
    uint64_t content = item_of(fixture, 2).content_id;
    struct mended mended;

    garble_operations(fixture);
    garble_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_done(&mended, "lost from the folder");
    assert_done(&mended, "found/content-2");
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    assert_file(fixture, content, SECOND);
}

static void a_text_without_a_message_goes_to_its_owner(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;
    uint32_t recovered;

    remove_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    mended = repair(fixture);
    assert_done(&mended, "in its owner's folder Recovered");
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_content(fixture, recovered, 1, SECOND, strlen(SECOND));
    assert_int_equal(append_text(fixture, INBOX, "more"), 4);
}

static void a_keyword_without_a_name_gets_one(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 1);

    item.flags.keywords[0] = 5;
    put_item(fixture, &item);
    repair(fixture);
    assert_int_equal(item_of(fixture, 1).flags.keywords[0], 5);
    garble_row(fixture, TABLE_KEYWORD, key_keyword(INBOX, 2));
    repair(fixture);
}

static void a_wrong_size_follows_the_text(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item = item_of(fixture, 2);

    item.size = 12345;
    item.header_size = 12345678;
    put_item(fixture, &item);
    repair(fixture);
    assert_all_there(fixture);
}

/* ---- contents and segments ---- */

static void wrong_references_are_set_right(void **state)
{
    put_references(*state, 3, 1);
    repair(*state);
    put_references(*state, 3, 5);
    repair(*state);
    expunge(*state, INBOX, 3, 3);
    assert_sound(*state);
}

static void a_damaged_content_row_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_row(fixture, TABLE_CONTENT, key_content(1));
    mended = repair(fixture);
    assert_done(&mended, "made anew from operation records");
    assert_all_there(fixture);
    remove_row(fixture, TABLE_CONTENT, key_content(3));
    repair(fixture);
    assert_all_there(fixture);
}

/* A byte that its own pieces do not need: the count of uses. */
static void flip_references(struct fixture *fixture, uint64_t content)
{
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    struct key key = key_content(content);
    uint8_t bytes[512];
    struct bytes row;
    struct err err;
    MDB_val k, v;

    must(tx_get(&tx, TABLE_CONTENT, &key, &row, &err), &err);
    k = (MDB_val){key.length, key.bytes};
    v = (MDB_val){row.length + 4, bytes};
    memcpy(bytes, row.data, row.length + 4);
    bytes[4] ^= 0x40;
    assert_int_equal(mdb_put(tx.txn->mdb, index->tables[TABLE_CONTENT], &k, &v, 0), 0);
    close_index(fixture, index, &tx);
}

static void without_operation_records_a_content_is_told_by_its_own_pieces(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    flip_references(fixture, 3);
    mended = repair(fixture);
    assert_done(&mended, "from its own pieces");
    assert_all_there(fixture);
}

static void a_lost_content_keeps_its_room_and_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct mended mended;

    garble_operations(fixture);
    garble_row(fixture, TABLE_CONTENT, key_content(2));
    repair_with(fixture, &mended, false);
    assert_int_equal(mended.result.mended, 0);
    assert_int_equal(mended.result.left, 3); /* the message, the row, the segment's live bytes */
    assert_content(fixture, INBOX, 1, "one", 3);
}

static void wrong_live_bytes_are_set_right(void **state)
{
    struct fixture *fixture = *state;
    struct segment_record segment;
    uint8_t row[SEGMENT_ROW];

    for (int sign = -1; sign <= 1; sign += 2) {
        get_row(fixture, TABLE_SEGMENT, key_number(1), row, sizeof(row));
        assert_true(segment_unpack((struct bytes){row, sizeof(row)}, 1, &segment));
        segment.live += (uint64_t)(sign * 32);
        segment_pack(row, &segment);
        put_row(fixture, TABLE_SEGMENT, key_number(1), row, sizeof(row));
        repair(fixture);
    }
    assert_all_there(fixture);
}

/* ---- names ---- */

static void a_folder_gets_its_name_back(void **state)
{
    struct fixture *fixture = *state;
    struct key key = key_name(STORE_ROOT_FOLDER, str_of("Archive"));

    remove_row(fixture, TABLE_NAME, key);
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_NAME, key);
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("INBOX")));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "INBOX"), INBOX);
}

static void a_folder_whose_record_is_damaged_keeps_its_name(void **state)
{
    struct fixture *fixture = *state;

    garble_row(fixture, TABLE_FOLDER, key_folder(3));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    garble_row(fixture, TABLE_FOLDER, key_folder(INBOX));
    garble_row(fixture, TABLE_FOLDER, key_folder(STORE_ROOT_FOLDER));
    repair(fixture);
    assert_all_there(fixture);
}

static void a_folder_that_has_lost_name_and_record_goes_below_recovered(void **state)
{
    struct fixture *fixture = *state;
    uint32_t recovered;

    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    repair(fixture);
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_int_not_equal(recovered, 0);
    assert_int_equal(find_folder(fixture, recovered, "Folder 3"), 3);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
}

static void a_folder_is_made_again_for_messages_without_one(void **state)
{
    struct fixture *fixture = *state;

    remove_row(fixture, TABLE_ITEM, key_item(3, KEY_STATE));
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
    remove_row(fixture, TABLE_ITEM, key_item(3, KEY_STATE));
    remove_row(fixture, TABLE_FOLDER, key_folder(3));
    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Archive")));
    repair(fixture);
    assert_content(fixture, 3, 1, THIRD, strlen(THIRD));
}

static void put_folder(struct fixture *fixture, uint32_t folder, uint32_t parent, const char *name)
{
    struct folder_record record = {parent, USE_NONE, CLASS_MAIL, 1700000000, str_of(name)};
    uint8_t row[FOLDER_ROW_MAX];

    put_row(fixture, TABLE_FOLDER, key_folder(folder), row, folder_pack(row, &record));
}

static void folders_in_a_circle_go_below_recovered(void **state)
{
    struct fixture *fixture = *state;
    uint32_t below = make_folder(fixture, 3, "Below");
    uint32_t recovered;

    put_folder(fixture, 3, below, "Archive");
    repair(fixture);
    recovered = find_folder(fixture, STORE_ROOT_FOLDER, "Recovered");
    assert_int_equal(find_folder(fixture, recovered, "Archive"), 3);
    assert_int_equal(find_folder(fixture, 3, "Below"), below);
}

static void of_two_folders_with_one_name_one_gets_another(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");

    remove_row(fixture, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Other")));
    put_folder(fixture, other, STORE_ROOT_FOLDER, "Archive");
    repair(fixture);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive"), 3);
    assert_int_equal(find_folder(fixture, STORE_ROOT_FOLDER, "Archive (2)"), other);
}

static void a_name_that_leads_elsewhere_is_removed(void **state)
{
    uint8_t row[4];

    put_u32(row, INBOX);
    put_row(*state, TABLE_NAME, key_name(STORE_ROOT_FOLDER, str_of("Wrong")), row, sizeof(row));
    repair(*state);
    assert_int_equal(find_folder(*state, STORE_ROOT_FOLDER, "Wrong"), 0);
}

/* ---- mailboxes ---- */

static void a_mailbox_is_found_again_by_either_of_its_rows(void **state)
{
    struct fixture *fixture = *state;

    garble_row(fixture, TABLE_MAILBOX, key_number(MAILBOX));
    repair(fixture);
    assert_all_there(fixture);
    remove_row(fixture, TABLE_MAILBOX, key_number(MAILBOX));
    repair(fixture);
    assert_all_there(fixture);
}

/* The GUID's row leads to a mailbox that there is not. */
static void a_guid_leads_to_its_mailbox_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(1);
    struct key key = key_guid(guid.bytes);
    struct mended mended;
    struct tx tx;
    struct index *index = index_of(fixture, &tx);
    uint8_t row[4];
    struct err err;

    put_u32(row, 77);
    must(tx_put(&tx, TABLE_GUID, &key, row, sizeof(row), &err), &err);
    must(index_commit(&tx.txn, &err), &err);
    index_close(&index);
    must(store_open(&fixture->store, &fixture->settings, &err), &err);
    repair_with(fixture, &mended, false);
    assert_int_equal(mended.result.left, 0);
    store_close(&fixture->store);
    fixture_open(fixture);
    assert_sound(fixture);
    assert_all_there(fixture);
}

/* ---- what can be made again ---- */

static void rows_that_can_be_done_without_go(void **state)
{
    static const uint8_t ranges[] = {1, 2, 0}; /* version 1: uid 2 alone */
    struct fixture *fixture = *state;

    put_row(fixture, TABLE_SUMMARY, key_item(INBOX, 1), "summary", 7);
    garble_row(fixture, TABLE_SUMMARY, key_item(INBOX, 1));
    put_row(fixture, TABLE_SUMMARY, key_item(INBOX, 9), "summary", 7);
    put_row(fixture, TABLE_SUMMARY, key_item(77, 1), "summary", 7);
    put_row(fixture, TABLE_BLOCK, key_block(INBOX, 0), "wrong", 5);
    put_row(fixture, TABLE_VANISHED, key_vanished(INBOX, 3), ranges, sizeof(ranges));
    put_row(fixture, TABLE_PROPERTY, key_property(INBOX, 0, str_of("name")), "value", 5);
    garble_row(fixture, TABLE_PROPERTY, key_property(INBOX, 0, str_of("name")));
    put_row(fixture, TABLE_PENDING, key_pending(MAILBOX, INBOX), "?", 1);
    repair(fixture);
    assert_all_there(fixture);
    assert_true(folder_now(fixture, INBOX).vanished_floor >= 3);
    fixture_reopen(fixture);
    assert_sound(fixture);
}

static void a_deleted_message_can_be_recovered_after_its_row_was_damaged(void **state)
{
    struct fixture *fixture = *state;
    struct store_recoverable entry = {0};
    struct store_read *read;
    struct err err;

    fixture->settings.recovery_seconds = 3600;
    fixture_reopen(fixture);
    expunge(fixture, INBOX, 2, 2);
    read = read_begin(fixture);
    must(store_recoverable_next(read, &entry, &err), &err);
    store_read_end(&read);
    garble_row(fixture, TABLE_RECOVERABLE, key_recoverable(entry.id.expiry, entry.id.item_id));
    repair(fixture);
    read = read_begin(fixture);
    entry = (struct store_recoverable){0};
    must(store_recoverable_next(read, &entry, &err), &err);
    store_read_end(&read);
    assert_int_equal(entry.item.size, strlen(SECOND));
    assert_int_equal(entry.folder, INBOX);
    assert_string_equal(entry.name, "INBOX");
}

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

static void whatever_rows_are_damaged_no_text_is_lost(void **state)
{
    struct fixture *fixture = *state;
    char text[32];

    seed = 20261124;
    for (unsigned n = 0; n < TEXTS; n++) {
        text_of(text, n);
        append_text(fixture, n % 2 == 0 ? INBOX : 3, text);
    }
    expunge(fixture, INBOX, 1, 3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool seen[TEXTS] = {0};
        struct mended mended;

        damage(fixture);
        repair_with(fixture, &mended, false);
        assert_int_equal(mended.result.left, 0);
        assert_sound(fixture);
        for (uint32_t folder = INBOX; folder < 16; folder++)
            see_folder(fixture, folder, seen);
        see_files(fixture, seen);
        for (unsigned n = 0; n < TEXTS; n++) {
            if (!seen[n])
                print_error("round %u: text %u is lost\n", round, n);
            assert_true(seen[n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_sound_store_is_left_alone),
        TEST(a_dry_run_changes_nothing),
        TEST(wrong_counts_are_counted_anew),
        TEST(a_modseq_that_is_too_high_raises_the_folders_and_the_mailboxs),
        TEST(a_uid_behind_uidnext_raises_it),
        TEST(a_folder_whose_own_row_is_damaged_gets_a_new_uidvalidity),
        TEST(lost_counters_of_a_mailbox_give_nothing_twice),
        TEST(a_damaged_item_comes_back_with_its_uid),
        TEST(a_garbled_item_is_told_by_operation_records),
        TEST(without_operation_records_a_damaged_row_counts_where_all_else_agrees),
        TEST(a_text_whose_message_nobody_knows_goes_to_a_file),
        TEST(a_text_without_a_message_goes_to_its_owner),
        TEST(a_keyword_without_a_name_gets_one),
        TEST(a_wrong_size_follows_the_text),
        TEST(wrong_references_are_set_right),
        TEST(a_damaged_content_row_is_made_anew),
        TEST(without_operation_records_a_content_is_told_by_its_own_pieces),
        TEST(a_lost_content_keeps_its_room_and_is_named),
        TEST(wrong_live_bytes_are_set_right),
        TEST(a_folder_gets_its_name_back),
        TEST(a_folder_whose_record_is_damaged_keeps_its_name),
        TEST(a_folder_that_has_lost_name_and_record_goes_below_recovered),
        TEST(a_folder_is_made_again_for_messages_without_one),
        TEST(folders_in_a_circle_go_below_recovered),
        TEST(of_two_folders_with_one_name_one_gets_another),
        TEST(a_name_that_leads_elsewhere_is_removed),
        TEST(a_mailbox_is_found_again_by_either_of_its_rows),
        TEST(a_guid_leads_to_its_mailbox_again),
        TEST(rows_that_can_be_done_without_go),
        TEST(whatever_rows_are_damaged_no_text_is_lost),
        TEST(a_deleted_message_can_be_recovered_after_its_row_was_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
