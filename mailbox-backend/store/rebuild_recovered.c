/* Without a copy of the index: what the records knew is put below "Recovered" in each mailbox. */
#include <string.h>

#include "mailbox-backend/store/copy.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/rebuild_private.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"

bool rebuild_is_bad(const struct rebuild *rebuild, uint64_t id)
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

enum err_code rebuild_take_slots(struct rebuild_place *place, struct err *err)
{
    enum err_code code =
        batch_mailbox_number(&place->rebuild->batch, place->number, &place->mailbox, err);

    return code == ERR_NONE ? batch_folder(&place->rebuild->batch, place->mailbox, place->folder,
                                           &place->slot, err)
                            : code;
}

static enum err_code drop_unreadable(struct rebuild_place *place, const struct store_item *item,
                                     uint64_t read_modseq, struct err *err)
{
    const struct item_place where = {
        .mailbox = place->mailbox, .folder = place->folder, .name = str_of(""), .for_good = true};

    if (!rebuild_is_bad(place->rebuild, item->content_id))
        return ERR_NONE;
    folder_count(&place->rebuild->batch, place->slot, item, -1);
    mailbox_count(&place->rebuild->batch, place->mailbox, item, -1);
    return item_drop(&place->rebuild->batch, &where, item, read_modseq, err);
}

/* Calls each for the folder's items, a lot in a transaction. */
static enum err_code for_items(struct rebuild_place *place,
                               enum err_code (*each)(struct rebuild_place *place,
                                                     const struct store_item *item,
                                                     uint64_t read_modseq, struct err *err),
                               struct err *err)
{
    struct uidset all = {0};
    uint32_t next = 1;
    unsigned count = REBUILD_LOT;
    enum err_code code = ERR_NONE;

    uidset_add_range(&all, 1, UID_MAX);
    while (code == ERR_NONE) {
        struct store_item item;
        uint64_t read_modseq;

        if (count++ == REBUILD_LOT) {
            code = rebuild_flush(place->rebuild, err);
            if (code == ERR_NONE)
                code = rebuild_take_slots(place, err);
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
    struct rebuild_place place = {.rebuild = rebuild, .number = number};
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
            rebuild_is_bad(rebuild, entry->item.content_id))
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

enum err_code rebuild_make_folder(struct rebuild *rebuild, struct mailbox_slot *mailbox,
                                  uint32_t id, uint32_t parent, const char *name,
                                  struct folder_slot **slot, struct err *err)
{
    const struct folder_record record = {parent, USE_NONE, CLASS_MAIL, rebuild->batch.now,
                                         str_of(name)};

    mailbox_slot_change(&rebuild->batch, mailbox);
    if (mailbox->state.next_folder <= id)
        mailbox->state.next_folder = id + 1;
    return folder_make(&rebuild->batch, mailbox, id, &record, slot, err);
}

/* From INBOX to the folder above the mailbox's others. */
static enum err_code move_item(struct rebuild_place *place, const struct store_item *item,
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
    struct rebuild_place inbox = {
        .rebuild = rebuild, .number = number, .folder = STORE_INBOX_FOLDER};
    struct folder_slot *slot;
    uint32_t id;
    unsigned count = 0;
    enum err_code code = rebuild_take_slots(&inbox, err);

    if (code != ERR_NONE)
        return code;
    id = inbox.mailbox->state.next_folder;
    code = put_all_below(&inbox.mailbox->tx, id, &count, err);
    if (code != ERR_NONE || (count == 0 && inbox.slot->state.messages == 0))
        return code;
    code = rebuild_make_folder(rebuild, inbox.mailbox, id, STORE_ROOT_FOLDER, RECOVERED_NAME, &slot,
                               err);
    if (code == ERR_NONE && inbox.slot->state.messages > 0) {
        code = rebuild_make_folder(rebuild, inbox.mailbox, id + 1, id, "INBOX", &slot, err);
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

enum err_code rebuild_recovered(struct rebuild *rebuild, struct err *err)
{
    enum err_code code;

    rebuild->store.settings.recovery_seconds = 0;
    rebuild->batch.now = time(NULL);
    code = rebuild_count(rebuild, err);
    if (code == ERR_NONE)
        code = each_mailbox(rebuild, err);
    if (code == ERR_NONE)
        code = rebuild_orphans(rebuild, err);
    rebuild->dropped = rebuild->result->unreadable;
    return code == ERR_NONE ? rebuild_flush(rebuild, err) : code;
}
