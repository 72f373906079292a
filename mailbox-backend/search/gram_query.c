#include "mailbox-backend/search/gram_query.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

/* More of a needle's grams than this hardly leave out further items. */
#define PLACES_MOST 24u

/* Blocks whose answer is remembered: scans go by uid, which is nearly by item id. */
#define REMEMBERED 64u

struct needle {
    uint16_t places[PLACES_MOST];
    unsigned count;
};

struct answer {
    const struct gram_block *block; /* NULL: empty */
    bool damaged;
    uint64_t ids[GRAM_ITEMS_MOST];
    uint8_t may_have[GRAM_NEEDLES_MOST][GRAM_ROW_MOST]; /* a bit an item */
};

struct gram_query {
    struct gram_file file;
    struct needle needles[GRAM_NEEDLES_MOST];
    unsigned count;
    bool damaged;
    struct answer *answers[REMEMBERED];
};

struct gram_query *gram_query_create(struct gram_file *file)
{
    struct gram_query *query = mem_alloc(sizeof(*query));

    query->file = *file;
    *file = (struct gram_file){.fd = -1};
    return query;
}

void gram_query_destroy(struct gram_query **out)
{
    struct gram_query *query = *out;

    *out = NULL;
    if (query == NULL)
        return;
    for (unsigned i = 0; i < REMEMBERED; i++)
        free(query->answers[i]);
    gram_file_close(&query->file);
    free(query);
}

static void add_place(struct needle *needle, uint16_t place)
{
    for (unsigned i = 0; i < needle->count; i++) {
        if (needle->places[i] == place)
            return;
    }
    needle->places[needle->count++] = place;
}

bool gram_query_add(struct gram_query *query, const struct text_match *match, unsigned *number)
{
    struct needle *needle = &query->needles[query->count];

    if (match->length < 3 || query->count == GRAM_NEEDLES_MOST || query->file.count == 0)
        return false;
    for (size_t at = 0; at + 3 <= match->length && needle->count < PLACES_MOST; at++)
        add_place(needle, text_gram_place(match->needle + at));
    *number = query->count++;
    return true;
}

/* The block whose range of ids has the id; NULL when none has. */
static const struct gram_block *block_of(const struct gram_query *query, uint64_t id)
{
    size_t low = 0;
    size_t high = query->file.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct gram_block *block = &query->file.blocks[middle];

        if (id < block->first)
            high = middle;
        else if (id > block->last)
            low = middle + 1;
        else
            return block;
    }
    return NULL;
}

static enum err_code ask_block(const struct gram_query *query, const struct gram_block *block,
                               const struct needle *needle, uint8_t may_have[GRAM_ROW_MOST],
                               struct err *err)
{
    memset(may_have, 0xFF, GRAM_ROW_MOST);
    for (unsigned i = 0; i < needle->count; i++) {
        uint8_t row[GRAM_ROW_MOST];

        if (gram_block_row(&query->file, block, needle->places[i], row, err) != ERR_NONE)
            return err->code;
        for (unsigned n = 0; n < GRAM_ROW_MOST; n++)
            may_have[n] &= row[n];
    }
    return ERR_NONE;
}

static void fill_in(struct gram_query *query, struct answer *answer, const struct gram_block *block)
{
    struct err err;
    enum err_code code = gram_block_ids(&query->file, block, answer->ids, &err);

    answer->block = block;
    for (unsigned i = 0; i < query->count && code == ERR_NONE; i++)
        code = ask_block(query, block, &query->needles[i], answer->may_have[i], &err);
    answer->damaged = code != ERR_NONE;
    if (answer->damaged && !query->damaged)
        log_warning(NULL, "search index: %s", err.text);
    query->damaged = query->damaged || answer->damaged;
}

static struct answer *answer_of(struct gram_query *query, const struct gram_block *block)
{
    struct answer **place = &query->answers[(size_t)(block - query->file.blocks) % REMEMBERED];

    if (*place == NULL)
        *place = mem_alloc(sizeof(**place));
    if ((*place)->block != block)
        fill_in(query, *place, block);
    return *place;
}

static bool find_id(const struct answer *answer, uint64_t id, uint32_t *item)
{
    uint32_t low = 0;
    uint32_t high = answer->block->items;

    while (low < high) {
        *item = low + (high - low) / 2;
        if (answer->ids[*item] == id)
            return true;
        if (answer->ids[*item] < id)
            low = *item + 1;
        else
            high = *item;
    }
    return false;
}

bool gram_query_rules_out(struct gram_query *query, unsigned number, uint64_t item_id)
{
    const struct gram_block *block = block_of(query, item_id);
    const struct answer *answer;
    uint32_t item;

    if (block == NULL)
        return false;
    answer = answer_of(query, block);
    if (answer->damaged || !find_id(answer, item_id, &item))
        return false;
    return (answer->may_have[number][item / 8] >> item % 8 & 1) == 0;
}

bool gram_query_is_damaged(const struct gram_query *query)
{
    return query->damaged;
}
