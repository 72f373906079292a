/* Evidence for lost rows, held against what is there. Operation records are believed where the content that they name
   is there and has their size. A damaged row is believed only where everything in it that can be compared agrees, so
   that no message ever gets another's text: the content that an item's row names must have one use more than is
   counted; the pieces that a content's row names must be whole, add up, and belong to no other content. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/piece.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/repair_search.h"

#define ROW_MOST 65536u /* a damaged row that is longer is no help */

/* What is counted for a task: the uses of a content. */
struct use {
    uint64_t content;
    struct mend_task *task;
    uint32_t count;
    bool disagrees; /* a message with it has another size, or a piece is another content's */
};

struct weighing {
    struct search *search;
    struct use *uses; /* in order of content */
    size_t count;
};

/* ---- rows that are there ---- */

static bool read_head(struct check *check, uint64_t content, struct content_head *head)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_content(content);
    struct bytes row;

    return tx_get(&tx, TABLE_CONTENT, &key, &row, NULL) == ERR_NONE &&
           content_head_unpack(row, head);
}

/* The bytes of a damaged row; their checksum is wrong. */
static struct bytes read_damaged(struct check *check, struct mend_task *task, enum table table,
                                 struct key key)
{
    struct tx tx = check_tx(check, table_of_mailbox(table) ? get_u32(key.bytes) : 0);
    struct bytes row = {0};

    (void)task;
    if (tx_get(&tx, table, &key, &row, NULL) != ERR_CORRUPT || row.length > ROW_MOST)
        row = (struct bytes){0};
    return row;
}

/* ---- items ---- */

static bool unpack_damaged(struct check *check, struct mend_task *task, struct evidence *evidence)
{
    enum table table = task->mend.table;
    struct bytes row = read_damaged(check, task, table, task->mend.key);
    struct store_recoverable entry;
    bool read;

    if (table == TABLE_ITEM) {
        evidence->folder = task->mend.place.folder;
        return row.length > 0 && item_unpack(row, task->mend.place.uid, &evidence->item);
    }
    read = row.length > 0 && recoverable_unpack(row, &entry);
    if (read) {
        evidence->folder = entry.folder;
        evidence->item = entry.item;
    }
    return read && evidence->item.item_id == get_u48(task->mend.key.bytes + 12);
}

static bool agree(const struct store_item *a, const struct store_item *b)
{
    return a->content_id == b->content_id && a->size == b->size && a->item_id == b->item_id;
}

/* True when the uses of the content that the damaged row names must be counted. */
static bool weigh_item(struct check *check, struct mend_task *task, bool recorded)
{
    struct evidence *evidence = &task->evidence;
    struct evidence damaged = {.of_row = true};
    struct content_head head;
    bool readable = unpack_damaged(check, task, &damaged);

    evidence->found = recorded && read_head(check, evidence->item.content_id, &head) &&
                      head.size == evidence->item.size;
    if (evidence->found && readable && agree(&evidence->item, &damaged.item)) {
        evidence->item.flags = damaged.item.flags;
        evidence->of_row = true;
    }
    if (evidence->found || !readable || !read_head(check, damaged.item.content_id, &head) ||
        head.size != damaged.item.size)
        return false;
    *evidence = damaged;
    evidence->references = head.references;
    return true;
}

/* ---- contents ---- */

/* All pieces can be read, and are so many bytes together. */
static bool are_whole(struct check *check, const struct piece *pieces, uint32_t count,
                      uint64_t *size)
{
    struct segments *segments = check->database->segments;
    bool whole = true;

    *size = 0;
    for (uint32_t i = 0; i < count && whole; i++) {
        struct record_head head;
        struct segment *segment;
        uint8_t *record;

        if (pieces[i].stored > PIECE_BYTES || pieces[i].real > PIECE_BYTES ||
            segments_pin(segments, pieces[i].segment, &segment, NULL) != ERR_NONE)
            return false;
        record = mem_grow(NULL, RECORD_HEADER + (size_t)pieces[i].stored, 1);
        whole = piece_read(segment, &pieces[i], record, &head, NULL) == ERR_NONE;
        segments_unpin(segments, segment);
        free(record);
        *size += pieces[i].real;
    }
    return whole;
}

static void take_damaged_pieces(struct weighing *weighing, struct mend_task *task)
{
    struct evidence *evidence = &task->evidence;
    struct bytes row =
        read_damaged(weighing->search->check, task, TABLE_CONTENT, key_content(task->mend.number));
    struct content_head head;
    struct piece *pieces;

    if (row.length == 0 || !content_head_unpack(row, &head))
        return;
    pieces = arena_array(weighing->search->arena, head.pieces, sizeof(*pieces));
    for (uint32_t i = 0; i < head.pieces; i++)
        piece_unpack(row, i, &pieces[i]);
    evidence->of_row = evidence->found = true;
    evidence->piece = pieces;
    evidence->pieces = head.pieces;
    evidence->size = head.size;
}

static void weigh_content(struct weighing *weighing, struct mend_task *task,
                          const struct probe *probe)
{
    struct evidence *evidence = &task->evidence;

    if (probe == NULL || !probe->found) {
        take_damaged_pieces(weighing, task);
        return;
    }
    evidence->piece = probe->pieces;
    evidence->pieces = probe->piece_count;
    evidence->found = true;
    for (uint32_t i = 0; i < probe->piece_count; i++)
        evidence->size += probe->pieces[i].real;
}

static bool has_mailbox(struct check *check, const struct store_guid *guid)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_guid(guid->bytes);
    struct bytes row;

    return tx_get(&tx, TABLE_GUID, &key, &row, NULL) == ERR_NONE;
}

/* ---- counting ---- */

static void add_use(struct weighing *weighing, struct mend_task *task, uint64_t content)
{
    weighing->uses[weighing->count++] = (struct use){.content = content, .task = task};
}

static int by_content(const void *a, const void *b)
{
    const struct use *x = a;
    const struct use *y = b;

    return x->content < y->content ? -1 : x->content > y->content;
}

static struct use *first_use(struct weighing *weighing, uint64_t content)
{
    size_t low = 0;
    size_t high = weighing->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (weighing->uses[middle].content < content)
            low = middle + 1;
        else
            high = middle;
    }
    return weighing->uses + low;
}

static void count_item(const struct store_item *item, struct check_place place, void *context)
{
    struct weighing *weighing = context;
    struct use *end = weighing->uses + weighing->count;

    (void)place;
    for (struct use *use = first_use(weighing, item->content_id);
         use < end && use->content == item->content_id; use++) {
        use->count++;
        if (use->task->mend.kind == MEND_CONTENT && item->size != use->task->evidence.size)
            use->disagrees = true;
    }
}

static bool share_a_piece(const struct evidence *evidence, struct bytes row, uint32_t pieces)
{
    for (uint32_t i = 0; i < pieces; i++) {
        struct piece theirs;

        piece_unpack(row, i, &theirs);
        for (uint32_t j = 0; j < evidence->pieces; j++)
            if (evidence->piece[j].segment == theirs.segment &&
                evidence->piece[j].offset == theirs.offset)
                return true;
    }
    return false;
}

static void compare_pieces(struct check *check, const struct check_row *row, void *context)
{
    struct weighing *weighing = context;
    struct content_head head;

    (void)check;
    if (row->damaged || !content_head_unpack(row->value, &head))
        return;
    for (size_t i = 0; i < weighing->count; i++) {
        struct use *use = &weighing->uses[i];

        if (use->task->mend.kind == MEND_CONTENT && use->task->evidence.found &&
            share_a_piece(&use->task->evidence, row->value, head.pieces))
            use->disagrees = true;
    }
}

static enum err_code count(struct weighing *weighing, struct err *err)
{
    struct check *check = weighing->search->check;
    enum err_code code;

    qsort(weighing->uses, weighing->count, sizeof(*weighing->uses), by_content);
    code = check_each_item(check, count_item, weighing, err);
    if (code == ERR_NONE)
        code = check_walk(check, TABLE_CONTENT, key_content(0), compare_pieces, weighing, err);
    return code;
}

static void settle(struct weighing *weighing)
{
    for (size_t i = 0; i < weighing->count; i++) {
        const struct use *use = &weighing->uses[i];
        struct evidence *evidence = &use->task->evidence;
        uint64_t size = evidence->size;

        if (use->task->mend.kind != MEND_CONTENT) {
            evidence->found = evidence->references > use->count;
            continue;
        }
        evidence->references = use->count > 0 ? use->count : 1;
        evidence->found =
            evidence->found && !use->disagrees &&
            are_whole(weighing->search->check, evidence->piece, evidence->pieces, &size) &&
            size == evidence->size;
    }
}

/* ---- all of them ---- */

static const struct probe *probe_of(const struct search *search, const struct mend_task *task)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->probes[i].task == task)
            return &search->probes[i];
    return NULL;
}

static void weigh(struct weighing *weighing, struct mend_task *task)
{
    struct check *check = weighing->search->check;
    const struct probe *probe = probe_of(weighing->search, task);
    bool recorded = probe != NULL && probe->has_item;

    switch (task->mend.kind) {
    case MEND_ROW:
        if (weigh_item(check, task, recorded))
            add_use(weighing, task, task->evidence.item.content_id);
        break;
    case MEND_CONTENT:
        weigh_content(weighing, task, probe);
        if (task->evidence.found)
            add_use(weighing, task, task->mend.number);
        break;
    default:
        task->evidence.found = recorded && has_mailbox(check, &task->evidence.owner);
        break;
    }
}

enum err_code repair_weigh(struct search *search, struct mend_task *tasks, size_t task_count,
                           struct err *err)
{
    struct weighing weighing = {.search = search};
    enum err_code code = check_slice_begin(search->check, err);

    if (code != ERR_NONE)
        return code;
    weighing.uses = mem_array(task_count, sizeof(*weighing.uses));
    for (size_t i = 0; i < task_count; i++)
        weigh(&weighing, &tasks[i]);
    code = check_slice_end(search->check, err);
    if (code == ERR_NONE && weighing.count > 0)
        code = count(&weighing, err);
    if (code == ERR_NONE)
        settle(&weighing);
    free(weighing.uses);
    return code;
}
