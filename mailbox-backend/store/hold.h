/* Folders that take nothing new for a while, because a large copy or move is filling them and its
   uids must follow each other. The writer's thread only. */
#ifndef STORE_HOLD_H
#define STORE_HOLD_H

#include "mailbox-backend/store/ops.h"

struct hold {
    uint32_t mailbox, folder;
    const struct store_op *owner; /* NULL: what was begun is being taken back */
    bool claim;                   /* uids behind uid_next are in use */
    struct hold *next;
};

/* The hold on a folder; with folder 0 any in the mailbox. */
struct hold *hold_find(const struct database *database, uint32_t mailbox, uint32_t folder);

/* True when something other than owner holds the folder. */
bool hold_blocks(const struct database *database, const struct folder_slot *slot,
                 const struct store_op *owner);

void hold_set(struct database *database, uint32_t mailbox, uint32_t folder,
              const struct store_op *owner, bool claim);

/* The owner has ended. True when a claim of its is left, which must be taken back: its hold stays. */
bool hold_owner_ended(struct database *database, const struct store_op *owner);

/* Ends the holds without an owner: nothing is left to be taken back. */
void holds_end_abandoned(struct database *database);
void holds_release(struct database *database);

#endif
