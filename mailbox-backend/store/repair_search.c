/* What operation records tell of rows that are lost: which content an item had, where the pieces of a
   content are, and whose it was. One walk over all records serves all tasks of a round; a message that
   was copied or moved is followed to where it was before by another. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/journal_walk.h"
#include "mailbox-backend/store/repair_search.h"

#define WALKS_MOST 4

/* ---- what to look for ---- */

static int by_probe(const void *a, const void *b)
{
    const struct probe *x = a;
    const struct probe *y = b;
    int order = memcmp(&x->owner, &y->owner, sizeof(x->owner));

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (order != 0)
        return order;
    if (x->folder != y->folder)
        return x->folder < y->folder ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The first probe that is not below, of several that may look for the same. */
static struct probe *first_at(struct search *search, const struct probe *wanted)
{
    size_t low = 0;
    size_t high = search->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_probe(&search->probes[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return search->probes + low;
}

static bool guid_of(struct check *check, uint32_t mailbox, struct store_guid *guid)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_number(mailbox);
    struct mailbox_record record;
    struct bytes row;

    if (tx_get(&tx, TABLE_MAILBOX, &key, &row, NULL) != ERR_NONE || !mailbox_unpack(row, &record))
        return false;
    *guid = record.guid;
    return true;
}

static void add_probe(struct search *search, struct mend_task *task)
{
    const struct mend *mend = &task->mend;
    struct probe *probe = &search->probes[search->count];

    *probe = (struct probe){.task = task};
    if (mend->kind != MEND_ROW) {
        probe->kind = PROBE_CONTENT;
        probe->number = mend->number;
    } else if (!guid_of(search->check, get_u32(mend->key.bytes), &probe->owner)) {
        return;
    } else if (mend->table == TABLE_ITEM) {
        probe->kind = PROBE_UID;
        probe->folder = mend->place.folder;
        probe->number = mend->place.uid;
    } else {
        probe->kind = PROBE_ITEM_ID;
        probe->number = get_u48(mend->key.bytes + 12);
    }
    search->count++;
}

/* ---- what a record tells ---- */

static bool is_better(const struct probe *probe, const struct journal_rank *rank)
{
    return !probe->found || journal_is_newer(rank, &probe->rank);
}

static void take_pieces(struct search *search, struct probe *probe, Journal__Piece *const *from,
                        size_t count)
{
    struct piece *pieces = arena_array(search->arena, count, sizeof(*pieces));

    for (size_t i = 0; i < count; i++)
        pieces[i] =
            (struct piece){from[i]->segment, from[i]->offset, from[i]->stored, from[i]->real};
    probe->pieces = pieces;
    probe->piece_count = (uint32_t)count;
}

static void take_item(struct search *search, struct probe *probe,
                      const Journal__Operation *operation)
{
    const Journal__Append *append = operation->append;
    struct evidence *evidence = &probe->task->evidence;
    const char **names = arena_array(search->arena, append->n_keywords, sizeof(*names));

    memcpy(&evidence->owner, operation->mailbox.data, sizeof(evidence->owner));
    evidence->folder = operation->folder;
    evidence->item = (struct store_item){
        .uid = append->uid,
        .kind = KIND_MAIL,
        .flags.system = append->flags,
        .size = append->size,
        .header_size = append->header_size,
        .no_final_newline = append->no_final_newline,
        .internal_date = append->internal_date,
        .zone = (int16_t)append->zone,
        .save_date = append->save_date,
        .item_id = append->item_id,
        .email_id = append->email_id,
        .thread_id = append->thread_id,
        .content_id = append->content_id,
    };
    if (probe->new_item_id != 0) /* of a copy */
        evidence->item.item_id = probe->new_item_id;
    for (size_t i = 0; i < append->n_keywords; i++)
        names[i] = arena_string(search->arena, append->keywords[i]);
    evidence->keywords = names;
    evidence->keyword_count = (unsigned)append->n_keywords;
    probe->has_item = true;
}

static void match_item(struct search *search, const struct probe *wanted,
                       const struct journal_rank *rank, const Journal__Operation *operation)
{
    struct probe *end = search->probes + search->count;

    for (struct probe *probe = first_at(search, wanted);
         probe < end && by_probe(probe, wanted) == 0; probe++) {
        if (!is_better(probe, rank))
            continue;
        probe->found = true;
        probe->rank = *rank;
        probe->from_folder = 0; /* it did not come from another folder */
        take_item(search, probe, operation);
    }
}

static void match_content(struct search *search, uint64_t id, const struct journal_rank *rank,
                          Journal__Piece *const *pieces, size_t count,
                          const Journal__Operation *append)
{
    const struct probe wanted = {.kind = PROBE_CONTENT, .number = id};
    struct probe *end = search->probes + search->count;

    for (struct probe *probe = first_at(search, &wanted);
         probe < end && by_probe(probe, &wanted) == 0; probe++) {
        if (append != NULL && !probe->has_item)
            take_item(search, probe, append);
        if (count == 0 || !is_better(probe, rank))
            continue;
        probe->found = true;
        probe->rank = *rank;
        take_pieces(search, probe, pieces, count);
    }
}

static void visit_append(struct search *search, const struct journal_rank *rank,
                         const Journal__Operation *operation)
{
    const Journal__Append *append = operation->append;
    struct probe wanted = {.kind = PROBE_UID, .folder = operation->folder, .number = append->uid};

    if (operation->mailbox.len != sizeof(wanted.owner))
        return;
    memcpy(&wanted.owner, operation->mailbox.data, sizeof(wanted.owner));
    match_item(search, &wanted, rank, operation);
    wanted.kind = PROBE_ITEM_ID;
    wanted.folder = 0;
    wanted.number = append->item_id;
    match_item(search, &wanted, rank, operation);
    match_content(search, append->content_id, rank, append->pieces, append->n_pieces, operation);
}

/* The uid that the nth of the source's ranges had. */
static uint32_t nth_of(const Journal__Copy *copy, uint64_t n)
{
    for (size_t i = 0; i < copy->n_ranges; i++) {
        uint64_t count = (uint64_t)copy->ranges[i]->last - copy->ranges[i]->first + 1;

        if (n < count)
            return copy->ranges[i]->first + (uint32_t)n;
        n -= count;
    }
    return 0;
}

static void visit_copy(struct search *search, const struct journal_rank *rank,
                       const Journal__Operation *operation, const Journal__Copy *copy, bool is_move)
{
    for (size_t i = 0; i < search->count; i++) {
        struct probe *probe = &search->probes[i];
        uint32_t source;

        if (probe->kind != PROBE_UID || probe->folder != copy->target ||
            probe->number < copy->first || operation->mailbox.len != sizeof(probe->owner) ||
            memcmp(&probe->owner, operation->mailbox.data, sizeof(probe->owner)) != 0 ||
            !is_better(probe, rank))
            continue;
        source = nth_of(copy, probe->number - copy->first);
        if (source == 0)
            continue;
        probe->found = true;
        probe->rank = *rank;
        probe->from_folder = operation->folder;
        probe->from_uid = source;
        probe->from_item_id = is_move ? 0 : copy->first_item_id + (probe->number - copy->first);
    }
}

static void visit(void *context, const struct journal_rank *rank,
                  const Journal__Operation *operation)
{
    struct search *search = context;

    if (operation->what_case == JOURNAL__OPERATION__WHAT_APPEND)
        visit_append(search, rank, operation);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_COPY)
        visit_copy(search, rank, operation, operation->copy, false);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_MOVE)
        visit_copy(search, rank, operation, operation->move, true);
    else if (operation->what_case == JOURNAL__OPERATION__WHAT_CONTENT_SET)
        match_content(search, operation->content_set->content_id, rank,
                      operation->content_set->pieces, operation->content_set->n_pieces, NULL);
}

/* ---- walks ---- */

struct list {
    struct segment_record *segments;
    size_t count;
};

static void add_segment(struct check *check, const struct check_row *row, void *context)
{
    struct list *list = context;
    struct segment_record record;

    (void)check;
    if (row->damaged || row->key.length != 4 || get_u32(row->key.data) == 0 ||
        !segment_unpack(row->value, get_u32(row->key.data), &record) ||
        record.state == SEGMENT_FREE)
        return;
    list->segments = mem_grow(list->segments, list->count + 1, sizeof(record));
    list->segments[list->count++] = record;
}

static enum err_code walk(struct search *search, struct err *err)
{
    struct check *check = search->check;
    struct list list = {0};
    enum err_code code = check_walk(check, TABLE_SEGMENT, key_number(1), add_segment, &list, err);

    qsort(search->probes, search->count, sizeof(*search->probes), by_probe);
    for (size_t i = 0; i < list.count && code == ERR_NONE; i++) {
        struct err missing; /* a file that is not there tells nothing */

        journal_walk(check->database, list.segments[i].number, list.segments[i].used, visit, search,
                     &missing);
    }
    free(list.segments);
    return code;
}

/* True when a message came from another folder: it is looked for there next. */
static bool follow(struct search *search)
{
    bool again = false;

    for (size_t i = 0; i < search->count; i++) {
        struct probe *probe = &search->probes[i];

        if (probe->from_folder == 0)
            continue;
        probe->folder = probe->from_folder;
        probe->number = probe->from_uid;
        if (probe->new_item_id == 0)
            probe->new_item_id = probe->from_item_id;
        probe->from_folder = 0;
        probe->found = probe->has_item = false;
        again = true;
    }
    return again;
}

/* What was found is offered as evidence; repair_weigh() says what it is worth. */
enum err_code repair_search(struct check *check, struct mend_task *tasks, size_t count,
                            struct arena *arena, struct err *err)
{
    struct search search = {.check = check, .arena = arena};
    enum err_code code = check_slice_begin(check, err);

    if (code != ERR_NONE)
        return code;
    search.probes = mem_array(count, sizeof(*search.probes));
    for (size_t i = 0; i < count; i++)
        add_probe(&search, &tasks[i]);
    code = check_slice_end(check, err);
    for (unsigned n = 0; n < WALKS_MOST && code == ERR_NONE; n++) {
        code = walk(&search, err);
        if (!follow(&search))
            break;
    }
    if (code == ERR_NONE)
        code = repair_weigh(&search, tasks, count, err);
    free(search.probes);
    return code;
}
