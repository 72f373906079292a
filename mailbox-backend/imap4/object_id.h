/* ObjectIDs (RFC 8474): a letter for their kind, so that no two kinds meet, and the store's own id. */
#ifndef IMAP4_OBJECT_ID_H
#define IMAP4_OBJECT_ID_H

#include "common/buf.h"
#include "mailbox-backend/store/store.h"

enum object_kind { OBJECT_EMAIL = 'M', OBJECT_THREAD = 'T' };

/* Appends "M0123456789abcdef". */
void object_id_write(struct buf *out, enum object_kind kind, uint64_t id);

/* The id that text stands for; 0: none of that kind. */
uint64_t object_id_read(enum object_kind kind, struct str text);

/* Appends a folder's: the mailbox's GUID and the folder's id, which is never used again. */
void object_id_write_folder(struct buf *out, const struct store_mailbox *mailbox, uint32_t folder);

#endif
