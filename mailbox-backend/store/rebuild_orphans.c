/* Without a copy of the index: messages of which only the content is known come into the mailbox of the owner who is
   named. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/known.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/pages.h"
#include "mailbox-backend/store/rebuild_private.h"

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

static enum err_code give(struct rebuild_place *place, uint64_t id, uint64_t size, struct err *err)
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
    static const char *const guids[] = {"guid", NULL};
    char *path = backup_path("%s/index.mdb", folder);
    struct key key = key_guid(rebuild->options->owner->bytes);
    struct index *index = NULL;
    struct tx tx = {0};
    struct bytes row;
    enum err_code code = ERR_NONE;

    if (access(path, F_OK) != 0) /* it must not be made */
        code = err_set(err, ERR_CORRUPT, "%s is missing", path);
    if (code == ERR_NONE)
        code = pages_look(path, guids, err);
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

static enum err_code owner_folder(struct rebuild_place *place, struct err *err)
{
    struct rebuild *rebuild = place->rebuild;
    enum err_code code = owner_number(rebuild, &place->number, err);
    uint32_t parent = 0;

    place->folder = STORE_INBOX_FOLDER;
    if (code == ERR_NONE)
        code = rebuild_take_slots(place, err);
    if (code != ERR_NONE)
        return code;
    mailbox_slot_change(&rebuild->batch, place->mailbox);
    place->mailbox->state.next_item += BACKUP_ROOM_ITEMS; /* of none that was lost */
    code = folder_name_get(&place->mailbox->tx, STORE_ROOT_FOLDER, str_of(RECOVERED_NAME), &parent,
                           err);
    if (code == ERR_NOT_FOUND) {
        parent = place->mailbox->state.next_folder;
        code = rebuild_make_folder(rebuild, place->mailbox, parent, STORE_ROOT_FOLDER,
                                   RECOVERED_NAME, &place->slot, err);
    }
    if (code != ERR_NONE)
        return code;
    place->folder = place->mailbox->state.next_folder;
    return rebuild_make_folder(rebuild, place->mailbox, place->folder, parent, "Without an owner",
                               &place->slot, err);
}

static enum err_code count_orphans(struct rebuild *rebuild, uint64_t *count, struct err *err)
{
    struct content_head head;
    uint64_t id = 0;
    enum err_code code;

    *count = 0;
    while ((code = next_orphan(rebuild, &id, &head, err)) == ERR_NONE) {
        *count += !rebuild_is_bad(rebuild, id);
        id++;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code place_orphans(struct rebuild *rebuild, struct rebuild_place *place,
                                   struct err *err)
{
    struct content_head head;
    uint64_t id = 0;
    unsigned count = 0;
    enum err_code code;

    while ((code = next_orphan(rebuild, &id, &head, err)) == ERR_NONE) {
        if (place->folder != 0 && !rebuild_is_bad(rebuild, id))
            code = give(place, id, head.size, err);
        if (code == ERR_NONE && (place->folder == 0 || rebuild_is_bad(rebuild, id)))
            code = remove_orphan(rebuild, id, err);
        if (code == ERR_NONE && ++count % REBUILD_LOT == 0) {
            code = rebuild_flush(rebuild, err);
            if (code == ERR_NONE && place->folder != 0)
                code = rebuild_take_slots(place, err);
        }
        if (code != ERR_NONE)
            return code;
        id++;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code rebuild_orphans(struct rebuild *rebuild, struct err *err)
{
    struct rebuild_place place = {.rebuild = rebuild};
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
