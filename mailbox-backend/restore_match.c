/* Finds by EMAILID which messages two folders have in common. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/restore_private.h"

#define PART 65536u /* messages of a folder that are compared at a time, about */
#define SLICE 256   /* items of one snapshot */

struct entry {
    uint64_t email_id, item_id;
    uint32_t uid; /* 0: has its partner */
};

struct side {
    struct store_mailbox *mailbox;
    uint32_t folder;
    struct entry *entries;
    size_t count, room;
};

struct matching {
    const struct restore_request *request;
    struct side from, to;
    uint64_t parts, part; /* EMAILIDs are random: their remainders are as good as a hash */
    struct restore_match *match;
};

/* ---- lists that grow ---- */

static void *grow(void *array, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* 0, or a power of two */

    return is_full ? mem_grow(array, count == 0 ? 1 : count * 2, size) : array;
}

static void add_uid(uint32_t **uids, size_t *count, uint32_t uid)
{
    *uids = grow(*uids, *count, sizeof(**uids));
    (*uids)[(*count)++] = uid;
}

static void add_pair(struct matching *matching, struct entry *from, struct entry *to)
{
    struct restore_match *match = matching->match;

    if (matching->request->flags) { /* else their number is enough */
        match->pairs = grow(match->pairs, match->pair_count, sizeof(*match->pairs));
        match->pairs[match->pair_count] = (struct uid_pair){from->uid, to->uid};
    }
    match->pair_count++;
    from->uid = to->uid = 0;
}

static void add_entry(struct side *side, const struct store_item *item)
{
    if (side->count == side->room) {
        side->room = side->room == 0 ? 1024 : side->room * 2;
        side->entries = mem_grow(side->entries, side->room, sizeof(*side->entries));
    }
    side->entries[side->count++] = (struct entry){item->email_id, item->item_id, item->uid};
}

/* ---- reading ---- */

static enum err_code read_slice(const struct side *side, uint32_t first, struct store_item *items,
                                size_t *count, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(side->mailbox, &read, err);

    *count = 0;
    if (code != ERR_NONE)
        return code;
    code = store_item_scan(read, side->folder, first, UINT32_MAX, 0, items, SLICE, count, err);
    store_read_end(&read);
    return code;
}

static enum err_code collect(struct matching *matching, struct side *side, struct err *err)
{
    struct store_item items[SLICE];
    size_t count = SLICE;
    uint32_t first = 1;
    enum err_code code = ERR_NONE;

    side->count = 0;
    while (code == ERR_NONE && count == SLICE && side->folder != 0) {
        code = restore_go_on(matching->request, err);
        if (code == ERR_NONE)
            code = read_slice(side, first, items, &count, err);
        for (size_t i = 0; i < count && code == ERR_NONE; i++) {
            if (items[i].email_id % matching->parts == matching->part)
                add_entry(side, &items[i]);
            first = items[i].uid + 1;
        }
    }
    return code;
}

static enum err_code count_messages(const struct side *side, uint64_t *most, struct err *err)
{
    struct store_folder folder;
    struct store_read *read;
    enum err_code code;

    if (side->folder == 0)
        return ERR_NONE;
    code = store_read_begin(side->mailbox, &read, err);
    if (code != ERR_NONE)
        return code;
    code = store_folder_get(read, side->folder, &folder, err);
    store_read_end(&read);
    if (code == ERR_NONE && folder.messages > *most)
        *most = folder.messages;
    return code;
}

/* ---- comparing ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_ids(const struct entry *a, const struct entry *b)
{
    int order = compare_numbers(a->email_id, b->email_id);

    return order != 0 ? order : compare_numbers(a->item_id, b->item_id);
}

static int compare_entries(const void *a, const void *b)
{
    return compare_ids(a, b);
}

static int compare_uids(const void *a, const void *b)
{
    return compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
}

static int compare_pairs(const void *a, const void *b)
{
    return compare_numbers(((const struct uid_pair *)a)->from, ((const struct uid_pair *)b)->from);
}

static void sort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(array, count, size, compare);
}

/* The very same items first: of copies in one folder each finds itself. */
static void pair_items(struct matching *matching)
{
    struct side *from = &matching->from, *to = &matching->to;

    for (size_t i = 0, j = 0; i < from->count && j < to->count;) {
        int order = compare_ids(&from->entries[i], &to->entries[j]);

        if (order == 0)
            add_pair(matching, &from->entries[i], &to->entries[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

static size_t next_unpaired(const struct side *side, size_t at)
{
    while (at < side->count && side->entries[at].uid == 0)
        at++;
    return at;
}

/* Then whatever has the same EMAILID; the rest is alone. */
static void pair_copies(struct matching *matching)
{
    struct restore_match *match = matching->match;
    struct side *from = &matching->from, *to = &matching->to;
    size_t i = next_unpaired(from, 0), j = next_unpaired(to, 0);

    while (i < from->count || j < to->count) {
        struct entry *a = i < from->count ? &from->entries[i] : NULL;
        struct entry *b = j < to->count ? &to->entries[j] : NULL;
        int order = a == NULL ? 1 : b == NULL ? -1 : compare_numbers(a->email_id, b->email_id);

        if (order == 0)
            add_pair(matching, a, b);
        else if (order < 0)
            add_uid(&match->missing, &match->missing_count, a->uid);
        else
            add_uid(&match->extra, &match->extra_count, b->uid);
        if (order <= 0)
            i = next_unpaired(from, i + 1);
        if (order >= 0)
            j = next_unpaired(to, j + 1);
    }
}

static enum err_code match_part(struct matching *matching, struct err *err)
{
    struct side *from = &matching->from, *to = &matching->to;
    enum err_code code = collect(matching, from, err);

    if (code == ERR_NONE)
        code = collect(matching, to, err);
    if (code != ERR_NONE)
        return code;
    sort(from->entries, from->count, sizeof(*from->entries), compare_entries);
    sort(to->entries, to->count, sizeof(*to->entries), compare_entries);
    pair_items(matching);
    pair_copies(matching);
    return ERR_NONE;
}

enum err_code restore_match(const struct restore_request *request, uint32_t from_folder,
                            uint32_t to_folder, struct restore_match *match, struct err *err)
{
    struct matching matching = {
        .request = request,
        .from = {.mailbox = request->from, .folder = from_folder},
        .to = {.mailbox = request->to,   .folder = to_folder  },
        .match = match,
    };
    uint64_t most = 0;
    enum err_code code = count_messages(&matching.from, &most, err);

    *match = (struct restore_match){0};
    if (code == ERR_NONE)
        code = count_messages(&matching.to, &most, err);
    matching.parts = most / PART + 1;
    for (; matching.part < matching.parts && code == ERR_NONE; matching.part++)
        code = match_part(&matching, err);
    free(matching.from.entries);
    free(matching.to.entries);
    sort(match->missing, match->missing_count, sizeof(*match->missing), compare_uids);
    sort(match->extra, match->extra_count, sizeof(*match->extra), compare_uids);
    if (request->flags)
        sort(match->pairs, match->pair_count, sizeof(*match->pairs), compare_pairs);
    return code;
}

void restore_match_release(struct restore_match *match)
{
    free(match->missing);
    free(match->pairs);
    free(match->extra);
    *match = (struct restore_match){0};
}
