/* The rows of the tables, to and from bytes. Each begins with a format version; its checksum is put
   behind it, and checked, by the index. An unpack is false when the version or the length is none
   that this program knows. */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "mailbox-backend/store/bytes.h"
#include "mailbox-backend/store/store.h"

#define PIECE_BYTES 262144u /* of a message, before compression */

#define ITEM_ROW 92u
#define FOLDER_STATE_ROW 60u
#define MAILBOX_STATE_MOST 64u
#define MAILBOX_ROW 25u
#define SEGMENT_ROW 42u
#define DATABASE_MOST 45u
#define CONTENT_HEAD 17u
#define PIECE_ROW 16u

/* read_modseq: when \Seen last changed. */
void item_pack(uint8_t row[ITEM_ROW], const struct store_item *item, uint64_t read_modseq);
bool item_unpack(struct bytes row, uint32_t uid, struct store_item *item);
uint64_t item_read_modseq(struct bytes row);

/* What a folder counts: beside its newest item, so that one leaf is written for both. */
struct folder_state {
    uint32_t uid_validity;
    uint32_t uid_next;
    uint64_t highest_modseq;
    uint32_t messages;
    uint32_t unseen;
    uint32_t deleted;
    uint64_t bytes;
    uint64_t vanished_floor;
    uint32_t vanished_rows;
    uint32_t claim_first; /* uids being filled by a large copy, at uid_next and up; 0: none */
    uint32_t claim_count;
};
void folder_state_pack(uint8_t row[FOLDER_STATE_ROW], const struct folder_state *state);
bool folder_state_unpack(struct bytes row, struct folder_state *state);

/* What a mailbox counts. */
struct mailbox_state {
    uint64_t modseq; /* the newest given */
    uint64_t bytes;
    uint64_t messages;
    uint64_t next_item;
    uint32_t next_folder;
    uint32_t last_uid_validity;
    uint32_t folders;

    bool counts_recoverable; /* these are known; false in a row from before format 2 */
    uint64_t recoverable_messages;
    uint64_t recoverable_bytes;
};
/* Gives the row's length: version 2 with the recoverable items, when they are counted, else version 1. */
size_t mailbox_state_pack(uint8_t row[MAILBOX_STATE_MOST], const struct mailbox_state *state);
bool mailbox_state_unpack(struct bytes row, struct mailbox_state *state);

struct mailbox_record {
    struct store_guid guid;
    int64_t created;
};
void mailbox_pack(uint8_t row[MAILBOX_ROW], const struct mailbox_record *mailbox);
bool mailbox_unpack(struct bytes row, struct mailbox_record *mailbox);

struct folder_record {
    uint32_t parent;
    uint8_t use;
    uint8_t class;
    int64_t created;
    struct str name; /* in the row it was unpacked from */
};
#define FOLDER_ROW_MAX (15u + STORE_NAME_MAX)
size_t folder_pack(uint8_t row[FOLDER_ROW_MAX], const struct folder_record *folder);
bool folder_unpack(struct bytes row, struct folder_record *folder);

/* Where a part of a message is. */
struct piece {
    uint32_t segment;
    uint32_t offset; /* of its record */
    uint32_t stored; /* bytes in the segment; less than real when they are compressed */
    uint32_t real;
};
struct content_head {
    uint32_t references;
    uint64_t size;
    uint32_t pieces;
};
void content_head_pack(uint8_t *row, const struct content_head *head);
bool content_head_unpack(struct bytes row, struct content_head *head); /* checks the length too */
void piece_pack(uint8_t *row, uint32_t n, const struct piece *piece);
void piece_unpack(struct bytes row, uint32_t n, struct piece *piece);

enum segment_state { SEGMENT_FREE = 1, SEGMENT_ACTIVE = 2, SEGMENT_SEALED = 3 };
struct segment_record {
    uint32_t number;
    uint32_t generation;
    enum segment_state state;
    uint64_t size;
    uint64_t used;
    uint64_t live; /* bytes of records that a content row names */
    int64_t died;  /* when the first of them lost its name, or a free one became free; 0: not yet */
};
#define SEGMENT_ERASE 1 /* as died: so long ago that the file must go now */
void segment_pack(uint8_t row[SEGMENT_ROW], const struct segment_record *segment);
bool segment_unpack(struct bytes row, uint32_t number, struct segment_record *segment);

/* The database's own row. */
struct database_record {
    uint64_t batch; /* number of the last batch */
    uint64_t next_content;
    uint32_t next_mailbox;
    uint32_t next_segment;
    uint32_t start; /* how often it was opened */
    uint64_t created;
    uint32_t format;       /* format.h */
    uint32_t upgrade_next; /* an upgrade goes on with this mailbox; 0: none is under way */
};
/* Gives the row's length, which depends on the format. */
size_t database_pack(uint8_t row[DATABASE_MOST], const struct database_record *database);
bool database_unpack(struct bytes row, struct database_record *database);

/* Uids as differences in variable length: first, then length - 1 of each range. */
struct buf;
void ranges_pack(struct buf *out, const struct uidset *set);
bool ranges_unpack(struct bytes row, struct uidset *add_to);

#endif
