#include "mailbox-backend/store/pending.h"

#include <string.h>

#define VERSION_1 1

enum err_code pending_put(struct batch *batch, uint32_t mailbox, uint32_t folder,
                          enum pending_kind kind, struct str name, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_pending(mailbox, folder);
    uint8_t row[2 + STORE_NAME_MAX] = {VERSION_1, (uint8_t)kind};

    if (name.length != 0)
        memcpy(row + 2, name.data, name.length);
    return tx_put(&tx, TABLE_PENDING, &key, row, 2 + name.length, err);
}

enum err_code pending_remove(struct batch *batch, uint32_t mailbox, uint32_t folder,
                             struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_pending(mailbox, folder);
    enum err_code code = tx_remove(&tx, TABLE_PENDING, &key, err);

    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static bool has_row(struct index_txn *txn, enum table table, uint32_t mailbox, struct key key)
{
    struct tx tx = {txn, mailbox};
    struct bytes row;

    return tx_get(&tx, table, &key, &row, NULL) != ERR_NOT_FOUND;
}

/* A damaged row must not keep the database from opening, nor what was begun from being ended: what it
   said can be told from what is there. */
static void infer(const struct tx_scan *scan, struct pending *pending)
{
    struct index_txn *txn = scan->tx.txn;

    pending->mailbox = get_u32(scan->key.data);
    pending->folder = get_u32(scan->key.data + 4);
    pending->name[0] = '\0';
    pending->kind = PENDING_CLAIM;
    if (pending->folder == 0 && !has_row(txn, TABLE_MAILBOX, 0, key_number(pending->mailbox)))
        pending->kind = PENDING_MAILBOX;
    else if (pending->folder != 0 &&
             !has_row(txn, TABLE_ITEM, pending->mailbox, key_item(pending->folder, KEY_STATE)))
        pending->kind = PENDING_FOLDER;
}

static bool unpack(const struct tx_scan *scan, struct pending *pending)
{
    const struct bytes *row = &scan->value;

    if (scan->key.length != 8 || row->length < 2 || row->length > 2 + STORE_NAME_MAX ||
        row->data[0] != VERSION_1)
        return false;
    pending->mailbox = get_u32(scan->key.data);
    pending->folder = get_u32(scan->key.data + 4);
    pending->kind = (enum pending_kind)row->data[1];
    memcpy(pending->name, row->data + 2, row->length - 2);
    pending->name[row->length - 2] = '\0';
    return true;
}

enum err_code pending_next(struct index_txn *txn, uint32_t mailbox, uint32_t folder,
                           struct pending *pending, struct err *err)
{
    struct tx tx = {txn, 0};
    struct key key = key_pending(mailbox, folder);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_PENDING, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while ((code == ERR_NONE || code == ERR_CORRUPT) && scan.key.length != 8)
        code = scan_next(&scan, err); /* nobody's */
    if (code == ERR_CORRUPT || (code == ERR_NONE && !unpack(&scan, pending))) {
        infer(&scan, pending);
        code = ERR_NONE;
    }
    scan_end(&scan);
    return code;
}
