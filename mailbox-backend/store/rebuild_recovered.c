/* Without a copy of the index: what the records knew is put below "Recovered" in each mailbox, and
   messages of which only the content is known come into the owner's mailbox. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/copy.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/known.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/rebuild_private.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"

#define RECOVERED "Recovered"
#define LOT 1000u

static bool is_bad(const struct rebuild *rebuild, uint64_t id)
{
    size_t low = 0;
    size_t high = rebuild->bad_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rebuild->bad[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rebuild->bad_count && rebuild->bad[low] == id;
}

/* The first number behind *number that a mailbox has. */
static enum err_code next_mailbox(struct rebuild *rebuild, uint32_t *number, struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(*number + 1);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_MAILBOX, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE)
        *number = get_u32(scan.key.data);
    scan_end(&scan);
    return code;
}

/* ---- what cannot be read ---- */

/* Items of a folder, in slots that a flush has made anew. */
struct place {
    struct rebuild *rebuild;
    uint32_t number, folder;
    struct mailbox_slot *mailbox;
    struct folder_slot *slot;
};

static enum err_code take_slots(struct place *place, struct err *err)
{
    enum err_code code =
        batch_mailbox_number(&place->rebuild->batch, place->number, &place->mailbox, err);

    return code == ERR_NONE ? batch_folder(&place->rebuild->batch, place->mailbox, place->folder,
                                           &place->slot, err)
                            : code;
}

static enum err_code drop_unreadable(struct place *place, const struct store_item *item,
                                     uint64_t read_modseq, struct err *err)
{
    const struct item_place where = {
        .mailbox = place->mailbox, .folder = place->folder, .name = str_of(""), .for_good = true};

    if (!is_bad(place->rebuild, item->content_id))
        return ERR_NONE;
    folder_count(&place->rebuild->batch, place->slot, item, -1);
    mailbox_count(&place->rebuild->batch, place->mailbox, item, -1);
    return item_drop(&place->rebuild->batch, &where, item, read_modseq, err);
}

/* Calls each for the folder's items, a lot in a transaction. */
static enum err_code for_items(struct place *place,
                               enum err_code (*each)(struct place *place,
                                                     const struct store_item *item,
                                                     uint64_t read_modseq, struct err *err),
                               struct err *err)
{
    struct uidset all = {0};
    uint32_t next = 1;
    unsigned count = LOT;
    enum err_code code = ERR_NONE;

    uidset_add_range(&all, 1, UID_MAX);
    while (code == ERR_NONE) {
        struct store_item item;
        uint64_t read_modseq;

        if (count++ == LOT) {
            code = rebuild_flush(place->rebuild, err);
            if (code == ERR_NONE)
                code = take_slots(place, err);
            count = 0;
        }
        if (code == ERR_NONE)
            code = item_next_in(place->slot, &all, &next, &item, &read_modseq, err);
        if (code == ERR_NONE)
            code = each(place, &item, read_modseq, err);
    }
    uidset_release(&all);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* The first folder behind *folder. */
static enum err_code next_folder(struct rebuild *rebuild, uint32_t number, uint32_t *folder,
                                 struct err *err)
{
    struct tx tx = {rebuild->batch.txn, number};
    struct key key = key_folder(*folder + 1);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_FOLDER, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE)
        *folder = get_u32(scan.key.data + 4);
    scan_end(&scan);
    return code;
}

static enum err_code clean_folders(struct rebuild *rebuild, uint32_t number, struct err *err)
{
    struct place place = {.rebuild = rebuild, .number = number};
    enum err_code code;

    while ((code = next_folder(rebuild, number, &place.folder, err)) == ERR_NONE) {
        code = for_items(&place, drop_unreadable, err);
        if (code != ERR_NONE)
            return code;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* The first recoverable item at or behind *key that cannot be read. */
static enum err_code next_unreadable(struct rebuild *rebuild, const struct tx *tx, struct key *key,
                                     struct store_recoverable *entry, struct err *err)
{
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        *key = key_recoverable(get_u64(scan.key.data + 4), get_u48(scan.key.data + 12));
        if (code == ERR_NONE && recoverable_unpack(scan.value, entry) &&
            is_bad(rebuild, entry->item.content_id))
            break;
    }
    scan_end(&scan);
    return code;
}

static enum err_code clean_recoverable(struct rebuild *rebuild, uint32_t number, struct err *err)
{
    struct key key = key_recoverable(0, 0);
    struct mailbox_slot *slot;
    enum err_code code = batch_mailbox_number(&rebuild->batch, number, &slot, err);

    while (code == ERR_NONE) {
        struct store_recoverable entry;

        code = next_unreadable(rebuild, &slot->tx, &key, &entry, err);
        if (code == ERR_NONE)
            code = recoverable_drop(&rebuild->batch, slot, &key, &entry.item, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- below Recovered ---- */

static enum err_code put_below(const struct tx *tx, uint32_t folder, uint32_t parent,
                               const char *name, struct err *err)
{
    struct folder_record record;
    enum err_code code = folder_record_get(tx, folder, &record, err);

    if (code == ERR_NONE)
        code = folder_name_remove(tx, &record, err);
    if (code == ERR_NONE)
        code = folder_record_get(tx, folder, &record, err); /* the map may have moved */
    if (code != ERR_NONE)
        return code;
    record.parent = parent;
    record.use = USE_NONE; /* new folders get the special uses */
    record.name = str_of(name);
    code = folder_record_put(tx, folder, &record, err);
    return code == ERR_NONE ? folder_name_put(tx, parent, record.name, folder, err) : code;
}

/* All top folders but INBOX. */
static enum err_code put_all_below(const struct tx *tx, uint32_t parent, unsigned *count,
                                   struct err *err)
{
    char name[STORE_NAME_MAX + 2] = "";
    size_t length = 0;
    enum err_code code = ERR_NONE;

    for (*count = 0; code == ERR_NONE;) {
        uint32_t child;

        code = folder_child(tx, STORE_ROOT_FOLDER, str_n(name, length), name, &child, err);
        if (code != ERR_NONE || child == STORE_INBOX_FOLDER) {
            length = strlen(name) + 1;
            continue;
        }
        code = put_below(tx, child, parent, name, err);
        length = strlen(name) + 1;
        ++*count;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code make_folder(struct rebuild *rebuild, struct mailbox_slot *mailbox, uint32_t id,
                                 uint32_t parent, const char *name, struct folder_slot **slot,
                                 struct err *err)
{
    const struct folder_record record = {parent, USE_NONE, CLASS_MAIL, rebuild->batch.now,
                                         str_of(name)};

    mailbox_slot_change(&rebuild->batch, mailbox);
    if (mailbox->state.next_folder <= id)
        mailbox->state.next_folder = id + 1;
    return folder_make(&rebuild->batch, mailbox, id, &record, slot, err);
}

/* From INBOX to the folder above the mailbox's others. */
static enum err_code move_item(struct place *place, const struct store_item *item,
                               uint64_t read_modseq, struct err *err)
{
    struct rebuild *rebuild = place->rebuild;
    struct copy_run run = {.batch = &rebuild->batch, .source = place->slot, .is_move = true};
    struct store_item moved = *item;
    enum err_code code;

    (void)read_modseq;
    keyword_map_init(&run.map);
    code = batch_folder(&rebuild->batch, place->mailbox, place->mailbox->state.next_folder - 1,
                        &run.target, err);
    if (code == ERR_NONE)
        code = copy_item(&run, &moved, item->uid, item->modseq, err);
    if (code != ERR_NONE)
        return code;
    folder_count(&rebuild->batch, place->slot, item, -1);
    folder_count(&rebuild->batch, run.target, &moved, 1);
    if (run.target->state.uid_next <= moved.uid)
        run.target->state.uid_next = moved.uid + 1;
    return ERR_NONE;
}

static enum err_code put_aside(struct rebuild *rebuild, uint32_t number, struct err *err)
{
    struct place inbox = {.rebuild = rebuild, .number = number, .folder = STORE_INBOX_FOLDER};
    struct folder_slot *slot;
    uint32_t id;
    unsigned count = 0;
    enum err_code code = take_slots(&inbox, err);

    if (code != ERR_NONE)
        return code;
    id = inbox.mailbox->state.next_folder;
    code = put_all_below(&inbox.mailbox->tx, id, &count, err);
    if (code != ERR_NONE || (count == 0 && inbox.slot->state.messages == 0))
        return code;
    code = make_folder(rebuild, inbox.mailbox, id, STORE_ROOT_FOLDER, RECOVERED, &slot, err);
    if (code == ERR_NONE && inbox.slot->state.messages > 0) {
        code = make_folder(rebuild, inbox.mailbox, id + 1, id, "INBOX", &slot, err);
        if (code == ERR_NONE)
            code = for_items(&inbox, move_item, err);
    }
    return code;
}

static enum err_code each_mailbox(struct rebuild *rebuild, struct err *err)
{
    uint32_t number = 0;
    enum err_code code;

    while ((code = next_mailbox(rebuild, &number, err)) == ERR_NONE) {
        if (rebuild->bad_count > 0)
            code = clean_folders(rebuild, number, err);
        if (code == ERR_NONE && rebuild->bad_count > 0)
            code = clean_recoverable(rebuild, number, err);
        if (code == ERR_NONE)
            code = put_aside(rebuild, number, err);
        if (code == ERR_NONE)
            code = rebuild_flush(rebuild, err);
        if (code != ERR_NONE)
            return code;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- contents that nobody refers to ---- */

/* The first content at or behind *id without a reference. */
static enum err_code next_orphan(struct rebuild *rebuild, uint64_t *id, struct content_head *head,
                                 struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_content(*id);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        *id = get_u64(scan.key.data);
        if (code == ERR_NONE && content_head_unpack(scan.value, head) && head->references == 0)
            break;
    }
    scan_end(&scan);
    return code;
}

/* The header's size and the last two bytes, as the item's row has them. */
static enum err_code measure(struct rebuild *rebuild, uint64_t id, struct store_item *item,
                             struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_content(id);
    struct content_head head;
    uint8_t *real = mem_alloc(PIECE_BYTES);
    uint32_t last4 = 0x0D0A; /* an empty line may come first */
    uint64_t at = 0;
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_CONTENT, &key, &row, err);

    if (code == ERR_NONE && !content_head_unpack(row, &head))
        code = tx_bad_row(&tx, TABLE_CONTENT, err);
    for (uint32_t i = 0; code == ERR_NONE && i < head.pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        code = rebuild_read_piece(rebuild, &piece, real, err);
        for (uint32_t n = 0; code == ERR_NONE && n < piece.real; n++) {
            last4 = last4 << 8 | real[n];
            at++;
            if (last4 == 0x0D0A0D0Au && item->header_size == 0)
                item->header_size = (uint32_t)at;
        }
    }
    free(real);
    if (item->header_size == 0)
        item->header_size = (uint32_t)item->size;
    item->no_final_newline = item->size > 0 && (last4 & 0xFFFF) != 0x0D0A;
    return code;
}

static enum err_code give(struct place *place, uint64_t id, uint64_t size, struct err *err)
{
    struct batch *batch = &place->rebuild->batch;
    struct store_item item = {.kind = KIND_MAIL,
                              .size = size,
                              .internal_date = batch->now,
                              .save_date = batch->now,
                              .content_id = id};
    enum err_code code = measure(place->rebuild, id, &item, err);

    if (code != ERR_NONE) { /* damaged: it stays without a reference, and goes */
        place->rebuild->result->unreadable++;
        return ERR_NONE;
    }
    random_bytes(&item.email_id, sizeof(item.email_id));
    item.thread_id = item.email_id;
    code = insert_uids(batch, place->slot, 1, &item.uid, err);
    if (code == ERR_NONE)
        code = batch_content_add(batch, id, err);
    if (code != ERR_NONE)
        return code;
    item.modseq = batch_modseq(batch, place->slot, CHANGE_NEW);
    item.item_id = place->mailbox->state.next_item++;
    folder_count(batch, place->slot, &item, 1);
    mailbox_count(batch, place->mailbox, &item, 1);
    place->rebuild->result->without_owner++;
    return item_put(place->slot, &item, item.modseq, err);
}

static enum err_code remove_orphan(struct rebuild *rebuild, uint64_t id, struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_content(id);

    return tx_remove(&tx, TABLE_CONTENT, &key, err);
}

/* ERR_NOT_FOUND: the database does not have the owner's mailbox. */
static enum err_code find_owner(struct rebuild *rebuild, const char *folder, struct err *err)
{
    char *path = backup_path("%s/index.mdb", folder);
    struct key key = key_guid(rebuild->options->owner->bytes);
    struct index *index = NULL;
    struct tx tx = {0};
    struct bytes row;
    enum err_code code = ERR_NONE;

    if (access(path, F_OK) != 0) /* it must not be made */
        code = err_set(err, ERR_CORRUPT, "%s is missing", path);
    if (code == ERR_NONE)
        code = index_open(&index, folder, rebuild->settings->map_size, 2, NULL, err);
    if (code == ERR_NONE)
        code = index_read_begin(index, &tx.txn, err);
    if (code == ERR_NONE)
        code = tx_get(&tx, TABLE_GUID, &key, &row, err);
    index_read_end(&tx.txn);
    index_close(&index);
    free(path);
    return code;
}

/* A mailbox is in one database: that no other one has it must be known. */
static enum err_code check_database(struct rebuild *rebuild, unsigned number, const char *folder,
                                    struct err *err)
{
    struct err why;
    enum err_code code = find_owner(rebuild, folder, &why);

    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code == ERR_NONE)
        return err_set(err, ERR_INVALID,
                       "the mailbox of the account named is in db%u: name one whose mailbox is in "
                       "%s, or that has none yet",
                       number + 1, rebuild->database.name);
    return err_set(err, ERR_UNAVAILABLE,
                   "db%u cannot be read, and may have the mailbox of the account named: %s",
                   number + 1, why.text);
}

static enum err_code check_elsewhere(struct rebuild *rebuild, struct err *err)
{
    struct known_databases known;
    enum err_code code = known_read(&known, rebuild->settings->folder, err);

    for (unsigned n = 0; code == ERR_NONE && n < STORE_DATABASES_MAX; n++) {
        char *folder = backup_path("%s/db%u", rebuild->settings->folder, n + 1);
        bool holds = false;

        if (n != rebuild->options->database)
            code = known_look(folder, &holds, err);
        if (code == ERR_NONE && (holds || (known.all[n] && n != rebuild->options->database)))
            code = check_database(rebuild, n, folder, err);
        free(folder);
    }
    return code;
}

static enum err_code owner_number(struct rebuild *rebuild, uint32_t *number, struct err *err)
{
    struct batch *batch = &rebuild->batch;
    struct tx tx = {batch->txn, 0};
    struct key key = key_guid(rebuild->options->owner->bytes);
    struct mailbox_slot *slot = NULL;
    struct bytes row;
    struct err none;
    enum err_code code = tx_get(&tx, TABLE_GUID, &key, &row, err);

    if (code == ERR_NONE && row.length == 4)
        *number = get_u32(row.data);
    if (code != ERR_NOT_FOUND)
        return code;
    code = check_elsewhere(rebuild, err);
    if (code != ERR_NONE)
        return code;
    *number = batch->record.next_mailbox++;
    if (batch_mailbox_number(batch, *number, &slot, &none) != ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "mailbox %" PRIu32 " is there already", *number);
    mailbox_slot_change(batch, slot);
    slot->present = true;
    slot->state = (struct mailbox_state){.next_item = 1, .next_folder = STORE_INBOX_FOLDER + 1};
    slot->state.counts_recoverable = format_has(batch->record.format, FORMAT_RECOVERABLE_COUNTS);
    code = mailbox_rows_put(batch, rebuild->options->owner, *number, err);
    return code == ERR_NONE ? mailbox_folders_make(batch, slot, err) : code;
}

static enum err_code owner_folder(struct place *place, struct err *err)
{
    struct rebuild *rebuild = place->rebuild;
    enum err_code code = owner_number(rebuild, &place->number, err);
    uint32_t parent = 0;

    place->folder = STORE_INBOX_FOLDER;
    if (code == ERR_NONE)
        code = take_slots(place, err);
    if (code != ERR_NONE)
        return code;
    mailbox_slot_change(&rebuild->batch, place->mailbox);
    place->mailbox->state.next_item += BACKUP_ROOM_ITEMS; /* of none that was lost */
    code = folder_name_get(&place->mailbox->tx, STORE_ROOT_FOLDER, str_of(RECOVERED), &parent, err);
    if (code == ERR_NOT_FOUND) {
        parent = place->mailbox->state.next_folder;
        code = make_folder(rebuild, place->mailbox, parent, STORE_ROOT_FOLDER, RECOVERED,
                           &place->slot, err);
    }
    if (code != ERR_NONE)
        return code;
    place->folder = place->mailbox->state.next_folder;
    return make_folder(rebuild, place->mailbox, place->folder, parent, "Without an owner",
                       &place->slot, err);
}

static enum err_code count_orphans(struct rebuild *rebuild, uint64_t *count, struct err *err)
{
    struct content_head head;
    uint64_t id = 0;
    enum err_code code;

    *count = 0;
    while ((code = next_orphan(rebuild, &id, &head, err)) == ERR_NONE) {
        *count += !is_bad(rebuild, id);
        id++;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code place_orphans(struct rebuild *rebuild, struct place *place, struct err *err)
{
    struct content_head head;
    uint64_t id = 0;
    unsigned count = 0;
    enum err_code code;

    while ((code = next_orphan(rebuild, &id, &head, err)) == ERR_NONE) {
        if (place->folder != 0 && !is_bad(rebuild, id))
            code = give(place, id, head.size, err);
        if (code == ERR_NONE && (place->folder == 0 || is_bad(rebuild, id)))
            code = remove_orphan(rebuild, id, err);
        if (code == ERR_NONE && ++count % LOT == 0) {
            code = rebuild_flush(rebuild, err);
            if (code == ERR_NONE && place->folder != 0)
                code = take_slots(place, err);
        }
        if (code != ERR_NONE)
            return code;
        id++;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code orphans(struct rebuild *rebuild, struct err *err)
{
    struct place place = {.rebuild = rebuild};
    uint64_t count;
    enum err_code code = count_orphans(rebuild, &count, err);

    if (code == ERR_NONE && count > 0 && rebuild->options->owner == NULL) {
        rebuild->result->without_owner = count;
        return err_set(err, ERR_INVALID,
                       "of %" PRIu64
                       " messages no record says whose they are: name an account that "
                       "is to get them",
                       count);
    }
    if (code == ERR_NONE && count > 0)
        code = owner_folder(&place, err);
    return code == ERR_NONE ? place_orphans(rebuild, &place, err) : code;
}

enum err_code rebuild_recovered(struct rebuild *rebuild, struct err *err)
{
    enum err_code code;

    rebuild->store.settings.recovery_seconds = 0;
    rebuild->batch.now = time(NULL);
    code = rebuild_count(rebuild, err);
    if (code == ERR_NONE)
        code = each_mailbox(rebuild, err);
    if (code == ERR_NONE)
        code = orphans(rebuild, err);
    rebuild->dropped = rebuild->result->unreadable;
    return code == ERR_NONE ? rebuild_flush(rebuild, err) : code;
}
