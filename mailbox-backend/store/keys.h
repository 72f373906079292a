/* The tables and their keys (docs/store.md). Every key of a table that belongs to mailboxes begins
   with the mailbox's number, which the builders leave free and the transaction handle fills in: an
   operation cannot reach another mailbox's rows. */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

enum table {
    /* of mailboxes */
    TABLE_ITEM,        /* folder u32, uid u32: item; with uid KEY_STATE the folder's state; with
                          folder 0 the mailbox's counters */
    TABLE_BLOCK,       /* folder u32, uid / 1024 u32 */
    TABLE_SUMMARY,     /* folder u32, uid u32 */
    TABLE_VANISHED,    /* folder u32, modseq u64 */
    TABLE_RECOVERABLE, /* expiry u64, item id u48 */
    TABLE_NAME,        /* parent u32, name */
    TABLE_FOLDER,      /* folder u32 */
    TABLE_KEYWORD,     /* folder u32, bit u8 */
    TABLE_PROPERTY,    /* folder u32, item id u48, name */
    /* of the database */
    TABLE_CONTENT, /* content id u64 */
    TABLE_SEGMENT, /* number u32; 0 is the database's own row */
    TABLE_MAILBOX, /* number u32 */
    TABLE_GUID,    /* 16 bytes */
    TABLE_PENDING, /* mailbox u32, folder u32 */
    TABLE_COUNT,
};

#define KEY_MAX 288
#define KEY_STATE 0xFFFFFFFFu /* in the place of a uid */
#define UID_MAX 0xFFFFFFFEu
#define BLOCK_UIDS 1024u
#define PROPERTY_NAME_MAX 255

struct key {
    size_t length;
    uint8_t bytes[KEY_MAX];
};

/* True for the tables whose keys begin with a mailbox. */
bool table_of_mailbox(enum table table);
const char *table_name(enum table table);

struct key key_item(uint32_t folder, uint32_t uid);
struct key key_block(uint32_t folder, uint32_t block);
struct key key_vanished(uint32_t folder, uint64_t modseq);
struct key key_recoverable(uint64_t expiry, uint64_t item_id);
struct key key_name(uint32_t parent, struct str name);
struct key key_folder(uint32_t folder);
struct key key_keyword(uint32_t folder, uint8_t bit);
struct key key_property(uint32_t folder, uint64_t item_id, struct str name);
struct key key_content(uint64_t id);
struct key key_number(uint32_t number); /* segment, mailbox */
struct key key_guid(const uint8_t guid[16]);
struct key key_pending(uint32_t mailbox, uint32_t folder);

/* The first key of a mailbox's table. */
struct key key_first(void);

/* Lengths of key beginnings, for scans. */
#define PREFIX_NONE 0u
#define PREFIX_MAILBOX 4u
#define PREFIX_FOLDER 8u      /* mailbox, folder */
#define PREFIX_PROPERTIES 14u /* mailbox, folder, item id */

#endif
