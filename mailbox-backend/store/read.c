/* Snapshots, and items in them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/uid_map.h"

enum err_code store_read_begin(struct store_mailbox *mailbox, struct store_read **out,
                               struct err *err)
{
    struct store_read *read = mem_alloc(sizeof(*read));
    struct key key = key_item(0, KEY_STATE);
    struct bytes row;
    enum err_code code;

    *out = NULL;
    read->mailbox = mailbox;
    read->tx.mailbox = mailbox->number;
    code = index_read_begin(mailbox->database->index, &read->tx.txn, err);
    if (code == ERR_NONE)
        code = tx_get(&read->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !mailbox_state_unpack(row, &read->state))
        code = tx_bad_row(&read->tx, TABLE_ITEM, err);
    if (code == ERR_NOT_FOUND)
        err_set(err, code, "the mailbox was removed");
    if (code == ERR_NONE)
        *out = read;
    else
        store_read_end(&read);
    return code;
}

void store_read_end(struct store_read **read)
{
    if (*read == NULL)
        return;
    scan_end(&(*read)->summaries);
    index_read_end(&(*read)->tx.txn);
    free(*read);
    *read = NULL;
}

uint64_t store_read_modseq(struct store_read *read)
{
    return read->state.modseq;
}

uint64_t store_read_next_item(struct store_read *read)
{
    return read->state.next_item;
}

enum err_code store_usage(struct store_read *read, struct store_usage *usage, struct err *err)
{
    (void)err;
    usage->bytes = read->state.bytes;
    usage->messages = read->state.messages;
    usage->folders = read->state.folders > 0 ? read->state.folders - 1 : 0;
    return ERR_NONE;
}

static enum err_code folder_state(struct store_read *read, uint32_t folder,
                                  struct folder_state *state, struct err *err)
{
    struct key key = key_item(folder, KEY_STATE);
    struct bytes row;
    enum err_code code;

    code = folder == 0 ? ERR_NOT_FOUND : tx_get(&read->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, code, "there is no such folder");
    if (code == ERR_NONE && !folder_state_unpack(row, state))
        code = tx_bad_row(&read->tx, TABLE_ITEM, err);
    return code;
}

enum err_code store_item_get(struct store_read *read, uint32_t folder, uint32_t uid,
                             struct store_item *item, struct err *err)
{
    size_t count;
    enum err_code code = uid == 0 || uid > UID_MAX
                             ? ERR_NONE
                             : store_item_scan(read, folder, uid, uid, 0, item, 1, &count, err);

    if (uid == 0 || uid > UID_MAX || (code == ERR_NONE && count == 0))
        return err_set(err, ERR_NOT_FOUND, "there is no such message");
    return code;
}

/* The first uid at or behind uid whose block has changed; 0 when none has. */
static enum err_code next_changed(struct store_read *read, uint32_t folder, uint64_t since,
                                  const struct folder_state *state, uint32_t *uid, struct err *err)
{
    uint32_t newest = (state->uid_next - 1) / BLOCK_UIDS;
    uint32_t block = *uid / BLOCK_UIDS;
    struct key key = key_block(folder, block);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &read->tx, TABLE_BLOCK, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE && block < newest && get_u32(scan.key.data + 8) == block &&
           scan.value.length == 8 && get_u64(scan.value.data) <= since) {
        block++;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    if (block > *uid / BLOCK_UIDS)
        *uid = block * BLOCK_UIDS;
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* What a scan carries from item to item. A damaged row is passed over, with a line in the log: the
   folder's other items must stay readable. */
struct item_scan {
    struct tx_scan rows;
    uint32_t folder;
    uint32_t last;
    uint32_t uid; /* of the row it stands on */
};

static enum err_code pass_over(struct item_scan *scan, struct err *err)
{
    enum err_code code = ERR_CORRUPT;

    while (code == ERR_CORRUPT) {
        log_error(NULL, "mailbox %" PRIu32 ", folder %" PRIu32 ": item %" PRIu32 " is damaged",
                  scan->rows.tx.mailbox, scan->folder, get_u32(scan->rows.key.data + 8));
        code = scan_next(&scan->rows, err);
    }
    return code;
}

static enum err_code arrive(struct item_scan *scan, enum err_code code, struct err *err)
{
    if (code == ERR_CORRUPT)
        code = pass_over(scan, err);
    if (code == ERR_NONE)
        scan->uid = get_u32(scan->rows.key.data + 8);
    return code;
}

static enum err_code item_seek(struct item_scan *scan, uint32_t uid, struct err *err)
{
    struct key key = key_item(scan->folder, uid);

    return arrive(scan, scan_seek(&scan->rows, &key, err), err);
}

static enum err_code item_next(struct item_scan *scan, struct err *err)
{
    return arrive(scan, scan_next(&scan->rows, err), err);
}

/* Copies the items of one run of uids, up to end. */
static enum err_code copy_items(struct item_scan *scan, uint32_t end, uint64_t since,
                                struct store_item *items, size_t room, size_t *count,
                                struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && scan->uid <= end && *count < room) {
        if (!item_unpack(scan->rows.value, scan->uid, &items[*count]))
            return tx_bad_row(&scan->rows.tx, TABLE_ITEM, err); /* of a newer version */
        if (items[*count].modseq > since)
            (*count)++;
        code = item_next(scan, err);
    }
    return code;
}

static enum err_code scan_changed(struct store_read *read, struct item_scan *scan, uint32_t first,
                                  uint64_t since, const struct folder_state *state,
                                  struct store_item *items, size_t room, size_t *count,
                                  struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && first <= scan->last && *count < room) {
        uint32_t end;

        code = next_changed(read, scan->folder, since, state, &first, err);
        if (code != ERR_NONE || first > scan->last)
            break;
        end = first | (BLOCK_UIDS - 1);
        if (end > scan->last)
            end = scan->last;
        code = item_seek(scan, first, err);
        if (code == ERR_NONE)
            code = copy_items(scan, end, since, items, room, count, err);
        first = end + 1;
    }
    return code;
}

enum err_code store_item_scan(struct store_read *read, uint32_t folder, uint32_t first,
                              uint32_t last, uint64_t changed_since, struct store_item *items,
                              size_t room, size_t *count, struct err *err)
{
    struct item_scan scan = {.folder = folder};
    struct folder_state state = {0};
    enum err_code code = folder_state(read, folder, &state, err);

    *count = 0;
    if (code != ERR_NONE)
        return code;
    /* what a large copy has put behind uid_next is not there yet */
    scan.last = last < state.uid_next ? last : state.uid_next - 1;
    if (first > scan.last || room == 0)
        return ERR_NONE;
    code = scan_begin(&scan.rows, &read->tx, TABLE_ITEM, PREFIX_FOLDER, err);
    if (code == ERR_NONE && changed_since > 0) {
        code = scan_changed(read, &scan, first, changed_since, &state, items, room, count, err);
    } else if (code == ERR_NONE) {
        code = item_seek(&scan, first, err);
        if (code == ERR_NONE)
            code = copy_items(&scan, scan.last, 0, items, room, count, err);
    }
    scan_end(&scan.rows);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code uids_from(struct store_read *read, uint32_t folder, uint32_t first,
                               uint32_t uid_next, struct uidset *set, struct err *err)
{
    struct item_scan scan = {.folder = folder};
    enum err_code code = scan_begin(&scan.rows, &read->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = item_seek(&scan, first, err);
    while (code == ERR_NONE && scan.uid < uid_next) {
        uidset_add(set, scan.uid);
        code = item_next(&scan, err);
    }
    scan_end(&scan.rows);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code store_uids(struct store_read *read, uint32_t folder, uint32_t first,
                         struct uidset *set, struct err *err)
{
    struct folder_state state = {0};
    struct uid_map *map;
    enum err_code code = folder_state(read, folder, &state, err);

    if (code != ERR_NONE || first >= state.uid_next)
        return code;
    if (first > 1)
        return uids_from(read, folder, first, state.uid_next, set, err);
    code = uid_map_get(read, folder, &state, &map, err);
    if (code != ERR_NONE)
        return code;
    uidset_unite(set, &map->uids);
    uid_map_let_go(&map);
    return ERR_NONE;
}

/* NULL where all is seen. */
static enum err_code unseen_map(struct store_read *read, uint32_t folder, struct uid_map **map,
                                struct err *err)
{
    struct folder_state state = {0};
    enum err_code code = folder_state(read, folder, &state, err);

    *map = NULL;
    if (code != ERR_NONE || state.unseen == 0)
        return code;
    return uid_map_get(read, folder, &state, map, err);
}

enum err_code store_unseen(struct store_read *read, uint32_t folder, struct uidset *set,
                           struct err *err)
{
    struct uid_map *map;
    enum err_code code = unseen_map(read, folder, &map, err);

    if (map != NULL)
        uidset_unite(set, &map->unseen);
    uid_map_let_go(&map);
    return code;
}

enum err_code store_first_unseen(struct store_read *read, uint32_t folder, uint32_t *uid,
                                 struct err *err)
{
    struct uid_map *map;
    enum err_code code = unseen_map(read, folder, &map, err);

    *uid = map == NULL ? 0 : uidset_first(&map->unseen);
    uid_map_let_go(&map);
    return code;
}

bool store_uids_are_kept(struct store_read *read, uint32_t folder)
{
    struct folder_state state = {0};

    return folder_state(read, folder, &state, NULL) == ERR_NONE &&
           uid_map_is_kept(read, folder, &state);
}

/* The scan stands on the first summary at or behind the uid that was sought, or on none. */
static void stand_on(struct store_read *read, uint32_t folder, enum err_code code)
{
    bool on_row = code == ERR_NONE || code == ERR_CORRUPT;

    read->summary_folder = folder;
    read->summary_uid = on_row ? get_u32(read->summaries.key.data + 8) : 0;
}

static enum err_code find_summary(struct store_read *read, uint32_t folder, uint32_t uid,
                                  struct err *err)
{
    struct key key = key_item(folder, uid);
    enum err_code code = ERR_NONE;

    if (read->summaries.cursor == NULL)
        code = scan_begin(&read->summaries, &read->tx, TABLE_SUMMARY, PREFIX_FOLDER, err);
    if (code != ERR_NONE)
        return code;
    if (read->summary_folder == folder && read->summary_uid != 0 && read->summary_uid < uid) {
        code = scan_next(&read->summaries, err);
        stand_on(read, folder, code);
        if (read->summary_uid == uid)
            return code;
    }
    code = scan_seek(&read->summaries, &key, err);
    stand_on(read, folder, code);
    if (read->summary_uid == uid)
        return code;
    return code == ERR_UNAVAILABLE ? code : err_set(err, ERR_NOT_FOUND, "there is no summary");
}

enum err_code store_summary_get(struct store_read *read, uint32_t folder, uint32_t uid,
                                uint8_t bytes[STORE_SUMMARY_MAX], size_t *length, struct err *err)
{
    enum err_code code = find_summary(read, folder, uid, err);
    struct bytes row = read->summaries.value;

    if (code == ERR_NONE && row.length > STORE_SUMMARY_MAX)
        code = tx_bad_row(&read->tx, TABLE_SUMMARY, err);
    if (code != ERR_NONE)
        return code;
    memcpy(bytes, row.data, row.length);
    *length = row.length;
    return ERR_NONE;
}
