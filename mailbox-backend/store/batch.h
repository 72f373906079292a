/* One batch: operations of many mailboxes in one transaction. Counters of mailboxes and folders are
   held in slots while it runs, and each is written once at its end. Operations form units: a unit
   that fails before its first row was written puts the slots back as they were. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/draft.h"

#define SLICE_RECORDS 1000u

struct mailbox_slot {
    struct store_mailbox *mailbox; /* NULL for housekeeping of one that nobody has open */
    uint32_t number;
    struct tx tx;
    bool present; /* the mailbox exists */
    bool dirty;
    struct mailbox_state state;
    bool recovery_asked, recovery_known; /* see recovery_of() */
    struct store_recovery recovery;

    unsigned unit; /* the last one that changed it; saved is from before */
    struct {
        bool present, dirty;
        struct mailbox_state state;
    } saved;
    struct mailbox_slot *next, *next_touched;
};

struct folder_slot {
    struct mailbox_slot *mailbox;
    uint32_t folder;
    bool present;
    bool dirty;
    unsigned changes; /* enum store_change_kind bits to publish */
    const void *by;   /* who made them: struct store_change */
    uint32_t arrived; /* the first uid that the batch put in; 0: none */
    struct folder_state state;
    unsigned keyword_count;

    bool keywords_loaded;
    unsigned keywords_stored; /* have a row already */
    char (*keywords)[STORE_KEYWORD_NAME_MAX + 1];

    unsigned unit;
    struct {
        bool present, dirty;
        unsigned changes;
        const void *by;
        struct folder_state state;
        unsigned keyword_count;
    } saved;
    struct folder_slot *next, *next_touched;
};

#define SLOT_BUCKETS 256u

struct held_segment {
    struct segment *segment;
    struct held_segment *next;
};

struct taken_draft {
    struct store_draft *draft;
    struct taken_draft *next;
};

struct changed_property {
    struct store_mailbox *mailbox;
    struct store_change change;
    struct changed_property *next;
};

struct batch {
    struct database *database;
    struct index_txn *txn;
    struct database_record record;
    uint64_t before; /* number of the last batch that was committed with operations */
    struct arena arena;
    int64_t now;
    unsigned unit;
    struct mailbox_slot *mailboxes[SLOT_BUCKETS];
    struct folder_slot *folders[SLOT_BUCKETS];
    struct mailbox_slot *touched_mailboxes; /* by the running unit */
    struct folder_slot *touched_folders;
    unsigned records; /* rows that sliced operations have changed */

    struct segment *run; /* pinned: where the bytes in run_bytes belong */
    uint32_t run_offset;
    struct buf run_bytes;
    struct held_segment *held; /* segments that the batch wrote to, pinned until it ends */

    const void *by;                      /* context of the operation that runs; NULL: none does */
    struct changed_property *properties; /* to publish; the newest first */
    struct taken_draft *drafts;
    bool must_sync;     /* content was written: the commit waits for the segments */
    bool room_checked;  /* for new content, once a batch */
    struct err no_room; /* code ERR_NONE: there is */
    struct journal *journal;
    bool erase; /* content that is dropped must leave the disk soon */
};

/* ---- its life, for the writer ---- */

enum err_code batch_begin(struct batch *batch, struct database *database, struct err *err);

/* Writes the slots, the segments' and the database's rows, and all content; syncs and commits. On
   failure everything has been aborted, and *txn is the transaction that the index must not show. */
enum err_code batch_commit(struct batch *batch, uint64_t *txn, struct err *err);
void batch_abort(struct batch *batch);

/* Calls the watches. After a commit, before the answers: who is answered may let go of a mailbox. */
void batch_publish(struct batch *batch);
void batch_release(struct batch *batch);

/* Writes the counters and keywords that the slots hold. */
enum err_code batch_write_slots(struct batch *batch, struct err *err);

void batch_unit_begin(struct batch *batch);
void batch_unit_undo(struct batch *batch);

/* ---- slots, for operations ---- */

/* ERR_NOT_FOUND when there is no such mailbox. */
enum err_code batch_mailbox(struct batch *batch, struct store_mailbox *mailbox,
                            struct mailbox_slot **slot, struct err *err);
enum err_code batch_mailbox_number(struct batch *batch, uint32_t number, struct mailbox_slot **slot,
                                   struct err *err);

/* ERR_NOT_FOUND when there is no such folder. */
enum err_code batch_folder(struct batch *batch, struct mailbox_slot *mailbox, uint32_t folder,
                           struct folder_slot **slot, struct err *err);

/* As batch_folder, also for one that is not there (present is false). */
enum err_code batch_folder_any(struct batch *batch, struct mailbox_slot *mailbox, uint32_t folder,
                               struct folder_slot **slot, struct err *err);

/* Call before the state is changed. */
void mailbox_slot_change(struct batch *batch, struct mailbox_slot *slot);
void folder_slot_change(struct batch *batch, struct folder_slot *slot, unsigned changes);

/* A property of a folder, or of the mailbox (folder 0), was given another value: the watches are told. */
void batch_note_property(struct batch *batch, const struct mailbox_slot *mailbox, uint32_t folder,
                         const char *name, uint64_t modseq);

/* The next modseq, given to the folder as its newest. */
uint64_t batch_modseq(struct batch *batch, struct folder_slot *slot, unsigned changes);

/* Bits of the named keywords. make: those that are missing are added (ERR_LIMIT, ERR_INVALID). */
enum err_code batch_keywords(struct batch *batch, struct folder_slot *slot,
                             const struct store_keyword_names *names, bool make, uint64_t bits[2],
                             struct err *err);
enum err_code batch_keywords_load(struct batch *batch, struct folder_slot *slot, struct err *err);

/* ---- content ---- */

/* ERR_UNAVAILABLE when the disk has no room for new content. */
enum err_code batch_check_room(struct batch *batch, struct err *err);

/* ERR_INVALID, ERR_UNAVAILABLE: the draft cannot become an item. */
enum err_code batch_check_draft(struct batch *batch, struct store_draft *draft, struct err *err);

/* One more reference to the draft's content, which is written if no item has it yet (*written). */
enum err_code batch_take_draft(struct batch *batch, struct store_draft *draft, bool *written,
                               struct err *err);
enum err_code batch_content_add(struct batch *batch, uint64_t content_id, struct err *err);
enum err_code batch_content_drop(struct batch *batch, uint64_t content_id, struct err *err);

/* A record that is written to a segment with the batch. */
enum err_code batch_write_record(struct batch *batch, struct record_head *head, const void *bytes,
                                 struct piece *place, struct err *err);

/* Writes what has been gathered. */
enum err_code batch_write_run(struct batch *batch, struct err *err);

/* Lets go of the segments that the batch wrote to. */
void batch_let_go(struct batch *batch);

#endif
