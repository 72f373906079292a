/* How often each content is used. Contents are taken a window of ids at a time, so that memory is
   bounded; all items are walked for each window. What does not add up while the store goes on working
   is a suspect, and counted again: in slices, and what is left in one snapshot. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/check.h"

#define WINDOW (1u << 22)
#define SUSPECTS_MOST 4096u

struct suspect {
    uint64_t id;
    uint32_t references; /* as its row says */
    uint32_t used;       /* as counted */
};

struct references {
    struct check *check;
    uint64_t first; /* id of the window's first */
    uint32_t window;
    uint32_t *used; /* of each id in the window */
    uint64_t end;   /* ids from here up were given after the check began */
    struct suspect *suspects;
    size_t count;
    uint64_t too_many; /* suspects there was no room for */
};

/* ---- windows ---- */

static void count_item(const struct store_item *item, struct check_place place, void *context)
{
    struct references *references = context;

    (void)place;
    if (item->content_id >= references->first &&
        item->content_id - references->first < references->window)
        references->used[item->content_id - references->first]++;
}

static void compare_row(struct check *check, const struct check_row *row, void *context)
{
    struct references *references = context;
    struct content_head head;
    uint64_t id = row->key.length == 8 ? get_u64(row->key.data) : 0;

    (void)check;
    if (id < references->first || id - references->first >= references->window ||
        id >= references->end)
        return;
    if (row->damaged || !content_head_unpack(row->value, &head) ||
        head.references == references->used[id - references->first])
        return; /* damage is told by another pass */
    if (references->count == SUSPECTS_MOST)
        references->too_many++;
    else
        references->suspects[references->count++] = (struct suspect){.id = id};
}

/* The id of the first content at or behind first; ERR_NOT_FOUND at the end. */
static enum err_code next_content(struct references *references, struct err *err)
{
    struct check *check = references->check;
    struct key key = key_content(references->first);
    struct tx tx;
    struct tx_scan scan = {0};
    enum err_code code = check_slice_begin(check, err);
    enum err_code ended;

    if (code != ERR_NONE)
        return code;
    tx = check_tx(check, 0);
    code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, err);
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_CORRUPT && scan.key.length == 8)
        code = ERR_NONE; /* the key is good */
    if (code == ERR_NONE)
        references->first = get_u64(scan.key.data);
    if (code == ERR_NONE && references->first >= references->end)
        code = ERR_NOT_FOUND;
    scan_end(&scan);
    ended = check_slice_end(check, code == ERR_NONE ? err : NULL);
    return ended != ERR_NONE ? ended : code;
}

/* ERR_NOT_FOUND behind the last. */
static enum err_code check_window(struct references *references, struct err *err)
{
    enum err_code code = next_content(references, err);

    if (code != ERR_NONE)
        return code;
    memset(references->used, 0, references->window * sizeof(uint32_t));
    code = check_each_item(references->check, count_item, references, err);
    /* walks to the table's end: rows behind the window cost little */
    if (code == ERR_NONE)
        code = check_walk(references->check, TABLE_CONTENT, key_content(references->first),
                          compare_row, references, err);
    references->first += references->window;
    return code;
}

/* ---- suspects ---- */

static int by_id(const void *a, const void *b)
{
    const struct suspect *x = a;
    const struct suspect *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static void count_suspect(const struct store_item *item, struct check_place place, void *context)
{
    struct references *references = context;
    struct suspect key = {.id = item->content_id};
    struct suspect *suspect =
        bsearch(&key, references->suspects, references->count, sizeof(key), by_id);

    (void)place;
    if (suspect != NULL)
        suspect->used++;
}

/* Keeps those that still do not add up. Within a snapshot. */
static void sift(struct references *references)
{
    struct tx tx = check_tx(references->check, 0);
    size_t kept = 0;

    for (size_t i = 0; i < references->count; i++) {
        struct suspect *suspect = &references->suspects[i];
        struct key key = key_content(suspect->id);
        struct content_head head;
        struct bytes row;

        if (tx_get(&tx, TABLE_CONTENT, &key, &row, NULL) != ERR_NONE ||
            !content_head_unpack(row, &head) || head.references == suspect->used)
            continue;
        suspect->references = head.references;
        references->suspects[kept++] = *suspect;
    }
    references->count = kept;
}

static enum err_code count_again(struct references *references, bool whole, struct err *err)
{
    struct check *check = references->check;
    enum err_code code = whole ? check_slice_begin(check, err) : ERR_NONE;

    check->whole = whole;
    for (size_t i = 0; i < references->count; i++)
        references->suspects[i].used = 0;
    if (code == ERR_NONE)
        code = check_each_item(check, count_suspect, references, err);
    if (code == ERR_NONE && !whole)
        code = check_slice_begin(check, err);
    if (code == ERR_NONE)
        sift(references);
    check->whole = false;
    return code; /* the snapshot stays for the caller */
}

static void tell(struct references *references, const struct suspect *suspect)
{
    struct check *check = references->check;
    const struct mend mend = {.kind = suspect->used == 0 ? MEND_ORPHAN : MEND_REFERENCES,
                              .number = suspect->id,
                              .difference = (int64_t)suspect->used - suspect->references};

    if (suspect->used == 0)
        check_report_mend(check, &mend, "content %" PRIu64 " is used by no message, and kept",
                          suspect->id);
    else
        check_report_mend(check, &mend,
                          "content %" PRIu64 " counts %" PRIu32 " uses and has %" PRIu32
                          ": it would %s",
                          suspect->id, suspect->references, suspect->used,
                          mend.difference > 0 ? "go too early" : "never go");
}

static enum err_code tell_all(struct references *references, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < references->count && code == ERR_NONE; i++) {
        if (references->check->txn == NULL)
            code = check_slice_begin(references->check, err);
        if (code == ERR_NONE)
            tell(references, &references->suspects[i]);
        if (check_slice_is_over(references->check))
            code = check_slice_end(references->check, err);
    }
    if (code == ERR_NONE && references->check->txn != NULL && references->too_many > 0)
        check_report(references->check, (struct check_place){0}, ADVICE_REPORT,
                     "%" PRIu64 " more contents seem to count their uses wrongly",
                     references->too_many);
    return code;
}

static enum err_code check_suspects(struct references *references, struct err *err)
{
    struct check *check = references->check;
    enum err_code code = count_again(references, false, err);

    if (code == ERR_NONE)
        code = check_slice_end(check, err);
    if (code == ERR_NONE && references->count > 0)
        code = count_again(references, true, err);
    if (code == ERR_NONE)
        code = tell_all(references, err);
    if (code == ERR_NONE && check->txn != NULL)
        return check_slice_end(check, err);
    index_read_end(&check->txn);
    return code;
}

/* ---- the pass ---- */

static enum err_code find_end(struct references *references, struct err *err)
{
    struct check *check = references->check;
    struct key key = key_number(0);
    struct database_record record = {0};
    struct tx tx;
    struct bytes row;
    enum err_code code = check_slice_begin(check, err);

    if (code != ERR_NONE)
        return code;
    tx = check_tx(check, 0);
    if (tx_get(&tx, TABLE_SEGMENT, &key, &row, NULL) == ERR_NONE && database_unpack(row, &record))
        references->end = record.next_content;
    else
        references->end = UINT64_MAX; /* damaged, which has been told */
    return check_slice_end(check, err);
}

enum err_code check_references(struct check *check, struct err *err)
{
    struct references references = {.check = check, .first = 1};
    enum err_code code = find_end(&references, err);

    references.window = check->options->window != 0 ? check->options->window : WINDOW;
    references.used = mem_array(references.window, sizeof(uint32_t));
    references.suspects = mem_array(SUSPECTS_MOST, sizeof(struct suspect));
    while (code == ERR_NONE)
        code = check_window(&references, err);
    if (code == ERR_NOT_FOUND && references.count > 0)
        code = check_suspects(&references, err);
    free(references.used);
    free(references.suspects);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}
