#include "mailbox-backend/imap4/message_limit.h"

#include <inttypes.h>

#include "mailbox-backend/imap4/partial.h"

static uint64_t or_none(uint64_t setting)
{
    return setting != 0 ? setting : UINT64_MAX;
}

uint64_t message_limit(const struct imap *imap)
{
    return or_none(session_backend(imap->session)->settings->imap4be.message_limit);
}

uint64_t message_limit_of_saving(const struct imap *imap)
{
    const struct backend_settings *settings = session_backend(imap->session)->settings;

    return or_none(settings->imap4be.message_limit != 0 ? settings->imap4be.message_limit
                                                        : settings->imap4be.save_limit);
}

/* ---- all or nothing ---- */

static const char *code(struct command *command, uint64_t limit, uint32_t lowest)
{
    if (lowest == 0)
        return arena_printf(&command->arena, "MESSAGELIMIT %" PRIu64, limit);
    return arena_printf(&command->arena, "MESSAGELIMIT %" PRIu64 " %" PRIu32, limit, lowest);
}

bool message_limit_allows(struct command *command, uint64_t count, uint64_t limit, uint32_t lowest)
{
    if (count <= limit)
        return true;
    command_no(command, code(command, limit, lowest),
               "There are too many messages for one command");
    return false;
}

/* ---- as far as the limit goes ---- */

static void keep_highest(const struct uidset *uids, uint64_t limit, struct uidset *highest)
{
    struct partial_range range = {.from_end = true, .first = 1, .last = (uint32_t)limit};

    partial_cut(&range, uids, highest);
}

uint32_t message_limit_lowest(const struct uidset *uids, uint64_t limit)
{
    struct uidset highest = {0};
    uint32_t lowest;

    keep_highest(uids, limit, &highest);
    lowest = uidset_first(&highest);
    uidset_release(&highest);
    return lowest;
}

void message_limit_cut(struct command *command, struct uidset *uids)
{
    uint64_t limit = message_limit(command->imap);
    struct uidset highest = {0};

    if (uidset_size(uids) <= limit)
        return;
    keep_highest(uids, limit, &highest);
    uidset_release(uids);
    *uids = highest;
    command->lowest_done = uidset_first(uids);
}

void message_limit_end(struct command *command, bool tagged)
{
    const char *limited;

    if (command->lowest_done == 0 ||
        (command->result != RESULT_OK && tagged && !command->some_gone))
        return;
    limited = code(command, message_limit(command->imap), command->lowest_done);
    if (tagged && command->result == RESULT_OK && command->code == NULL)
        command->code = limited;
    else
        untagged(command, "NO [%s] Only the newest messages were worked on", limited);
}
