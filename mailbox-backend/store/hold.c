#include "mailbox-backend/store/hold.h"

#include <stdlib.h>

#include "common/mem.h"

struct hold *hold_find(const struct database *database, uint32_t mailbox, uint32_t folder)
{
    struct hold *hold = database->holds;

    while (hold != NULL && (hold->mailbox != mailbox || (folder != 0 && hold->folder != folder)))
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
              const struct store_op *owner, bool claim)
{
    struct hold *hold = mem_alloc(sizeof(*hold));

    *hold = (struct hold){mailbox, folder, owner, claim, database->holds};
    database->holds = hold;
}

static void end(struct hold **at)
{
    struct hold *hold = *at;

    *at = hold->next;
    free(hold);
}

bool hold_owner_ended(struct database *database, const struct store_op *owner)
{
    struct hold **at = &database->holds;
    bool left = false;

    while (*at != NULL) {
        struct hold *hold = *at;

        if (hold->owner != owner || owner == NULL) {
            at = &hold->next;
        } else if (hold->claim && owner->err.code != ERR_NONE) {
            hold->owner = NULL;
            left = true;
        } else {
            end(at);
        }
    }
    return left;
}

void holds_end_abandoned(struct database *database)
{
    struct hold **at = &database->holds;

    while (*at != NULL) {
        if ((*at)->owner == NULL)
            end(at);
        else
            at = &(*at)->next;
    }
}

void holds_release(struct database *database)
{
    while (database->holds != NULL)
        end(&database->holds);
}
