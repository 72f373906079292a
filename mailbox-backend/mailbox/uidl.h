/* The unique id by which POP3 knows a message (RFC 1939 section 7). */
#ifndef MAILBOX_UIDL_H
#define MAILBOX_UIDL_H

#include "mailbox-backend/store/store.h"

#define UIDL_MAX 70 /* characters */

/* A property of the item: an import, or a restore, keeps the id that clients know already. */
#define UIDL_PROPERTY "pop3/uidl"

/* The item's own id, where the property gives one: else false. */
bool uidl_kept(struct store_read *read, const struct store_item *item, char id[UIDL_MAX + 1]);

/* The kept one, or 8 hex digits of the mailbox's GUID and 12 of the item's id, which is never used again
   in a mailbox. */
void uidl_of(struct store_read *read, const struct store_guid *guid, const struct store_item *item,
             char id[UIDL_MAX + 1]);

#endif
