/* Folders that take nothing new for a while, because a large copy or move is filling them and its
   uids must follow each other. The writer's thread only. */
#ifndef STORE_HOLD_H
#define STORE_HOLD_H

#include "mailbox-backend/store/ops.h"

struct hold {
    uint32_t mailbox, folder;
    const struct store_op *owner; /* NULL: what was begun is to be taken back */
    struct hold *next;
};

/* True when something other than owner holds the folder. */
bool hold_blocks(const struct database *database, const struct folder_slot *slot,
                 const struct store_op *owner);

/* owner may hold it already. */
void hold_set(struct database *database, uint32_t mailbox, uint32_t folder,
              const struct store_op *owner);
void hold_end(struct database *database, uint32_t mailbox, uint32_t folder);

/* The folders that owner holds are to be taken back. True when there is one. */
bool hold_abandon(struct database *database, const struct store_op *owner);

struct hold *hold_find(const struct database *database, uint32_t mailbox, uint32_t folder);
void holds_release(struct database *database);

#endif
