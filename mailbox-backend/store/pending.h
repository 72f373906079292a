/* Work that outlives its operation: kept in a table, so that it goes on after a crash, and done by
   housekeeping in slices. */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "mailbox-backend/store/batch.h"

enum pending_kind {
    PENDING_FOLDER = 1,  /* a deleted folder's items; name is what it was called */
    PENDING_MAILBOX = 2, /* a removed mailbox's rows; folder is 0 */
    PENDING_CLAIM = 3,   /* a large copy fills the folder's claim; after a crash it is emptied */
};

struct pending {
    uint32_t mailbox, folder;
    enum pending_kind kind;
    char name[STORE_NAME_MAX + 1];
};

enum err_code pending_put(struct batch *batch, uint32_t mailbox, uint32_t folder,
                          enum pending_kind kind, struct str name, struct err *err);
enum err_code pending_remove(struct batch *batch, uint32_t mailbox, uint32_t folder,
                             struct err *err);

/* The first row at or behind (mailbox, folder); ERR_NOT_FOUND at the end. */
enum err_code pending_next(struct index_txn *txn, uint32_t mailbox, uint32_t folder,
                           struct pending *pending, struct err *err);

#endif
