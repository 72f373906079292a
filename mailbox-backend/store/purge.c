#include "mailbox-backend/store/purge.h"

#include <inttypes.h>

#include "common/log.h"
#include "mailbox-backend/store/remove.h"

/* What a purge walks over. */
struct purge {
    struct batch *batch;
    struct mailbox_slot *mailbox; /* present is false when it is gone */
    struct str name;
    bool for_good;
    unsigned *budget;
};

/* Removes one row of the item table, with all that hangs on it. */
static enum err_code drop_row(struct purge *purge, uint32_t folder, uint32_t uid, struct bytes row,
                              bool damaged, struct err *err)
{
    struct item_place place = {purge->mailbox, folder, purge->name, purge->for_good};
    struct key key = key_item(folder, uid);
    struct store_item item;
    enum err_code code;

    if (uid == KEY_STATE)
        return tx_remove(&purge->mailbox->tx, TABLE_ITEM, &key, err);
    if (!damaged && item_unpack(row, uid, &item))
        return item_drop(purge->batch, &place, &item, item_read_modseq(row), err);
    log_error(purge->batch->database->name,
              "mailbox %" PRIu32 ": a damaged item was removed; its content stays",
              purge->mailbox->number);
    code = tx_remove(&purge->mailbox->tx, TABLE_ITEM, &key, err);
    return code == ERR_NONE ? summary_remove(&purge->mailbox->tx, folder, uid, err) : code;
}

/* The items whose keys begin like from and are not above last. */
static enum err_code drop_items(struct purge *purge, struct key from, size_t prefix, uint32_t last,
                                struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && *purge->budget > 0) {
        struct key key = from;
        struct tx_scan scan;
        uint32_t folder, uid;
        bool damaged;

        code = scan_begin(&scan, &purge->mailbox->tx, TABLE_ITEM, prefix, err);
        if (code == ERR_NONE)
            code = scan_seek(&scan, &key, err);
        scan_end(&scan);
        damaged = code == ERR_CORRUPT;
        if (code != ERR_NONE && !damaged)
            break;
        folder = get_u32(scan.key.data + 4);
        uid = get_u32(scan.key.data + 8);
        if (uid > last)
            return ERR_NOT_FOUND;
        code = drop_row(purge, folder, uid, scan.value, damaged, err);
        --*purge->budget;
    }
    return code;
}

/* All rows of a table whose keys begin like from. */
static enum err_code drop_rows(struct purge *purge, enum table table, struct key from,
                               size_t prefix, struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && *purge->budget > 0) {
        struct key key = from;
        struct tx_scan scan;

        code = scan_begin(&scan, &purge->mailbox->tx, table, prefix, err);
        if (code == ERR_NONE)
            code = scan_seek(&scan, &key, err);
        if (code == ERR_NONE || code == ERR_CORRUPT) {
            memcpy(key.bytes, scan.key.data, scan.key.length);
            key.length = scan.key.length;
            code = tx_remove(&purge->mailbox->tx, table, &key, err);
            --*purge->budget;
        }
        scan_end(&scan);
    }
    return code;
}

static enum err_code purge_folder(struct purge *purge, uint32_t folder, struct err *err)
{
    static const enum table tables[] = {TABLE_SUMMARY, TABLE_BLOCK, TABLE_VANISHED};
    enum err_code code = drop_items(purge, key_item(folder, 0), PREFIX_FOLDER, KEY_STATE, err);

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && code == ERR_NOT_FOUND; i++)
        code = drop_rows(purge, tables[i], key_folder(folder), PREFIX_FOLDER, err);
    return code;
}

static enum err_code purge_recoverable(struct purge *purge, struct err *err)
{
    struct store_usage dropped = {0};
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && *purge->budget > 0) {
        code = recoverable_drop_first(purge->batch, purge->mailbox, UINT64_MAX, &dropped, err);
        --*purge->budget;
    }
    return code;
}

static enum err_code purge_mailbox(struct purge *purge, struct err *err)
{
    enum err_code code = drop_items(purge, key_first(), PREFIX_MAILBOX, KEY_STATE, err);

    if (code == ERR_NOT_FOUND)
        code = purge_recoverable(purge, err);
    for (enum table table = 0; table < TABLE_CONTENT && code == ERR_NOT_FOUND; table++)
        code = drop_rows(purge, table, key_first(), PREFIX_MAILBOX, err);
    return code;
}

/* What a copy that did not end has put behind uid_next. */
static enum err_code purge_claim(struct purge *purge, uint32_t folder, struct err *err)
{
    struct mailbox_slot *mailbox;
    struct folder_slot *slot;
    enum err_code code = batch_mailbox_number(purge->batch, purge->mailbox->number, &mailbox, err);

    if (code == ERR_NONE)
        code = batch_folder(purge->batch, mailbox, folder, &slot, err);
    if (code != ERR_NONE || slot->state.claim_count == 0)
        return code == ERR_NONE ? ERR_NOT_FOUND : code; /* gone, and purged as a whole */
    code = drop_items(purge, key_item(folder, slot->state.claim_first), PREFIX_FOLDER,
                      slot->state.claim_first + (slot->state.claim_count - 1), err);
    if (code != ERR_NOT_FOUND)
        return code;
    folder_slot_change(purge->batch, slot, 0);
    slot->state.claim_first = 0;
    slot->state.claim_count = 0;
    return ERR_NOT_FOUND;
}

enum err_code purge_slice(struct batch *batch, const struct pending *pending, unsigned *budget,
                          bool *finished, struct err *err)
{
    struct mailbox_slot gone = {
        .number = pending->mailbox, .tx = {batch->txn, pending->mailbox}
    };
    struct purge purge = {
        .batch = batch,
        .mailbox = &gone,
        .name = str_of(pending->name),
        .for_good = pending->kind != PENDING_FOLDER,
        .budget = budget,
    };
    enum err_code code;

    if (batch_mailbox_number(batch, pending->mailbox, &purge.mailbox, err) != ERR_NONE)
        purge.mailbox = &gone;
    if (pending->kind == PENDING_FOLDER)
        code = purge_folder(&purge, pending->folder, err);
    else if (pending->kind == PENDING_MAILBOX)
        code = purge_mailbox(&purge, err);
    else
        code = purge_claim(&purge, pending->folder, err);
    *finished = code == ERR_NOT_FOUND;
    if (!*finished)
        return code;
    return pending_remove(batch, pending->mailbox, pending->folder, err);
}
