/* COPY and MOVE: what their two ways share. Within a mailbox the store does all of it at once; from mailbox to mailbox
   messages are read and appended (copy_across.c). */
#ifndef IMAP4_COPY_H
#define IMAP4_COPY_H

#include "mailbox-backend/imap4/place.h"

struct copy_slice;

/* command->data of COPY and MOVE. */
struct copy {
    enum store_op_kind kind; /* OP_COPY or OP_MOVE */
    struct place place;      /* the target … */
    uint32_t target;         /* … its folder */

    /* What was done, both in the order of uids. */
    struct uidset from, to;
    uint32_t uid_validity; /* of the target */
    size_t written;        /* ranges of COPYUID's first set */

    struct copy_slice *slice; /* copy_across.c: under way, or NULL */
    struct err failure;       /* and why, once it was taken back */
    bool over_quota;
};

/* True where the store cannot do it: into another mailbox, or into a folder of another's where not all flags may
   be set. */
bool copy_is_across(const struct command *command);

/* A step: copies command->uids, and for MOVE expunges them then. Messages go over in slices; those of one are appended
   in one transaction, and if a later one fails all are taken back. Goes on with copy_tell(). */
enum step copy_across(struct command *command);

/* Frees what is under way. */
void copy_across_release(struct copy *copy);

/* A step: tells what was done (cmd_copy.c). */
enum step copy_tell(struct command *command);

#endif
