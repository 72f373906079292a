/* The text forms of what is remembered between runs, without a store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/migrate_private.h"

#define RANGE_SIZE sizeof(",4294967295:4294967295")

void migrate_state_name(uint64_t key, char name[MIGRATE_STATE_NAME_SIZE])
{
    snprintf(name, MIGRATE_STATE_NAME_SIZE, "migrate/%016" PRIx64, key);
}

size_t migrate_state_print(const struct migrate_state *state, char text[MIGRATE_STATE_SIZE])
{
    int used = snprintf(text, MIGRATE_STATE_SIZE, "%u %u %u %u %" PRIu64 " %u ", state->folder,
                        state->uid_validity, state->uid_next, state->messages, state->modseq,
                        state->taken);

    for (size_t i = 0; i < state->refused.count; i++) {
        const struct uid_range *range = &state->refused.ranges[i];
        size_t room = MIGRATE_STATE_SIZE - (size_t)used;
        bool is_last = room < 2 * RANGE_SIZE;
        uint32_t last = is_last ? uidset_last(&state->refused) : range->last;

        used += snprintf(text + used, room, "%s%u:%u", i > 0 ? "," : "", range->first, last);
        if (is_last)
            break;
    }
    return (size_t)used;
}

static bool parse_refused(struct uidset *refused, const char *at)
{
    unsigned first, last;
    int used;

    while (*at != '\0') {
        if (sscanf(at, "%u:%u%n", &first, &last, &used) != 2 || first == 0 || last < first)
            return false;
        uidset_add_range(refused, first, last);
        at += used;
        at += *at == ',';
    }
    return true;
}

bool migrate_state_parse(struct migrate_state *state, const char *text)
{
    int used = 0;

    *state = (struct migrate_state){0};
    if (sscanf(text, "%u %u %u %u %" SCNu64 " %u %n", &state->folder, &state->uid_validity,
               &state->uid_next, &state->messages, &state->modseq, &state->taken, &used) == 6 &&
        used > 0 && parse_refused(&state->refused, text + used))
        return true;
    uidset_release(&state->refused);
    *state = (struct migrate_state){0};
    return false;
}

void migrate_origin_print(const struct migrate_origin *origin, char *text, size_t room)
{
    snprintf(text, room, "imap %016" PRIx64 " %u %016" PRIx64, origin->key, origin->uid,
             origin->mark);
}

bool migrate_origin_parse(struct migrate_origin *origin, const char *text)
{
    return sscanf(text, "imap %16" SCNx64 " %u %16" SCNx64, &origin->key, &origin->uid,
                  &origin->mark) == 3 &&
           origin->uid != 0;
}

uint64_t migrate_mark(uint32_t system)
{
    return system & FLAG_ALL;
}

uint64_t migrate_mark_keyword(uint64_t mark, const char *keyword)
{
    char lower[STORE_KEYWORD_NAME_MAX + 1];
    size_t length = 0;

    for (; keyword[length] != '\0' && length + 1 < sizeof(lower); length++)
        lower[length] = str_lower(keyword[length]);
    return mark + (str_hash(str_n(lower, length)) << 8); /* a sum: in whatever order */
}
