/* The index of a backup begins a new life: its numbers jump past what may have been given out since
   the backup, and every item counts as changed. */
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/format.h"

#define LOT 2000u /* rows a transaction */
#define UIDS_MOST (1u << 31)

struct leap {
    struct index *index;
    const struct backup_database *database; /* NULL: of no backup, all segments stay */
    const struct backup_room *room;
    bool new_uid_validity;
    struct tx tx;
    struct mailbox_state state; /* of the mailbox that is adapted */
    struct store_item *items;   /* LOT of them */
    uint64_t damaged;           /* rows that are left as they are */
};

/* A new transaction, so that none grows with the store. */
static enum err_code commit(struct leap *leap, struct err *err)
{
    enum err_code code = index_commit(&leap->tx.txn, err);

    return code == ERR_NONE ? index_write_begin(leap->index, &leap->tx.txn, err) : code;
}

/* The first row behind *key that shares prefix bytes with it; *key becomes its key. */
static enum err_code next_row(struct leap *leap, enum table table, size_t prefix, struct key *key,
                              struct bytes *value, struct err *err)
{
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &leap->tx, table, prefix, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, key, err);
    if ((code == ERR_NONE || code == ERR_CORRUPT) && scan.key.length <= KEY_MAX) {
        key->length = scan.key.length;
        memcpy(key->bytes, scan.key.data, scan.key.length);
        *value = scan.value;
    }
    scan_end(&scan);
    return code;
}

/* ---- items ---- */

/* A damaged row is left as it is. */
static enum err_code collect(struct leap *leap, uint32_t folder, uint32_t from, size_t *count,
                             struct err *err)
{
    struct key key = key_item(folder, from);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &leap->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    *count = 0;
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while ((code == ERR_NONE || code == ERR_CORRUPT) && *count < LOT) {
        uint32_t uid = get_u32(scan.key.data + 8);

        if (code == ERR_NONE && uid != KEY_STATE &&
            item_unpack(scan.value, uid, &leap->items[*count]))
            ++*count;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
}

static enum err_code renew_items(struct leap *leap, uint32_t folder, struct err *err)
{
    uint32_t from = 1;
    size_t count = LOT;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && count == LOT) {
        code = collect(leap, folder, from, &count, err);
        for (size_t i = 0; i < count && code == ERR_NONE; i++) {
            struct store_item *item = &leap->items[i];
            struct key key = key_item(folder, item->uid);
            uint8_t row[ITEM_ROW];

            item->modseq = leap->state.modseq;
            item_pack(row, item, leap->state.modseq);
            code = tx_put(&leap->tx, TABLE_ITEM, &key, row, sizeof(row), err);
            from = item->uid + 1;
        }
        if (code == ERR_NONE)
            code = commit(leap, err);
    }
    return code;
}

/* ---- folders ---- */

static enum err_code clear(struct leap *leap, enum table table, struct key first, struct err *err)
{
    struct bytes value;
    enum err_code code;
    unsigned count = 0;
    struct key key = first;

    while ((code = next_row(leap, table, PREFIX_FOLDER, &key, &value, err)) == ERR_NONE ||
           code == ERR_CORRUPT) {
        code = tx_remove(&leap->tx, table, &key, err);
        if (code == ERR_NONE && ++count % LOT == 0)
            code = commit(leap, err);
        if (code != ERR_NONE)
            return code;
        key = first;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static void jump(struct leap *leap, struct folder_state *state)
{
    bool claimed = state->claim_count > 0; /* items that nobody may see stand at uid_next */

    state->highest_modseq = leap->state.modseq;
    state->vanished_floor = leap->state.modseq;
    state->vanished_rows = 0;
    if (leap->new_uid_validity || claimed || state->uid_next > UIDS_MOST)
        state->uid_validity = ++leap->state.last_uid_validity;
    else
        state->uid_next += (uint32_t)leap->room->uids;
}

static enum err_code renew_folder(struct leap *leap, uint32_t folder, struct err *err)
{
    struct key key = key_item(folder, KEY_STATE);
    uint8_t packed[FOLDER_STATE_ROW];
    struct folder_state state;
    struct bytes row;
    enum err_code code = tx_get(&leap->tx, TABLE_ITEM, &key, &row, err);

    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code == ERR_CORRUPT || (code == ERR_NONE && !folder_state_unpack(row, &state))) {
        leap->damaged++; /* a repair gives it a new UIDVALIDITY */
        return ERR_NONE;
    }
    if (code != ERR_NONE)
        return code;
    jump(leap, &state);
    folder_state_pack(packed, &state);
    code = tx_put(&leap->tx, TABLE_ITEM, &key, packed, sizeof(packed), err);
    if (code == ERR_NONE) /* without a row, 1,024 uids count as changed */
        code = clear(leap, TABLE_BLOCK, key_block(folder, 0), err);
    if (code == ERR_NONE)
        code = clear(leap, TABLE_VANISHED, key_vanished(folder, 0), err);
    return code == ERR_NONE ? renew_items(leap, folder, err) : code;
}

static enum err_code renew_folders(struct leap *leap, struct err *err)
{
    struct bytes value;
    uint32_t folder = 0;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct key key = key_folder(folder + 1);

        code = next_row(leap, TABLE_FOLDER, PREFIX_MAILBOX, &key, &value, err);
        if (code == ERR_NOT_FOUND)
            return ERR_NONE;
        if (code == ERR_NONE || code == ERR_CORRUPT) {
            folder = get_u32(key.bytes + 4);
            code = renew_folder(leap, folder, err);
        }
    }
    return code;
}

/* ---- mailboxes ---- */

static void see_folder(struct leap *leap, uint32_t folder)
{
    struct key key = key_item(folder, KEY_STATE);
    struct folder_state state;
    struct bytes row;

    if (tx_get(&leap->tx, TABLE_ITEM, &key, &row, NULL) != ERR_NONE ||
        !folder_state_unpack(row, &state))
        return;
    if (leap->state.modseq < state.highest_modseq)
        leap->state.modseq = state.highest_modseq;
    if (leap->state.last_uid_validity < state.uid_validity)
        leap->state.last_uid_validity = state.uid_validity;
}

/* What the folders tell of a mailbox whose counters are damaged. */
static enum err_code guess_state(struct leap *leap, struct err *err)
{
    struct bytes value;
    uint32_t folder = 0;
    enum err_code code = ERR_NONE;

    leap->state = (struct mailbox_state){0};
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        struct key key = key_folder(folder + 1);

        code = next_row(leap, TABLE_FOLDER, PREFIX_MAILBOX, &key, &value, err);
        if (code == ERR_NONE || code == ERR_CORRUPT) {
            folder = get_u32(key.bytes + 4);
            see_folder(leap, folder);
        }
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* *damaged: the counters are. */
static enum err_code read_mailbox(struct leap *leap, bool *damaged, struct err *err)
{
    struct key key = key_item(0, KEY_STATE);
    struct bytes row;
    enum err_code code = tx_get(&leap->tx, TABLE_ITEM, &key, &row, err);

    *damaged =
        code == ERR_CORRUPT || (code == ERR_NONE && !mailbox_state_unpack(row, &leap->state));
    if (!*damaged)
        return code;
    leap->damaged++;
    return guess_state(leap, err);
}

/* Damaged counters stay as they are: a repair makes them anew, and they jump then. */
static enum err_code renew_mailbox(struct leap *leap, uint32_t number, struct err *err)
{
    struct key key = key_item(0, KEY_STATE);
    uint8_t packed[MAILBOX_STATE_MOST];
    uint32_t now = (uint32_t)time(NULL);
    bool damaged;
    size_t length;
    enum err_code code;

    leap->tx.mailbox = number;
    code = read_mailbox(leap, &damaged, err);
    if (code == ERR_NOT_FOUND) /* being removed */
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    leap->state.modseq += leap->room->modseqs;
    leap->state.next_item += leap->room->items;
    leap->state.next_folder += (uint32_t)leap->room->folders;
    if (leap->state.last_uid_validity < now)
        leap->state.last_uid_validity = now;
    code = renew_folders(leap, err);
    if (damaged)
        return code;
    length = mailbox_state_pack(packed, &leap->state);
    return code == ERR_NONE ? tx_put(&leap->tx, TABLE_ITEM, &key, packed, length, err) : code;
}

static enum err_code renew_mailboxes(struct leap *leap, struct err *err)
{
    struct bytes value;
    uint32_t number = 0;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct key key = key_number(number + 1);

        leap->tx.mailbox = 0;
        code = next_row(leap, TABLE_MAILBOX, PREFIX_NONE, &key, &value, err);
        if (code == ERR_NOT_FOUND)
            return ERR_NONE;
        if (code == ERR_NONE || code == ERR_CORRUPT) {
            number = get_u32(key.bytes);
            code = renew_mailbox(leap, number, err);
        }
    }
    return code;
}

/* ---- the database ---- */

/* Nothing is appended to what was copied; files that were not copied are forgotten. */
static enum err_code renew_segment(struct leap *leap, struct key *key, struct bytes value,
                                   struct err *err)
{
    uint32_t number = get_u32(key->bytes);
    struct segment_record record;
    uint8_t packed[SEGMENT_ROW];

    if (!segment_unpack(value, number, &record))
        return tx_bad_row(&leap->tx, TABLE_SEGMENT, err);
    if (leap->database != NULL && manifest_segment(leap->database, number) == NULL)
        return tx_remove(&leap->tx, TABLE_SEGMENT, key, err);
    record.state = SEGMENT_SEALED;
    segment_pack(packed, &record);
    return tx_put(&leap->tx, TABLE_SEGMENT, key, packed, sizeof(packed), err);
}

/* Of no backup, a damaged row goes: the rebuild puts a new one where there is a file. */
static enum err_code renew_segments(struct leap *leap, struct err *err)
{
    struct key key = key_number(1);
    struct bytes value = {0};
    enum err_code code;

    while ((code = next_row(leap, TABLE_SEGMENT, PREFIX_NONE, &key, &value, err)) == ERR_NONE ||
           (code == ERR_CORRUPT && leap->database == NULL)) {
        uint32_t number = get_u32(key.bytes);

        leap->damaged += code != ERR_NONE;
        code = code == ERR_NONE ? renew_segment(leap, &key, value, err)
                                : tx_remove(&leap->tx, TABLE_SEGMENT, &key, err);
        if (code != ERR_NONE)
            return code;
        key = key_number(number + 1);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code renew_record(struct leap *leap, struct err *err)
{
    struct key key = key_number(0);
    struct database_record record;
    uint8_t packed[DATABASE_MOST];
    struct bytes row;
    size_t length;
    enum err_code code = tx_get(&leap->tx, TABLE_SEGMENT, &key, &row, err);

    if (code == ERR_NONE && !database_unpack(row, &record))
        code = tx_bad_row(&leap->tx, TABLE_SEGMENT, err);
    if (code != ERR_NONE)
        return code;
    if (record.created >= (uint64_t)time(NULL))
        record.created++;
    else
        record.created = (uint64_t)time(NULL);
    length = database_pack(packed, &record);
    return tx_put(&leap->tx, TABLE_SEGMENT, &key, packed, length, err);
}

enum err_code backup_leap(struct index *index, const struct backup_database *database,
                          const struct backup_room *room, bool new_uid_validity, uint64_t *damaged,
                          struct err *err)
{
    struct leap leap = {
        .index = index,
        .database = database,
        .room = room,
        .new_uid_validity = new_uid_validity,
        .items = mem_array(LOT, sizeof(struct store_item)),
    };
    enum err_code code = index_write_begin(index, &leap.tx.txn, err);

    if (code == ERR_NONE)
        code = format_check_row(&leap.tx, err);
    if (code == ERR_NONE)
        code = renew_segments(&leap, err);
    if (code == ERR_NONE)
        code = renew_mailboxes(&leap, err);
    leap.tx.mailbox = 0;
    if (code == ERR_NONE)
        code = renew_record(&leap, err);
    if (code == ERR_NONE)
        code = index_commit(&leap.tx.txn, err);
    index_abort(&leap.tx.txn);
    *damaged = leap.damaged;
    free(leap.items);
    return code;
}
