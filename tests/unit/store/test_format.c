/* The bytes on the disk, as docs/store.md describes them. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/unit/store/fixture.h"

#include "common/buf.h"
#include "common/crc32c.h"
#include "mailbox-backend/store/journal.pb-c.h"
#include "mailbox-backend/store/keys.h"
#include "mailbox-backend/store/record.h"
#include "mailbox-backend/store/segment.h"

#define INBOX STORE_INBOX_FOLDER

struct mapped {
    uint8_t *bytes;
    size_t length;
};

static struct mapped map_file(struct fixture *fixture, const char *name)
{
    struct mapped file;
    struct stat stat;
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/db1/%s", fixture->folder, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    file.length = (size_t)stat.st_size;
    file.bytes = mmap(NULL, file.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(file.bytes != MAP_FAILED);
    close(fd);
    return file;
}

/* Calls see for each intact record of the segment. */
static unsigned walk(const struct mapped *file,
                     void (*see)(void *, const struct record_head *, const uint8_t *),
                     void *context)
{
    uint32_t at = SEGMENT_HEADER;
    unsigned count = 0;
    struct record_head head;

    while (at + RECORD_HEADER <= file->length &&
           record_head_unpack(file->bytes + at, &head, 1, at)) {
        assert_int_equal(head.crc, crc32c(0, file->bytes + at + RECORD_HEADER, head.stored));
        see(context, &head, file->bytes + at + RECORD_HEADER);
        at += record_space(head.stored);
        count++;
    }
    return count;
}

struct seen {
    unsigned pieces;
    unsigned kinds[32];
    uint64_t last_number;
    uint32_t appended_uid, appended_size;
    uint32_t moved_to, expunged;
    char folder[32];
};

static void see_operation(struct seen *seen, const Journal__Operation *operation)
{
    seen->kinds[operation->what_case]++;
    assert_int_equal(operation->mailbox.len, 16);
    if (operation->what_case == JOURNAL__OPERATION__WHAT_APPEND) {
        seen->appended_uid = operation->append->uid;
        seen->appended_size = (uint32_t)operation->append->size;
        assert_int_equal(operation->append->n_pieces, 1);
        assert_int_equal(operation->append->pieces[0]->segment, 1);
        assert_string_equal(operation->append->keywords[0], "label");
    } else if (operation->what_case == JOURNAL__OPERATION__WHAT_FOLDER_SET) {
        snprintf(seen->folder, sizeof(seen->folder), "%s", operation->folder_set->name);
    } else if (operation->what_case == JOURNAL__OPERATION__WHAT_MOVE) {
        seen->moved_to = operation->move->first;
    } else if (operation->what_case == JOURNAL__OPERATION__WHAT_EXPUNGE) {
        seen->expunged = operation->expunge->ranges[0]->first;
    }
}

static void see_record(void *context, const struct record_head *head, const uint8_t *bytes)
{
    struct seen *seen = context;
    Journal__Batch *batch;

    assert_int_equal(head->generation, 1);
    assert_int_equal(head->start, 1);
    if (head->type == RECORD_PIECE) {
        seen->pieces++;
        return;
    }
    assert_int_equal(head->type, RECORD_OPERATIONS);
    batch = journal__batch__unpack(NULL, head->stored, bytes);
    assert_non_null(batch);
    assert_true(batch->number > seen->last_number);
    assert_true(batch->last);
    seen->last_number = batch->number;
    for (size_t i = 0; i < batch->n_operations; i++)
        see_operation(seen, batch->operations[i]);
    journal__batch__free_unpacked(batch, NULL);
}

static void each_operation_leaves_a_record(void **state)
{
    struct fixture *fixture = *state;
    uint32_t other = make_folder(fixture, STORE_ROOT_FOLDER, "Other");
    const char *name = "label";
    struct uidset uids = set_of(1, 1);
    struct store_draft *draft = draft_of(fixture, "body", 4);
    struct store_op append = append_op(fixture, INBOX, draft);
    struct store_op flags = {
        .kind = OP_FLAGS, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &uids};
    struct store_op move = {
        .kind = OP_MOVE, .mailbox = fixture->mailbox, .folder = INBOX, .uids = &uids};
    struct seen seen = {0};
    struct mapped file;

    append.in.append.keywords = (struct store_keyword_names){&name, 1};
    must(store_run(&append), &append.err);
    store_draft_unref(&draft);
    flags.in.flags.system = FLAG_SEEN;
    flags.in.flags.unchanged_since = UINT64_MAX;
    must(store_run(&flags), &flags.err);
    uidset_release(&flags.out.flags.changed);
    move.in.copy.target = other;
    must(store_run(&move), &move.err);
    uidset_release(&move.out.copy.source);
    expunge(fixture, other, 1, 1);
    fixture_close(fixture);
    file = map_file(fixture, "segment-00000001");
    walk(&file, see_record, &seen);
    munmap(file.bytes, file.length);
    assert_int_equal(seen.pieces, 1);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_MAILBOX_CREATE], 1);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_FOLDER_SET], 3);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_APPEND], 1);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_FLAGS], 1);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_MOVE], 1);
    assert_int_equal(seen.kinds[JOURNAL__OPERATION__WHAT_EXPUNGE], 1);
    assert_int_equal(seen.appended_uid, 1);
    assert_int_equal(seen.appended_size, 4);
    assert_int_equal(seen.moved_to, 1);
    assert_int_equal(seen.expunged, 1);
    assert_string_equal(seen.folder, "Other");
    uidset_release(&uids);
}

static void see_nothing(void *context, const struct record_head *head, const uint8_t *bytes)
{
    (void)context;
    (void)head;
    (void)bytes;
}

static void a_record_out_of_its_place_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct record_head head;
    struct mapped file;

    append_text(fixture, INBOX, "body");
    fixture_close(fixture);
    file = map_file(fixture, "segment-00000001");
    assert_true(walk(&file, see_nothing, NULL) > 0);
    assert_true(record_head_unpack(file.bytes + 4096, &head, 1, 4096));
    assert_false(record_head_unpack(file.bytes + 4096, &head, 2, 4096));
    assert_false(record_head_unpack(file.bytes + 4096, &head, 1, 8192));
    file.bytes[4096 + 16] ^= 1; /* the length */
    assert_false(record_head_unpack(file.bytes + 4096, &head, 1, 4096));
    munmap(file.bytes, file.length);
}

/* Finds the bytes in the index file and changes one of them, wherever they stand. */
static void damage(struct fixture *fixture, const char *bytes, size_t length)
{
    struct mapped file = map_file(fixture, "index.mdb");
    unsigned hits = 0;

    for (size_t at = 0; at + length <= file.length; at++) {
        if (memcmp(file.bytes + at, bytes, length) == 0) {
            file.bytes[at] ^= 0x20;
            hits++;
        }
    }
    assert_true(hits > 0);
    munmap(file.bytes, file.length);
}

static void a_damaged_row_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "x", 1);
    struct store_op op = append_op(fixture, INBOX, draft);
    uint8_t summary[STORE_SUMMARY_MAX];
    struct store_read *read;
    size_t length;

    op.in.append.summary = "a summary that is easily found";
    op.in.append.summary_length = 30;
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    fixture_close(fixture);
    damage(fixture, "a summary that is easily found", 30);
    fixture_open(fixture);
    read = read_begin(fixture);
    assert_int_equal(store_summary_get(read, INBOX, 1, summary, &length, NULL), ERR_CORRUPT);
    store_read_end(&read);
}

static void a_damaged_item_does_not_hide_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct store_draft *draft = draft_of(fixture, "x", 1);
    struct uidset uids = set_of(1, 3);
    struct store_item items[4];
    struct store_read *read;
    size_t count;

    for (uint64_t i = 1; i <= 3; i++) {
        struct store_op op = append_op(fixture, INBOX, draft);

        op.in.append.email_id = UINT64_C(0x4142434445464700) + i; /* ABCDEFG, i */
        must(store_run(&op), &op.err);
    }
    store_draft_unref(&draft);
    fixture_close(fixture);
    damage(fixture, "ABCDEFG\2", 8);
    fixture_open(fixture);
    read = read_begin(fixture);
    assert_int_equal(store_item_scan(read, INBOX, 1, UINT32_MAX, 0, items, 4, &count, NULL),
                     ERR_NONE);
    assert_int_equal(count, 2);
    assert_int_equal(items[0].uid, 1);
    assert_int_equal(items[1].uid, 3);
    store_read_end(&read);
    expunge(fixture, INBOX, 1, 3);
    assert_int_equal(folder_now(fixture, INBOX).messages, 1); /* the damaged one is left */
    uidset_release(&uids);
}

/* ---- rows ---- */

static void an_item_survives_packing(void **state)
{
    const struct store_item item = {
        .uid = 77,
        .kind = KIND_MAIL,
        .flags = {FLAG_ALL, {UINT64_MAX, 1}},
        .modseq = UINT64_MAX,
        .size = (UINT64_C(1) << 48) - 1,
        .header_size = UINT32_MAX,
        .no_final_newline = true,
        .internal_date = -1,
        .zone = -720,
        .save_date = (INT64_C(1) << 47) - 1,
        .item_id = (UINT64_C(1) << 48) - 1,
        .email_id = 1,
        .thread_id = 2,
        .content_id = 3,
    };
    struct store_item back = {0};
    uint8_t row[ITEM_ROW];

    (void)state;
    item_pack(row, &item, 5);
    assert_true(item_unpack((struct bytes){row, sizeof(row)}, 77, &back));
    assert_int_equal(back.internal_date, -1);
    assert_true(back.save_date == item.save_date);
    assert_int_equal(back.zone, -720);
    assert_true(back.size == item.size);
    assert_true(back.item_id == item.item_id);
    assert_true(back.no_final_newline);
    assert_int_equal(back.flags.system, FLAG_ALL);
    assert_true(back.flags.keywords[0] == UINT64_MAX);
    assert_int_equal(item_read_modseq((struct bytes){row, sizeof(row)}), 5);
    row[0] = 2; /* a version to come */
    assert_false(item_unpack((struct bytes){row, sizeof(row)}, 77, &back));
    assert_false(item_unpack((struct bytes){row, sizeof(row) - 1}, 77, &back));
}

static void ranges_survive_packing_and_bad_ones_are_refused(void **state)
{
    struct uidset set = {0};
    struct uidset back = {0};
    struct buf row = {0};

    (void)state;
    uidset_add_range(&set, 1, 5);
    uidset_add(&set, 7);
    uidset_add_range(&set, 1000, UID_MAX);
    ranges_pack(&row, &set);
    assert_true(ranges_unpack((struct bytes){buf_bytes(&row), buf_length(&row)}, &back));
    assert_int_equal(back.count, 3);
    assert_memory_equal(back.ranges, set.ranges, 3 * sizeof(*set.ranges));
    assert_false(ranges_unpack(
        (struct bytes){
            (const uint8_t[]){2, 1, 1},
             3
    },
        &back));
    assert_false(ranges_unpack(
        (struct bytes){
            (const uint8_t[]){1, 0, 0},
             3
    },
        &back));
    assert_false(ranges_unpack(
        (struct bytes){
            (const uint8_t[]){1, 5},
             2
    },
        &back));
    assert_false(ranges_unpack(
        (struct bytes){
            (const uint8_t[]){1, 0x80},
             2
    },
        &back));
    assert_false(ranges_unpack(
        (struct bytes){
            (const uint8_t[]){1, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
             7
    },
        &back));
    uidset_release(&set);
    uidset_release(&back);
    buf_release(&row);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(each_operation_leaves_a_record),
        WITH_STORE(a_record_out_of_its_place_is_none),
        WITH_STORE(a_damaged_row_is_noticed),
        WITH_STORE(a_damaged_item_does_not_hide_the_others),
        cmocka_unit_test(an_item_survives_packing),
        cmocka_unit_test(ranges_survive_packing_and_bad_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
