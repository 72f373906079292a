#include "mailbox-backend/store/hold.h"

#include <stdlib.h>

#include "common/mem.h"

struct hold *hold_find(const struct database *database, uint32_t mailbox, uint32_t folder)
{
    struct hold *hold = database->holds;

    while (hold != NULL && (hold->mailbox != mailbox || hold->folder != folder))
        hold = hold->next;
    return hold;
}

bool hold_blocks(const struct database *database, const struct folder_slot *slot,
                 const struct store_op *owner)
{
    const struct hold *hold = hold_find(database, slot->mailbox->number, slot->folder);

    return hold != NULL && hold->owner != owner;
}

void hold_set(struct database *database, uint32_t mailbox, uint32_t folder,
              const struct store_op *owner)
{
    struct hold *hold = hold_find(database, mailbox, folder);

    if (hold == NULL) {
        hold = mem_alloc(sizeof(*hold));
        hold->mailbox = mailbox;
        hold->folder = folder;
        hold->next = database->holds;
        database->holds = hold;
    }
    hold->owner = owner;
}

void hold_end(struct database *database, uint32_t mailbox, uint32_t folder)
{
    for (struct hold **at = &database->holds; *at != NULL; at = &(*at)->next) {
        struct hold *hold = *at;

        if (hold->mailbox != mailbox || hold->folder != folder)
            continue;
        *at = hold->next;
        free(hold);
        return;
    }
}

bool hold_abandon(struct database *database, const struct store_op *owner)
{
    bool any = false;

    for (struct hold *hold = database->holds; hold != NULL; hold = hold->next) {
        if (hold->owner == owner && owner != NULL) {
            hold->owner = NULL;
            any = true;
        }
    }
    return any;
}

void holds_release(struct database *database)
{
    while (database->holds != NULL)
        hold_end(database, database->holds->mailbox, database->holds->folder);
}
