/* The items of each folder: each against the rows it needs, all of them against what the folder counts.
   A folder is walked in several slices; when it has changed in between, it is walked again. */
#include <inttypes.h>
#include <stdio.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/vanished.h"

#define TRIES 3 /* in slices; then once in a whole snapshot */

struct folder_check {
    struct check *check;
    struct check_place place;
    struct folder_state state;
    uint8_t row[FOLDER_STATE_ROW]; /* its bytes: the same as long as nothing has changed */
    uint64_t keywords[2];          /* that have names */
    uint64_t next_item;            /* of the mailbox; 0 when unknown */
    uint32_t uid;                  /* of the item it stands on */
    uint32_t next;                 /* where the next slice begins */
    uint32_t told;                 /* up to this uid a walk before has told everything */
    bool again;                    /* the folder changed under the walk */
    bool damaged;                  /* an item could not be read: it cannot be counted */
    struct folder_state counted;
    uint64_t block_modseq; /* newest of this block of uids */
};

/* ---- one item ---- */

static struct mend mend_of(const struct folder_check *folder, enum mend_kind kind, uint32_t uid)
{
    struct mend mend = {.kind = kind, .table = TABLE_ITEM, .place = folder->place};

    mend.place.uid = uid;
    if (kind != MEND_ROW)
        return mend;
    mend.key = key_item(folder->place.folder, uid);
    put_u32(mend.key.bytes, folder->place.mailbox);
    return mend;
}

static void report(struct folder_check *folder, const struct mend *mend, const char *problem)
{
    if (mend->place.uid > folder->told)
        check_report_mend(folder->check, mend, "%s", problem);
}

static void report_item(struct folder_check *folder, uint32_t uid, const char *problem)
{
    const struct mend mend = mend_of(folder, MEND_ITEM, uid);

    report(folder, &mend, problem);
}

static void check_text(struct folder_check *folder, const struct store_item *item)
{
    struct tx tx = check_tx(folder->check, 0);
    struct key key = key_content(item->content_id);
    struct content_head head = {0};
    struct mend mend = mend_of(folder, MEND_ITEM, item->uid);
    struct bytes row;
    char problem[120];
    enum err_code code = tx_get(&tx, TABLE_CONTENT, &key, &row, NULL);

    if (code == ERR_NONE && !content_head_unpack(row, &head))
        code = ERR_CORRUPT;
    if (code == ERR_NONE && head.size == item->size)
        return;
    if (code == ERR_NONE) {
        snprintf(problem, sizeof(problem),
                 "the message has %" PRIu64 " bytes, its text has %" PRIu64, item->size, head.size);
    } else {
        snprintf(problem, sizeof(problem), "the text of the message is %s (content %" PRIu64 ")",
                 code == ERR_NOT_FOUND ? "missing" : "damaged", item->content_id);
        mend.kind = MEND_CONTENT;
        mend.number = item->content_id;
        folder->check->contents_damaged = true;
    }
    report(folder, &mend, problem);
}

static void check_item(struct folder_check *folder, const struct store_item *item,
                       uint64_t read_modseq)
{
    const uint64_t *bits = item->flags.keywords;
    uint64_t highest = folder->state.highest_modseq;

    if (item->modseq > highest || read_modseq > highest)
        report_item(folder, item->uid, "its MODSEQ is above the folder's HIGHESTMODSEQ");
    if (((bits[0] & ~folder->keywords[0]) | (bits[1] & ~folder->keywords[1])) != 0)
        report_item(folder, item->uid, "it has a keyword without a name");
    if (item->header_size > item->size)
        report_item(folder, item->uid, "its header is larger than the whole message");
    if (folder->next_item != 0 && item->item_id >= folder->next_item)
        report_item(folder, item->uid, "it has a number that a new message would get");
    check_text(folder, item);
}

static void count(struct folder_state *counted, const struct store_item *item)
{
    counted->messages++;
    counted->bytes += item->size;
    counted->unseen += (item->flags.system & FLAG_SEEN) == 0;
    counted->deleted += (item->flags.system & FLAG_DELETED) != 0;
}

static bool is_claimed(const struct folder_state *state, uint32_t uid)
{
    return state->claim_count != 0 && uid >= state->claim_first &&
           uid - state->claim_first < state->claim_count;
}

static void visit_item(struct folder_check *folder, uint32_t uid, struct bytes row, bool damaged)
{
    const struct mend mend = mend_of(folder, MEND_ROW, uid);
    struct store_item item;

    if (damaged || !item_unpack(row, uid, &item)) {
        report(folder, &mend, "the row of the message is damaged");
        folder->damaged = folder->check->items_damaged = true;
        return;
    }
    if (uid >= folder->state.uid_next || uid == 0) {
        if (!is_claimed(&folder->state, uid))
            report_item(folder, uid, "its uid is not below the folder's UIDNEXT");
        return;
    }
    folder->check->result->items += uid > folder->told;
    check_item(folder, &item, item_read_modseq(row));
    count(&folder->counted, &item);
    if (item.modseq > folder->block_modseq)
        folder->block_modseq = item.modseq;
}

/* ---- blocks ---- */

/* An old block that claims to be unchanged must not hold a newer item. */
static void end_block(struct folder_check *folder, uint32_t block)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_block(folder->place.folder, block);
    struct mend mend = mend_of(folder, MEND_ROW, folder->uid);
    uint64_t modseq = folder->block_modseq;
    struct bytes row;

    folder->block_modseq = 0;
    if (tx_get(&tx, TABLE_BLOCK, &key, &row, NULL) != ERR_NONE || row.length != 8 ||
        get_u64(row.data) >= modseq)
        return;
    mend.table = TABLE_BLOCK;
    mend.key = key;
    report(folder, &mend, "its block of 1,024 uids counts as older than a message in it");
}

/* ---- a walk ---- */

static void walk_slice(struct folder_check *folder, bool *finished)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_item(folder->place.folder, folder->next);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_ITEM, PREFIX_FOLDER, NULL);

    *finished = true;
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    while ((code == ERR_NONE || code == ERR_CORRUPT) && scan.key.length == 12) {
        uint32_t uid = get_u32(scan.key.data + 8);

        if (uid == KEY_STATE || uid < folder->next)
            break; /* the end; or a damaged page, which the walk over the table tells */
        if (uid / BLOCK_UIDS != folder->uid / BLOCK_UIDS)
            end_block(folder, folder->uid / BLOCK_UIDS);
        folder->uid = uid;
        visit_item(folder, uid, scan.value, code == ERR_CORRUPT);
        folder->next = uid + 1;
        if (check_slice_is_over(folder->check)) {
            *finished = false;
            break;
        }
        code = scan_next(&scan, NULL);
    }
    scan_end(&scan);
    if (*finished)
        end_block(folder, folder->uid / BLOCK_UIDS);
}

static void load_keywords(struct folder_check *folder)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_keyword(folder->place.folder, 0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_KEYWORD, PREFIX_FOLDER, NULL);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    for (unsigned n = 0; n < 256 && (code == ERR_NONE || code == ERR_CORRUPT); n++) {
        unsigned bit = scan.key.length == 9 ? scan.key.data[8] : STORE_KEYWORDS_MAX;

        if (bit < STORE_KEYWORDS_MAX)
            folder->keywords[bit / 64] |= UINT64_C(1) << bit % 64;
        code = scan_next(&scan, NULL);
    }
    scan_end(&scan);
}

static void load_mailbox(struct folder_check *folder)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_item(0, KEY_STATE);
    struct mailbox_state state;
    struct bytes row;

    folder->next_item = 0;
    if (tx_get(&tx, TABLE_ITEM, &key, &row, NULL) == ERR_NONE && mailbox_state_unpack(row, &state))
        folder->next_item = state.next_item;
}

/* False when there is nothing to compare with; then that has been told. */
static bool load_state(struct folder_check *folder, bool first)
{
    const struct mend mend = mend_of(folder, MEND_FOLDER, 0);
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_item(folder->place.folder, KEY_STATE);
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_ITEM, &key, &row, NULL);

    if (code == ERR_NONE && folder_state_unpack(row, &folder->state)) {
        folder->again = !first && memcmp(row.data, folder->row, sizeof(folder->row)) != 0;
        memcpy(folder->row, row.data, sizeof(folder->row));
        return true;
    }
    if (code != ERR_NOT_FOUND)
        check_report_mend(folder->check, &mend,
                          "the folder's own row (UIDVALIDITY, UIDNEXT, counts) is damaged");
    else if (first)
        check_report_mend(folder->check, &mend,
                          "there are messages of a folder that does not exist");
    return false;
}

static void compare_vanished(struct folder_check *folder, const struct mend *mend)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_vanished(folder->place.folder, 0);
    struct tx_scan scan;
    uint32_t rows = 0;
    enum err_code code = scan_begin(&scan, &tx, TABLE_VANISHED, PREFIX_FOLDER, NULL);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    for (; (code == ERR_NONE || code == ERR_CORRUPT) && rows <= 2 * VANISHED_ROWS_MOST; rows++)
        code = scan_next(&scan, NULL);
    scan_end(&scan);
    if (code == ERR_NOT_FOUND && rows != folder->state.vanished_rows)
        check_report_mend(folder->check, mend,
                          "the folder counts %" PRIu32 " changes by which messages went, and has "
                          "%" PRIu32,
                          folder->state.vanished_rows, rows);
}

/* The other way round is looked at with the table of folders. */
static void compare_record(struct folder_check *folder, const struct mend *mend)
{
    struct tx tx = check_tx(folder->check, folder->place.mailbox);
    struct key key = key_folder(folder->place.folder);
    struct bytes row;

    if (tx_get(&tx, TABLE_FOLDER, &key, &row, NULL) == ERR_NOT_FOUND)
        check_report_mend(folder->check, mend, "the folder's name and place are missing");
}

static void compare(struct folder_check *folder)
{
    const struct mend mend = mend_of(folder, MEND_FOLDER, 0);
    const struct folder_state *state = &folder->state;
    const struct folder_state *counted = &folder->counted;

    if (folder->damaged)
        return; /* a message that cannot be counted has been told */
    if (state->messages != counted->messages || state->bytes != counted->bytes)
        check_report_mend(folder->check, &mend,
                          "the folder counts %" PRIu32 " messages and %" PRIu64
                          " bytes, and has %" PRIu32 " and %" PRIu64,
                          state->messages, state->bytes, counted->messages, counted->bytes);
    if (state->unseen != counted->unseen || state->deleted != counted->deleted)
        check_report_mend(folder->check, &mend,
                          "the folder counts %" PRIu32 " unseen and %" PRIu32
                          " deleted messages, and has %" PRIu32 " and %" PRIu32,
                          state->unseen, state->deleted, counted->unseen, counted->deleted);
    compare_vanished(folder, &mend);
    compare_record(folder, &mend);
}

/* Walks the folder from its first item. */
static enum err_code walk(struct folder_check *folder, struct err *err)
{
    enum err_code code = ERR_NONE;
    bool finished = false;
    bool first = true;

    folder->uid = folder->next = 0;
    folder->damaged = folder->again = false;
    folder->counted = (struct folder_state){0};
    folder->block_modseq = 0;
    while (code == ERR_NONE && !finished && !folder->again) {
        if (folder->check->txn == NULL)
            code = check_slice_begin(folder->check, err);
        if (code != ERR_NONE)
            break;
        if (check_standing(folder->check, folder->place.mailbox, folder->place.folder) ==
                STANDING_GOING ||
            !load_state(folder, first)) {
            finished = true;
        } else if (!folder->again) {
            load_keywords(folder);
            load_mailbox(folder);
            walk_slice(folder, &finished);
            if (finished)
                compare(folder);
        }
        first = false;
        code = check_slice_end(folder->check, err);
    }
    if (folder->uid > folder->told)
        folder->told = folder->uid;
    return code;
}

static enum err_code check_folder(struct check *check, struct check_place place, struct err *err)
{
    struct folder_check folder = {.check = check, .place = place, .again = true};
    enum err_code code = ERR_NONE;

    for (unsigned n = 0; n <= TRIES && folder.again && code == ERR_NONE; n++) {
        check->whole = n == TRIES;
        code = walk(&folder, err);
    }
    check->whole = false;
    return code;
}

/* ---- all folders ---- */

/* The folder of the first row at or behind this one; ERR_NOT_FOUND at the end. Those of removed
   mailboxes are passed over. */
static enum err_code next_folder(struct check *check, struct check_place *place, struct err *err)
{
    struct tx tx = check_tx(check, place->mailbox);
    struct key key = key_item(place->folder, 0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_ITEM, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_CORRUPT && scan.key.length == 12)
        code = ERR_NONE; /* the key is good */
    if (code == ERR_NONE)
        *place = (struct check_place){.mailbox = get_u32(scan.key.data),
                                      .folder = get_u32(scan.key.data + 4)};
    scan_end(&scan);
    return code;
}

/* The counters of a mailbox that is not known by its number. */
static void check_owner(struct check *check, uint32_t mailbox)
{
    const struct mend mend = {.kind = MEND_MAILBOX, .place.mailbox = mailbox};

    if (check_standing(check, mailbox, 0) == STANDING_NONE)
        check_report_mend(check, &mend, "mailbox %" PRIu32 " has messages, but is not known",
                          mailbox);
}

enum err_code check_items(struct check *check, struct err *err)
{
    struct check_place place = {0};
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        code = check_slice_begin(check, err);
        if (code == ERR_NONE)
            code = next_folder(check, &place, err);
        if (code != ERR_NONE) {
            index_read_end(&check->txn);
            break;
        }
        if (place.folder == 0) {
            check_owner(check, place.mailbox); /* the counters are checked with the mailbox */
            code = check_slice_end(check, err);
        } else
            code = check_folder(check, place, err);
        place.folder++;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}
