/* Expunged items that can still be brought back: their rows. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "mailbox-backend/store/batch.h"

/* version u8, folder u32, uid u32, time of removal i64, the item's row, the folder's name */
#define RECOVERABLE_HEAD 17u
#define RECOVERABLE_MOST (RECOVERABLE_HEAD + ITEM_ROW + STORE_NAME_MAX)

#endif
