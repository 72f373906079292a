/* What the files of repair share. The passes of a check find what is wrong; each finding is then looked
   at again, and mended, by an operation of the writer, so that nothing changes under it. */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/ops.h"

/* What an index that has lost a counter may have given before: the new value lies that far behind
   everything that is seen. */
#define REPAIR_ROOM_UIDS (1u << 24)
#define REPAIR_ROOM_MODSEQS (UINT64_C(1) << 32)
#define REPAIR_ROOM_ITEMS (UINT64_C(1) << 32)
#define REPAIR_ROOM_FOLDERS (1u << 16)

/* What else is known of a row that is lost: from operation records, or from its own damaged bytes. */
struct evidence {
    bool found;
    bool of_row; /* from the damaged row: flags and dates may be wrong */
    struct store_guid owner;
    uint32_t folder;
    struct store_item item;
    const char *const *keywords; /* by name */
    unsigned keyword_count;

    uint32_t references; /* of a content, as counted */
    uint64_t size;
    uint32_t pieces;
    const struct piece *piece;
};

/* One finding on its way through the writer. */
struct mend_task {
    struct mend mend;
    struct evidence evidence;
    bool saved; /* an orphan's bytes are in a file of their own */

    bool mended;
    char done[240]; /* what was done, and what was lost */
};

/* In the writer's batch. */
struct mend_run {
    struct batch *batch;
    struct mend_task *task;
    const struct mend *mend; /* of the task */
    struct tx tx;            /* of its mailbox */
};

/* It is mended; adds to what was done. */
void mend_say(struct mend_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each looks at the rows again and mends what is wrong with them. An error is one of the disk or of
   the index: the batch fails. */
typedef enum err_code mend_fn(struct mend_run *run, struct err *err);
mend_fn mend_mailbox, mend_folder, mend_item, mend_facts, mend_row;
mend_fn mend_item_row, mend_recoverable_row;                              /* with evidence */
mend_fn mend_content, mend_references, mend_orphan, mend_live, mend_file; /* of the database */

/* ---- parts ---- */

/* The mailbox's and the folder's slot; what is lost of their rows is made up so that nothing is given
   twice. */
enum err_code mend_mailbox_slot(struct mend_run *run, struct mailbox_slot **slot, struct err *err);
enum err_code mend_folder_slot(struct mend_run *run, uint32_t folder, struct mailbox_slot **mailbox,
                               struct folder_slot **slot, struct err *err);

/* The folder's record, its name and its way to the root. */
enum err_code mend_place(struct mend_run *run, struct folder_slot *slot, struct err *err);

/* The folder for what has lost its own, made where it is missing. */
enum err_code mend_recovered(struct mend_run *run, struct mailbox_slot *mailbox,
                             struct folder_slot **slot, struct err *err);

/* Gives a name to each keyword up to the highest that is used or named. */
enum err_code mend_keywords(struct mend_run *run, struct folder_slot *slot, const uint64_t used[2],
                            struct err *err);

bool mend_has_mailbox(const struct mend_run *run, uint32_t number);

/* A row, damaged or not, of the folder's state, or with folder 0 of the mailbox's counters. */
bool mend_has_state(const struct mend_run *run, uint32_t mailbox, uint32_t folder);

/* True when the rows of the mailbox (folder 0) or the folder are being removed. */
bool mend_is_going(const struct mend_run *run, uint32_t folder);

enum err_code mend_remove_row(struct mend_run *run, enum table table, struct key key,
                              struct err *err);

/* ---- of the thread that repairs ---- */

struct repair_search;

/* Looks for what is known of lost rows. Tasks of other kinds are left alone. */
enum err_code repair_search(struct check *check, struct mend_task *tasks, size_t count,
                            struct arena *arena, struct err *err);

/* Writes a content that nothing uses to a file of the database's folder FOUND_FOLDER, durably. */
enum err_code repair_save_orphan(struct check *check, struct mend_task *task, struct err *err);

#endif
