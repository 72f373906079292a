/* SORT and UID SORT (RFC 5256; RETURN: ESORT, RFC 5267 section 3). Of each message found a key is made, then the
   keys are sorted in steps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/merge_sort.h"
#include "mailbox-backend/imap4/search_result.h"
#include "mailbox-backend/imap4/sort_key.h"
#include "mailbox-backend/imap4/work_memory.h"

#define CHUNK ((size_t)1 << 20) /* bytes of keys */
#define CHUNKS (WORK_MEMORY_COMMAND / CHUNK)
#define HIT_COST 512u
#define COMPARISONS ((size_t)200000) /* of a step */

struct record {
    uint32_t uid;
    uint32_t chunk;
    uint32_t offset; /* of the key in the chunk */
    uint32_t length;
};

struct sorting {
    struct search_run run;
    struct sort_order order;
    struct search_result result;

    struct work_memory memory;
    struct record *records;
    size_t count, room;
    uint8_t *chunks[CHUNKS];
    size_t chunk_count, chunk_used;

    struct merge_sort sort;
    size_t written;
    bool begun;
};

static void clean_up(struct command *command)
{
    struct sorting *sorting = command->data;

    search_run_release(command, &sorting->run);
    search_result_release(&sorting->result);
    for (size_t i = 0; i < sorting->chunk_count; i++)
        free(sorting->chunks[i]);
    free(sorting->records);
    free(sorting->sort.order);
    free(sorting->sort.spare);
    work_memory_release(&sorting->memory);
}

/* ---- gathering ---- */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "too much to be sorted at once, or by too many at a time");
}

/* A record costs its place in the order and in the spare one as well. */
static bool make_record(struct sorting *sorting)
{
    size_t room = sorting->room == 0 ? 256 : 2 * sorting->room;

    if (sorting->count < sorting->room)
        return true;
    if (!work_memory_take(&sorting->memory, (room - sorting->room) * (sizeof(struct record) + 8)))
        return false;
    sorting->records = mem_grow(sorting->records, room, sizeof(*sorting->records));
    sorting->room = room;
    return true;
}

static bool make_room(struct sorting *sorting, size_t length)
{
    if (sorting->chunk_count > 0 && CHUNK - sorting->chunk_used >= length)
        return true;
    if (sorting->chunk_count == CHUNKS || !work_memory_take(&sorting->memory, CHUNK))
        return false;
    sorting->chunks[sorting->chunk_count++] = mem_grow(NULL, CHUNK, 1);
    sorting->chunk_used = 0;
    return true;
}

static enum err_code keep(struct sorting *sorting, const struct store_item *item,
                          const struct buf *key, struct err *err)
{
    size_t length = buf_length(key);
    struct record *record;

    if (!make_record(sorting) || !make_room(sorting, length))
        return no_memory(err);
    record = &sorting->records[sorting->count++];
    record->uid = item->uid;
    record->chunk = (uint32_t)(sorting->chunk_count - 1);
    record->offset = (uint32_t)sorting->chunk_used;
    record->length = (uint32_t)length;
    memcpy(sorting->chunks[record->chunk] + record->offset, buf_bytes(key), length);
    sorting->chunk_used += length;
    search_result_add(&sorting->result, item);
    return ERR_NONE;
}

static enum err_code take_hit(struct command *command, const struct store_item *item,
                              struct err *err)
{
    struct sorting *sorting = command->data;
    struct message_facts facts = {0};
    struct arena arena = {0};
    struct buf key = {0};
    enum err_code code = ERR_NONE;

    if (sorting->order.needs_envelope)
        code = message_facts_read(command, item, false, &arena, &facts, err);
    if (code == ERR_NONE) {
        sort_key_make(&sorting->order, item, &facts, &arena, &key);
        code = keep(sorting, item, &key, err);
    }
    buf_release(&key);
    arena_reset(&arena);
    return code;
}

/* ---- the answer ---- */

static int compare(const void *context, uint32_t a, uint32_t b)
{
    const struct sorting *sorting = context;
    const struct record *one = &sorting->records[a];
    const struct record *other = &sorting->records[b];
    size_t length = one->length < other->length ? one->length : other->length;

    return memcmp(sorting->chunks[one->chunk] + one->offset,
                  sorting->chunks[other->chunk] + other->offset, length);
}

static uint32_t uid_at(const void *context, size_t n)
{
    const struct sorting *sorting = context;

    return sorting->records[sorting->sort.order[n]].uid;
}

static enum step tell(struct command *command)
{
    struct sorting *sorting = command->data;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;
    struct buf *out = command_output(command);

    if (!sorting->begun)
        buf_text(out, "* SORT");
    sorting->begun = true;
    command->in_answer = true;
    for (; sorting->written < sorting->count; sorting->written++) {
        uint32_t uid = uid_at(sorting, sorting->written);

        if (!command_has_room(command))
            return STEP_MORE;
        buf_printf(out, " %" PRIu32, by_uid ? uid : view_sequence(command->imap->view, uid));
    }
    if (sorting->run.search.has_modseq && sorting->count > 0)
        buf_printf(out, " (MODSEQ %" PRIu64 ")", sorting->result.highest_modseq);
    buf_text(out, "\r\n");
    command->in_answer = false;
    return command_ok(command, NULL);
}

static enum step tell_result(struct command *command)
{
    struct sorting *sorting = command->data;

    if (!search_result_tell(command, &sorting->result, sorting->run.search.has_modseq))
        return STEP_MORE;
    return command_ok(command, NULL);
}

/* One that has been expunged since has the highest of all. */
static uint64_t modseq_at(struct command *command, struct store_read *read, size_t n)
{
    const struct sorting *sorting = command->data;
    struct store_item item;

    if (store_item_get(read, command->imap->view->folder, uid_at(sorting, n), &item, NULL) !=
        ERR_NONE)
        return sorting->result.highest_modseq;
    return item.modseq;
}

static enum step end(struct command *command)
{
    struct sorting *sorting = command->data;
    uint64_t first = 0;
    uint64_t last = 0;
    struct store_read *read;

    command->run = sorting->result.asked == 0 ? tell : tell_result;
    if (sorting->result.asked == 0)
        return tell(command);
    if (sorting->count > 0) {
        if (!command_read(command, &read))
            return command_ended(command);
        first = modseq_at(command, read, 0);
        last = modseq_at(command, read, sorting->count - 1);
        store_read_end(&read);
    }
    search_result_order(&sorting->result, uid_at, sorting, first, last);
    search_result_save(command->imap, &sorting->result);
    return tell_result(command);
}

static enum step sort(struct command *command)
{
    struct sorting *sorting = command->data;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (!merge_sort_run(&sorting->sort, compare, sorting, COMPARISONS))
        return STEP_WORK;
    return end(command);
}

/* The memory was taken with the records. */
static enum step begin_sort(struct command *command)
{
    struct sorting *sorting = command->data;
    uint32_t *order = mem_grow(NULL, sorting->count + 1, sizeof(*order));
    uint32_t *spare = mem_grow(NULL, sorting->count + 1, sizeof(*spare));

    for (size_t i = 0; i < sorting->count; i++)
        order[i] = (uint32_t)i;
    merge_sort_begin(&sorting->sort, order, spare, sorting->count);
    command->run = sort;
    return sort(command);
}

static enum step gather(struct command *command)
{
    struct sorting *sorting = command->data;
    enum step step;
    struct err err;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (!search_run_go(command, &sorting->run, &step, &err))
        return step;
    return err.code == ERR_NONE ? begin_sort(command) : command_fail(command, &err);
}

static enum step refuse(struct command *command)
{
    const struct sorting *sorting = command->data;

    if (command->result == RESULT_NO)
        search_result_unsave(command->imap, &sorting->result);
    return command_ended(command);
}

enum step cmd_sort(struct command *command)
{
    struct sorting *sorting = arena_alloc(&command->arena, sizeof(*sorting));
    struct parse *args = &command->args;

    command->data = sorting;
    command->cleanup = clean_up;
    sorting->run.hit = take_hit;
    sorting->run.hit_cost = HIT_COST;
    sorting->run.search.charset_stands = true;
    sorting->result.sorts = true;
    if (!search_result_take(args, &sorting->result) || !sort_order_take(args, &sorting->order) ||
        !parse_space(args))
        return command_bad_syntax(command);
    if (!search_run_take(command, &sorting->run))
        return refuse(command);
    search_result_unsave(command->imap, &sorting->result);
    command->run = gather;
    return gather(command);
}
