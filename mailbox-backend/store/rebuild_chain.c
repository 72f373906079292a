/* Which of the batches that stand in the segments were committed. Each record names the batch that was
   committed last before its own: from the newest record back, that names them all. A batch that
   failed is named by none; of two records with one number (the process ended before it committed,
   and the next one used the number again) the later start's counts, up to the start of who names
   it. Only of the newest record nobody knows: what it did was perhaps not answered, and is done. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/rebuild_private.h"

#define NONE SIZE_MAX
#define GAPS_TOLD 20

/* Parts of one batch stand behind each other. Where the batch of the part at i ends. */
static size_t end_of(const struct rebuild *rebuild, size_t i)
{
    const struct rebuild_part *parts = rebuild->parts;
    size_t end = i + 1;

    while (end < rebuild->part_count && parts[end].number == parts[i].number &&
           parts[end].start == parts[i].start)
        end++;
    return end;
}

static size_t begin_of(const struct rebuild *rebuild, size_t i)
{
    const struct rebuild_part *parts = rebuild->parts;

    while (i > 0 && parts[i - 1].number == parts[i].number && parts[i - 1].start == parts[i].start)
        i--;
    return i;
}

/* All parts are there. */
static bool is_whole(const struct rebuild *rebuild, size_t begin)
{
    size_t end = end_of(rebuild, begin);

    for (size_t i = begin; i < end; i++)
        if (rebuild->parts[i].part != i - begin)
            return false;
    return rebuild->parts[end - 1].last;
}

static size_t newest(const struct rebuild *rebuild)
{
    size_t best = NONE;

    for (size_t i = 0; i < rebuild->part_count; i = end_of(rebuild, i)) {
        const struct rebuild_part *part = &rebuild->parts[i];

        if (is_whole(rebuild, i) && (best == NONE || part->start >= rebuild->parts[best].start))
            best = i; /* in order of number: of one start the last wins */
    }
    return best;
}

/* The greatest batch up to number, of a start up to that one, that is whole; before: places below. */
static size_t greatest(const struct rebuild *rebuild, size_t before, uint64_t number,
                       uint32_t start)
{
    while (before > 0) {
        size_t i = begin_of(rebuild, before - 1);
        const struct rebuild_part *part = &rebuild->parts[i];

        if (part->number <= number && part->start <= start && is_whole(rebuild, i))
            return i;
        before = i;
    }
    return NONE;
}

static void tell_gap(struct rebuild *rebuild, uint64_t first, uint64_t last)
{
    if (++rebuild->result->gaps > GAPS_TOLD)
        return;
    if (first < last)
        rebuild_say(rebuild, "batches %" PRIu64 " to %" PRIu64 " are missing, or some of them",
                    first, last);
    else
        rebuild_say(rebuild, "batch %" PRIu64 " is missing", last);
}

/* The one before the batch at i; NONE when there is none above the number. */
static size_t step_back(struct rebuild *rebuild, size_t i, uint64_t above)
{
    const struct rebuild_part *part = &rebuild->parts[i];
    uint64_t wanted = part->before;
    size_t found;

    if (wanted == 0 && part->number > 1)
        wanted = part->number - 1; /* written by an older program, or the very first */
    if (wanted <= above)
        return NONE;
    found = greatest(rebuild, i, wanted, part->start);
    if (found == NONE)
        tell_gap(rebuild, above + 1, wanted);
    else if (rebuild->parts[found].number != wanted)
        tell_gap(rebuild, rebuild->parts[found].number + 1, wanted);
    return found;
}

size_t *rebuild_chain(struct rebuild *rebuild, uint64_t above, size_t *count)
{
    size_t *chain = NULL;
    size_t room = 0;

    *count = 0;
    for (size_t i = newest(rebuild); i != NONE; i = step_back(rebuild, i, above)) {
        if (*count == room) {
            room = room == 0 ? 256 : room * 2;
            chain = mem_grow(chain, room, sizeof(*chain));
        }
        chain[(*count)++] = i;
    }
    for (size_t i = 0; i < *count / 2; i++) {
        size_t other = chain[i];

        chain[i] = chain[*count - 1 - i];
        chain[*count - 1 - i] = other;
    }
    return chain;
}
