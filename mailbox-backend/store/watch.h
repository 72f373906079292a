/* Telling those who watch a mailbox, after a commit. */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "mailbox-backend/store/database.h"

void watches_call(struct store_mailbox *mailbox, const struct store_change *change);

#endif
