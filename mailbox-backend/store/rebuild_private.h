/* What the files of a rebuild share. */
#ifndef STORE_REBUILD_PRIVATE_H
#define STORE_REBUILD_PRIVATE_H

#include "mailbox-backend/store/batch.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/rebuild.h"

/* A segment file. */
struct rebuild_segment {
    struct segment_record record; /* number, generation, size and state as they are to be */
    uint64_t from;                /* where records lie that the copy does not know */
    bool settled;                 /* the copy knows all that is in it */
    bool doubtful;                /* what the copy knew of it is lost */
};

/* An operation record: one part of a batch. */
struct rebuild_part {
    uint64_t number, before;
    uint32_t start;
    uint32_t part;
    bool last;
    uint32_t segment, offset, stored;
};

struct rebuild {
    const struct store_settings *settings;
    const struct rebuild_options *options;
    struct rebuild_result *result;
    char *folder; /* of the database */
    char *work;   /* where the new index is made */

    struct store store;       /* as far as operations look at it */
    struct database database; /* likewise: the new index, and no segments */
    struct batch batch;
    bool in_batch;
    uint64_t items; /* that were changed since the last commit, about */

    struct rebuild_segment *segments; /* in order of number */
    size_t segment_count;
    struct rebuild_part *parts; /* in order of batch, start and part */
    size_t part_count, part_room;
    uint32_t start; /* the highest that was seen */
    int file;       /* of the segment that was read last; -1: none is open */
    uint32_t file_number;
    uint64_t *bad; /* contents that cannot be read, in order, when there is no copy */
    size_t bad_count;
    uint64_t dropped;  /* messages that were left out because of them */
    uint64_t bad_rows; /* of contents, in the copy */
    uint64_t *pieces;  /* that were found where the copy knows nothing (rebuild_pieces.c) */
    size_t piece_count, piece_room;
};

void rebuild_say(struct rebuild *rebuild, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- the new index ---- */

/* Makes it in the work folder, from the copy unless the options say otherwise, and begins a transaction.
   ERR_NOT_FOUND: there is no copy. ERR_CORRUPT: it cannot be used. */
enum err_code rebuild_open_index(struct rebuild *rebuild, struct err *err);

/* Commits what has been replayed and begins a new transaction. */
enum err_code rebuild_flush(struct rebuild *rebuild, struct err *err);

/* Drops what is not committed. */
void rebuild_give_up(struct rebuild *rebuild);

/* The last commits: numbers leap, so that none is given twice, and the segments get their rows. */
enum err_code rebuild_end(struct rebuild *rebuild, struct err *err);

/* Counts for the result what the index has. */
enum err_code rebuild_tell(struct rebuild *rebuild, struct err *err);

/* Renames it to the database's index, durably; the old one and the copy are kept under other names. */
enum err_code rebuild_put_in_place(struct rebuild *rebuild, struct err *err);

/* Removes the work folder, and what is left in it. */
void rebuild_remove_work(const struct rebuild *rebuild);

/* ---- files ---- */

/* The segment's file, or -1. It stays open until another is asked for. */
int rebuild_open_file(struct rebuild *rebuild, uint32_t number);
bool rebuild_read_at(int file, void *bytes, size_t length, uint64_t at);

/* ---- finding ---- */

/* Lists the segment files, and settles with the rows of the new index where to read. */
enum err_code rebuild_list(struct rebuild *rebuild, struct err *err);

/* Finds the operation records of batches above the number. */
enum err_code rebuild_scan(struct rebuild *rebuild, uint64_t above, struct err *err);
struct rebuild_segment *rebuild_segment(struct rebuild *rebuild, uint32_t number);

/* Reads from the record at the piece's segment and offset how long it is. False when there is no piece. */
bool rebuild_find_piece(struct rebuild *rebuild, struct piece *piece);

/* True when the piece's record lies where it should; its checksum is not looked at. */
bool rebuild_has_piece(struct rebuild *rebuild, const struct piece *piece);

/* Reads a piece and unpacks it into real, PIECE_BYTES long. ERR_CORRUPT. */
enum err_code rebuild_read_piece(struct rebuild *rebuild, const struct piece *piece, uint8_t *real,
                                 struct err *err);

/* Reads an operation record. NULL when it cannot be; journal__batch__free_unpacked(). */
Journal__Batch *rebuild_read_part(struct rebuild *rebuild, const struct rebuild_part *part);

/* Which batches count, of those above the number: places of their first parts, in the order in which
   they were made. To be freed. */
size_t *rebuild_chain(struct rebuild *rebuild, uint64_t above, size_t *count);

/* ---- pieces that nothing names ---- */

/* Notes a piece; in order of segment and offset. */
void rebuild_found_piece(struct rebuild *rebuild, uint32_t segment, uint32_t offset);

/* An operation that was done again says whose these are, or were. */
void rebuild_name_pieces(struct rebuild *rebuild, const Journal__Operation *operation);

/* Writes each that was found and is named by none to a file of its own, found/piece-SEGMENT-OFFSET, durably. */
enum err_code rebuild_keep_pieces(struct rebuild *rebuild, struct err *err);

/* ---- replaying ---- */

/* Finds the batches that came after the index, and does them again. */
enum err_code rebuild_replay(struct rebuild *rebuild, struct err *err);

/* Does what an operation did. ERR_NOT_FOUND: it names what is not there. */
enum err_code rebuild_operation(struct rebuild *rebuild, const Journal__Batch *record,
                                const Journal__Operation *operation, struct err *err);

/* Finishes what is pending; a claim may go on. */
enum err_code rebuild_finish(struct rebuild *rebuild, struct err *err);

/* Finishes everything that is pending. */
enum err_code rebuild_finish_all(struct rebuild *rebuild, struct err *err);

/* ---- ending ---- */

/* Looks for the contents' pieces, and gives the segments their rows. */
enum err_code rebuild_count(struct rebuild *rebuild, struct err *err);

/* Without a copy: drops what cannot be read, and puts everything below "Recovered". */
enum err_code rebuild_recovered(struct rebuild *rebuild, struct err *err);

/* Its second half: contents without a message go to options.owner. ERR_INVALID: there are some, and no owner. */
enum err_code rebuild_orphans(struct rebuild *rebuild, struct err *err);

#define REBUILD_LOT 1000u /* items a transaction */

/* Items of a folder, in slots that a flush has made anew. */
struct rebuild_place {
    struct rebuild *rebuild;
    uint32_t number, folder;
    struct mailbox_slot *mailbox;
    struct folder_slot *slot;
};
/* Takes the slots of the place's mailbox and folder. */
enum err_code rebuild_take_slots(struct rebuild_place *place, struct err *err);

/* Makes the folder id, which is new. */
enum err_code rebuild_make_folder(struct rebuild *rebuild, struct mailbox_slot *mailbox,
                                  uint32_t id, uint32_t parent, const char *name,
                                  struct folder_slot **slot, struct err *err);

/* The content cannot be read. */
bool rebuild_is_bad(const struct rebuild *rebuild, uint64_t id);

#endif
