/* The database's own tables, row by row. */
#include <inttypes.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/recoverable.h"

static void report_row(struct check *check, enum table table, const struct check_row *row)
{
    const struct mend mend = {.kind = MEND_ROW, .table = table, .key = check_key(row)};

    check_report_mend(check, &mend, "a row of the table %s is damaged (its checksum is wrong)",
                      table_name(table));
}

/* ---- mailboxes ---- */

static struct mend mend_of_mailbox(uint32_t number)
{
    return (struct mend){.kind = MEND_MAILBOX, .place.mailbox = number};
}

static void check_guid_of(struct check *check, uint32_t number, const struct store_guid *guid)
{
    const struct mend mend = mend_of_mailbox(number);
    struct tx tx = check_tx(check, 0);
    struct key key = key_guid(guid->bytes);
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_GUID, &key, &row, NULL);

    if (code == ERR_NOT_FOUND ||
        (code == ERR_NONE && row.length == 4 && get_u32(row.data) != number))
        check_report_mend(check, &mend,
                          "mailbox %" PRIu32 " cannot be opened: its GUID does not lead to it",
                          number);
}

/* What the folders of a mailbox add up to. */
struct sums {
    uint32_t folders, highest_folder, last_uid_validity;
    uint64_t bytes, messages, modseq;
    bool incomplete; /* a row could not be read */
    bool root, inbox;
};

static void add_folder(struct sums *sums, const struct tx *tx, const struct tx_scan *scan)
{
    uint32_t folder = get_u32(scan->key.data + 4);
    struct key key = key_item(folder, KEY_STATE);
    struct folder_state state;
    struct bytes row;

    sums->folders++;
    sums->highest_folder = folder;
    sums->root = sums->root || folder == STORE_ROOT_FOLDER;
    sums->inbox = sums->inbox || folder == STORE_INBOX_FOLDER;
    if (tx_get(tx, TABLE_ITEM, &key, &row, NULL) != ERR_NONE || !folder_state_unpack(row, &state)) {
        sums->incomplete = true;
        return;
    }
    sums->bytes += state.bytes;
    sums->messages += state.messages;
    if (state.highest_modseq > sums->modseq)
        sums->modseq = state.highest_modseq;
    if (state.uid_validity > sums->last_uid_validity)
        sums->last_uid_validity = state.uid_validity;
}

static void sum_folders(const struct tx *tx, struct sums *sums)
{
    struct key key = key_folder(0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_FOLDER, PREFIX_MAILBOX, NULL);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    while ((code == ERR_NONE || code == ERR_CORRUPT) && scan.key.length == 8) {
        add_folder(sums, tx, &scan);
        code = scan_next(&scan, NULL);
        if (code == ERR_CORRUPT && get_u32(scan.key.data + 4) <= sums->highest_folder)
            break; /* the page is damaged: told by the walk over the table */
    }
    sums->incomplete = sums->incomplete || code != ERR_NOT_FOUND;
    scan_end(&scan);
}

static void compare_totals(struct check *check, const struct mend *mend, const struct sums *sums,
                           const struct mailbox_state *state)
{
    if (sums->bytes != state->bytes || sums->messages != state->messages)
        check_report_mend(check, mend,
                          "the mailbox counts %" PRIu64 " messages and %" PRIu64
                          " bytes, its folders count %" PRIu64 " and %" PRIu64
                          ": its quota is reckoned wrongly",
                          state->messages, state->bytes, sums->messages, sums->bytes);
    if (sums->folders != state->folders)
        check_report_mend(check, mend, "the mailbox counts %" PRIu32 " folders and has %" PRIu32,
                          state->folders, sums->folders);
}

/* Rows that are damaged are not counted: they are told by themselves. */
static void compare_recoverable(struct check *check, const struct mend *mend, const struct tx *tx,
                                const struct mailbox_state *state)
{
    struct store_usage sum;

    if (!state->counts_recoverable || recoverable_sum(tx, &sum, NULL) != ERR_NONE ||
        (sum.messages == state->recoverable_messages && sum.bytes == state->recoverable_bytes))
        return;
    check_report_mend(check, mend,
                      "the mailbox counts %" PRIu64 " deleted messages and %" PRIu64
                      " bytes that can be recovered, it has %" PRIu64 " and %" PRIu64,
                      state->recoverable_messages, state->recoverable_bytes, sum.messages,
                      sum.bytes);
}

static void compare_counters(struct check *check, const struct mend *mend, const struct sums *sums,
                             const struct mailbox_state *state)
{
    if (sums->modseq > state->modseq)
        check_report_mend(check, mend,
                          "a folder has HIGHESTMODSEQ %" PRIu64 ", above the mailbox's %" PRIu64,
                          sums->modseq, state->modseq);
    if (sums->highest_folder >= state->next_folder)
        check_report_mend(check, mend,
                          "folder %" PRIu32 " has a number that a new folder would get",
                          sums->highest_folder);
    if (sums->last_uid_validity > state->last_uid_validity)
        check_report_mend(check, mend,
                          "a folder has UIDVALIDITY %" PRIu32
                          ", above the last that was given, %" PRIu32,
                          sums->last_uid_validity, state->last_uid_validity);
}

static void check_mailbox(struct check *check, uint32_t number)
{
    const struct mend mend = mend_of_mailbox(number);
    struct tx tx = check_tx(check, number);
    struct key key = key_item(0, KEY_STATE);
    struct mailbox_state state;
    struct sums sums = {0};
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_ITEM, &key, &row, NULL);

    check->result->mailboxes++;
    sum_folders(&tx, &sums);
    if (!sums.root || !sums.inbox)
        check_report_mend(check, &mend, "the mailbox has no %s",
                          sums.root ? "INBOX" : "root folder");
    if (code != ERR_NONE || !mailbox_state_unpack(row, &state)) {
        check_report_mend(check, &mend, "the counters of mailbox %" PRIu32 " are %s", number,
                          code == ERR_NOT_FOUND ? "missing" : "damaged");
        return;
    }
    if (!sums.incomplete)
        compare_totals(check, &mend, &sums, &state);
    compare_counters(check, &mend, &sums, &state);
    compare_recoverable(check, &mend, &tx, &state);
}

static void visit_mailbox(struct check *check, const struct check_row *row, void *context)
{
    struct mailbox_record record;
    uint32_t number;

    (void)context;
    if (row->damaged || row->key.length != 4 || !mailbox_unpack(row->value, &record)) {
        report_row(check, TABLE_MAILBOX, row);
        return;
    }
    number = get_u32(row->key.data);
    if (check_standing(check, number, 0) != STANDING_LIVE)
        return;
    check_guid_of(check, number, &record.guid);
    check_mailbox(check, number);
}

static void visit_guid(struct check *check, const struct check_row *row, void *context)
{
    struct tx tx = check_tx(check, 0);
    struct mailbox_record record;
    struct bytes other;
    struct key key;
    enum err_code code;

    (void)context;
    if (row->damaged || row->key.length != 16 || row->value.length != 4) {
        report_row(check, TABLE_GUID, row);
        return;
    }
    key = key_number(get_u32(row->value.data));
    code = tx_get(&tx, TABLE_MAILBOX, &key, &other, NULL);
    if (code == ERR_NOT_FOUND || (code == ERR_NONE && mailbox_unpack(other, &record) &&
                                  memcmp(record.guid.bytes, row->key.data, 16) != 0))
        check_report_mend(
            check, &(struct mend){.kind = MEND_ROW, .table = TABLE_GUID, .key = check_key(row)},
            "a GUID leads to mailbox %" PRIu32 ", which is not its own", get_u32(row->value.data));
}

/* ---- segments and what is pending ---- */

static void check_segment_row(struct check *check, const struct segment_record *segment)
{
    if (segment->live > segment->used || segment->used > segment->size ||
        segment->used < SEGMENT_HEADER || segment->state < SEGMENT_FREE ||
        segment->state > SEGMENT_SEALED)
        check_report(check, (struct check_place){0}, ADVICE_REPORT,
                     "segment %" PRIu32 " has %" PRIu64 " live bytes of %" PRIu64
                     " used of %" PRIu64 ", state %d: this cannot be",
                     segment->number, segment->live, segment->used, segment->size,
                     (int)segment->state);
}

static void visit_segment(struct check *check, const struct check_row *row, void *context)
{
    struct segment_record segment;
    struct database_record database;
    bool good = !row->damaged && row->key.length == 4;

    (void)context;
    if (good && get_u32(row->key.data) == 0)
        good = database_unpack(row->value, &database);
    else if (good && (good = segment_unpack(row->value, get_u32(row->key.data), &segment)))
        check_segment_row(check, &segment);
    if (!good)
        report_row(check, TABLE_SEGMENT, row);
}

static void visit_pending(struct check *check, const struct check_row *row, void *context)
{
    (void)context;
    if (row->damaged || row->key.length != 8 || row->value.length < 2)
        report_row(check, TABLE_PENDING, row);
}

enum err_code check_database_tables(struct check *check, struct err *err)
{
    enum err_code code = check_walk(check, TABLE_SEGMENT, key_number(0), visit_segment, NULL, err);

    if (code == ERR_NONE)
        code = check_walk(check, TABLE_PENDING, key_pending(0, 0), visit_pending, NULL, err);
    if (code == ERR_NONE)
        code = check_walk(check, TABLE_MAILBOX, key_number(0), visit_mailbox, NULL, err);
    if (code == ERR_NONE)
        code =
            check_walk(check, TABLE_GUID, key_guid((const uint8_t[16]){0}), visit_guid, NULL, err);
    return code;
}
