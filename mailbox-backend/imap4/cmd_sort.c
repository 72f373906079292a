/* SORT and UID SORT (RFC 5256), with DISPLAYFROM and DISPLAYTO (RFC 5957). Of each message found one key is
   made of all criteria, such that keys in the order of their bytes are messages in the order asked for.
   Then the keys are sorted in steps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/merge_sort.h"
#include "mailbox-backend/imap4/message_facts.h"
#include "mailbox-backend/imap4/work_memory.h"
#include "mailbox-backend/mime/base_subject.h"
#include "mailbox-backend/mime/encoded_word.h"

#define CHUNK ((size_t)1 << 20) /* bytes of keys */
#define CHUNKS (WORK_MEMORY_COMMAND / CHUNK)
#define TEXT_MAX ((size_t)1000) /* bytes of a text that are compared */
#define HIT_COST 512u
#define COMPARISONS ((size_t)200000) /* of a step */

enum criterion { ARRIVAL, CC, DATE, FROM, SIZE, SUBJECT, TO, DISPLAYFROM, DISPLAYTO, CRITERIA };

static const char *const names[CRITERIA] = {
    [ARRIVAL] = "ARRIVAL",
    [CC] = "CC",
    [DATE] = "DATE",
    [FROM] = "FROM",
    [SIZE] = "SIZE",
    [SUBJECT] = "SUBJECT",
    [TO] = "TO",
    [DISPLAYFROM] = "DISPLAYFROM",
    [DISPLAYTO] = "DISPLAYTO",
};

struct record {
    uint32_t uid;
    uint32_t chunk;
    uint32_t offset; /* of the key in the chunk */
    uint32_t length;
};

struct sorting {
    struct search_run run;
    enum criterion criteria[CRITERIA]; /* each once: another time it makes no difference */
    bool reversed[CRITERIA];
    unsigned criterion_count;
    bool needs_envelope;

    struct work_memory memory;
    struct record *records;
    size_t count, room;
    uint8_t *chunks[CHUNKS];
    size_t chunk_count, chunk_used;
    uint64_t highest_modseq;

    struct merge_sort sort;
    size_t written;
    bool begun;
};

static void clean_up(struct command *command)
{
    struct sorting *sorting = command->data;

    search_run_release(command, &sorting->run);
    for (size_t i = 0; i < sorting->chunk_count; i++)
        free(sorting->chunks[i]);
    free(sorting->records);
    free(sorting->sort.order);
    free(sorting->sort.spare);
    work_memory_release(&sorting->memory);
}

/* ---- arguments ---- */

static bool take_criterion(struct parse *args, struct sorting *sorting)
{
    bool reversed = parse_word(args, "REVERSE");
    unsigned used = 0;

    if (reversed && !parse_space(args))
        return false;
    for (unsigned i = 0; i < sorting->criterion_count; i++)
        used |= 1u << sorting->criteria[i];
    for (unsigned i = 0; i < CRITERIA; i++) {
        if (!parse_word(args, names[i]))
            continue;
        if ((used & 1u << i) == 0) {
            sorting->reversed[sorting->criterion_count] = reversed;
            sorting->criteria[sorting->criterion_count++] = (enum criterion)i;
            sorting->needs_envelope |= i != ARRIVAL && i != SIZE;
        }
        return true;
    }
    return parse_fail(args, args->at, "Unknown sort criterion");
}

static bool take_criteria(struct parse *args, struct sorting *sorting)
{
    if (!parse_char(args, '('))
        return false;
    do {
        if (!take_criterion(args, sorting))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') && parse_space(args);
}

/* ---- keys ---- */

static void add_number(struct buf *key, uint64_t number)
{
    for (unsigned shift = 64; shift > 0; shift -= 8)
        buf_byte(key, (uint8_t)(number >> (shift - 8)));
}

/* Times before 1970 come before the others. */
static void add_time(struct buf *key, int64_t time)
{
    add_number(key, (uint64_t)time ^ (uint64_t)1 << 63);
}

/* A text ends by NUL, which it does not hold: a shorter one comes first. */
static void add_text(struct buf *key, struct str text)
{
    const char *nul = text.length == 0 ? NULL : memchr(text.data, '\0', text.length);

    if (nul != NULL)
        text.length = (size_t)(nul - text.data);
    mime_collation_key(text, TEXT_MAX, key);
    buf_byte(key, 0);
}

/* The parts of the first address of a list: name, route, mailbox, host. */
static void first_address(struct arena *arena, struct str list, struct str parts[4])
{
    struct parse parse;

    memset(parts, 0, 4 * sizeof(parts[0]));
    parse_init(&parse, arena, list);
    if (!parse_skip(&parse, '(') || !parse_skip(&parse, '('))
        return;
    for (unsigned i = 0; i < 4; i++) {
        if ((i != 0 && !parse_space(&parse)) || !parse_nstring(&parse, &parts[i]))
            return;
    }
}

static void add_mailbox(struct buf *key, struct arena *arena, struct str list)
{
    struct str parts[4];

    first_address(arena, list, parts);
    add_text(key, parts[2].data != NULL ? parts[2] : STR(""));
}

/* RFC 5957 section 3. */
static void add_display(struct buf *key, struct arena *arena, struct str list)
{
    struct buf text = {0};
    struct str parts[4];

    first_address(arena, list, parts);
    if (parts[0].data != NULL)
        mime_words_decode(parts[0], &text);
    if (buf_length(&text) == 0 && parts[2].data != NULL) {
        buf_append(&text, parts[2].data, parts[2].length);
        if (parts[3].data != NULL) {
            buf_byte(&text, '@');
            buf_append(&text, parts[3].data, parts[3].length);
        }
    }
    if (buf_length(&text) > 0)
        add_text(key, str_n(buf_bytes(&text), buf_length(&text)));
    else
        add_text(key, STR(""));
    buf_release(&text);
}

static void add_subject(struct buf *key, struct arena *arena, struct str subject)
{
    struct str base;

    mime_base_subject(arena, subject, &base);
    add_text(key, base);
}

static void add_criterion(struct buf *key, enum criterion criterion, const struct store_item *item,
                          const struct message_facts *facts, struct arena *arena)
{
    const struct str *addresses = facts->envelope.addresses;

    switch (criterion) {
    case ARRIVAL:
        add_time(key, item->internal_date);
        break;
    case DATE:
        add_time(key, message_facts_date(facts, item));
        break;
    case SIZE:
        add_number(key, item->size);
        break;
    case SUBJECT:
        add_subject(key, arena, facts->envelope.subject);
        break;
    case CC:
        add_mailbox(key, arena, addresses[SEARCH_CC]);
        break;
    case FROM:
        add_mailbox(key, arena, addresses[SEARCH_FROM]);
        break;
    case TO:
        add_mailbox(key, arena, addresses[SEARCH_TO]);
        break;
    case DISPLAYFROM:
        add_display(key, arena, addresses[SEARCH_FROM]);
        break;
    default: /* DISPLAYTO */
        add_display(key, arena, addresses[SEARCH_TO]);
        break;
    }
}

static void make_key(const struct sorting *sorting, const struct store_item *item,
                     const struct message_facts *facts, struct arena *arena, struct buf *key)
{
    struct buf part = {0};

    for (unsigned i = 0; i < sorting->criterion_count; i++) {
        uint8_t flip = sorting->reversed[i] ? 0xff : 0;

        buf_truncate(&part, 0);
        add_criterion(&part, sorting->criteria[i], item, facts, arena);
        for (size_t n = 0; n < buf_length(&part); n++)
            buf_byte(key, buf_bytes(&part)[n] ^ flip);
    }
    buf_release(&part);
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
    if (item->modseq > sorting->highest_modseq)
        sorting->highest_modseq = item->modseq;
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

    if (sorting->needs_envelope)
        code = message_facts_read(command, item, false, &arena, &facts, err);
    if (code == ERR_NONE) {
        make_key(sorting, item, &facts, &arena, &key);
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
        uint32_t uid = sorting->records[sorting->sort.order[sorting->written]].uid;

        if (!command_has_room(command))
            return STEP_MORE;
        buf_printf(out, " %" PRIu32, by_uid ? uid : view_sequence(command->imap->view, uid));
    }
    if (sorting->run.search.has_modseq && sorting->count > 0)
        buf_printf(out, " (MODSEQ %" PRIu64 ")", sorting->highest_modseq);
    buf_text(out, "\r\n");
    command->in_answer = false;
    return command_ok(command, NULL);
}

static enum step sort(struct command *command)
{
    struct sorting *sorting = command->data;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (!merge_sort_run(&sorting->sort, compare, sorting, COMPARISONS))
        return STEP_WORK;
    command->run = tell;
    return tell(command);
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

enum step cmd_sort(struct command *command)
{
    struct sorting *sorting = arena_alloc(&command->arena, sizeof(*sorting));

    command->data = sorting;
    command->cleanup = clean_up;
    sorting->run.hit = take_hit;
    sorting->run.hit_cost = HIT_COST;
    sorting->run.search.charset_stands = true;
    if (!take_criteria(&command->args, sorting))
        return command_bad_syntax(command);
    if (!search_run_take(command, &sorting->run))
        return command_ended(command);
    command->run = gather;
    return gather(command);
}
