/* The operations. Each is planned, which checks everything and changes only slots, and performed,
   which writes rows and cannot fail on its own account any more. */
#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "mailbox-backend/store/batch.h"

enum outcome {
    OUTCOME_DONE,
    OUTCOME_MORE, /* a slice was done; go on in the next batch */
    OUTCOME_FULL, /* nothing was done: others had the batch's records; first in the next batch */
    OUTCOME_WAIT, /* nothing was done: the folder is being filled by another */
};

struct replacement; /* replace.h */

/* An operation on its way through the writer. */
struct task {
    struct store_op *op;
    enum outcome outcome;
    struct mailbox_slot *mailbox; /* of the running batch */
    struct folder_slot *folder;

    uint32_t next_uid; /* where a sliced operation goes on */
    struct err late;   /* why it fails although rows were written, which stay */
    struct copy *copy; /* of a copy or move that has begun; free() it in the end */

    struct store_item item;          /* an append, planned */
    uint32_t first_uid;              /* that it used up: uids before its own stay unused */
    struct replacement *replacement; /* and what it replaces, or NULL; the batch's */
};

struct op_table {
    enum err_code (*plan)(struct batch *batch, struct task *task, struct err *err);
    enum err_code (*perform)(struct batch *batch, struct task *task, struct err *err);
};

/* NULL for a kind that there is not. */
const struct op_table *op_table(enum store_op_kind kind);

/* Of op_append.c, op_flags.c … */
extern const struct op_table op_append, op_flags, op_expunge, op_copy, op_folder_create,
    op_folder_rename, op_folder_delete, op_folder_adopt, op_property_set, op_properties_set,
    op_mailbox_create, op_mailbox_remove, op_recover, op_purge, op_repair;

/* What a change of flags makes of the old ones. system: FLAG_ALL at most. */
struct store_flags flags_apply(enum store_flags_mode mode, uint32_t system,
                               const uint64_t keywords[2], const struct store_flags *old);

/* Of the flags that were made, those that were to be left alone are the old ones again. */
void flags_keep(struct store_flags *flags, const struct store_flags *old, uint32_t system,
                bool keywords);

/* Finds mailbox and folder for task. */
enum err_code op_target(struct batch *batch, struct task *task, struct err *err);

#endif
