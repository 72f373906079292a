#include "mailbox-backend/search/gram_build.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/mailbox/content_text.h"

/* New items noted at once, 16 bytes each; when there are more, those with the lowest ids. */
#define NOTED_MOST 65536u
#define SCAN_ITEMS 128u

/* ---- which items are new ---- */

struct noted {
    uint64_t id;
    uint32_t folder, uid;
};

struct notes {
    struct noted *items;
    size_t count;
    uint64_t from, to; /* ids from the one to below the other are noted */
    bool whole;        /* nothing had to be left for later */
};

static int by_id(const void *a, const void *b)
{
    const struct noted *one = a;
    const struct noted *other = b;

    return one->id < other->id ? -1 : one->id > other->id;
}

/* Leaves the higher half for later. */
static void halve(struct notes *notes)
{
    qsort(notes->items, notes->count, sizeof(*notes->items), by_id);
    notes->count /= 2;
    notes->to = notes->items[notes->count - 1].id + 1;
    notes->whole = false;
}

static void note(struct notes *notes, uint32_t folder, const struct store_item *item)
{
    if (item->item_id < notes->from || item->item_id >= notes->to)
        return;
    if (notes->count == NOTED_MOST)
        halve(notes);
    if (item->item_id < notes->to)
        notes->items[notes->count++] = (struct noted){item->item_id, folder, item->uid};
}

static enum err_code note_folder(struct notes *notes, struct store_read *read, uint32_t folder,
                                 uint64_t since, struct err *err)
{
    struct store_item items[SCAN_ITEMS];
    uint32_t first = 1;
    size_t count = SCAN_ITEMS;

    while (count == SCAN_ITEMS) {
        enum err_code code = store_item_scan(read, folder, first, UINT32_MAX - 1, since, items,
                                             SCAN_ITEMS, &count, err);

        if (code != ERR_NONE)
            return code;
        for (size_t i = 0; i < count; i++)
            note(notes, folder, &items[i]);
        if (count > 0)
            first = items[count - 1].uid + 1;
    }
    return ERR_NONE;
}

/* Each folder in a snapshot of its own: what moves from one to another meanwhile may be missed, and is
   then in no block, so that a search reads it. */
static enum err_code note_all(struct notes *notes, struct store_mailbox *mailbox, uint64_t since,
                              uint64_t *modseq, struct err *err)
{
    struct store_folder folder = {0};
    struct store_read *read;
    enum err_code code;

    *modseq = UINT64_MAX;
    do {
        code = store_read_begin(mailbox, &read, err);
        if (code != ERR_NONE)
            return code;
        if (store_read_modseq(read) < *modseq)
            *modseq = store_read_modseq(read);
        if (store_read_next_item(read) < notes->to)
            notes->to = store_read_next_item(read); /* of the first snapshot */
        code = store_folder_after(read, folder.id, &folder, err);
        if (code == ERR_NONE && folder.highest_modseq > since)
            code = note_folder(notes, read, folder.id, since, err);
        store_read_end(&read);
    } while (code == ERR_NONE);
    qsort(notes->items, notes->count, sizeof(*notes->items), by_id);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- one message ---- */

struct reading {
    struct store_mailbox *mailbox;
    struct text_grams grams;
    struct arena arena;
};

static void take_text(void *context, const void *data, size_t length)
{
    text_grams_feed(context, data, length);
}

static void take_seam(void *context)
{
    text_grams_break(context);
}

static enum err_code read_text(struct reading *reading, struct store_content *content,
                               struct err *err)
{
    const struct mime_search_tap tap = {take_text, take_seam, &reading->grams};
    const struct mime_part *root;
    struct mime_search *search;
    enum err_code code = content_tree(content, &reading->arena, false, &root, err);

    if (code != ERR_NONE)
        return code;
    search = mime_search_begin(&reading->arena, root, NULL, 0);
    mime_search_give(search, &tap);
    code = content_search(content, search, err);
    mime_search_end(&search);
    return code;
}

/* ERR_NOT_FOUND: it is not there any more. */
static enum err_code open_noted(const struct reading *reading, const struct noted *noted,
                                struct store_content **content, struct err *err)
{
    struct store_read *read;
    struct store_item item;
    enum err_code code = store_read_begin(reading->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_item_get(read, noted->folder, noted->uid, &item, err);
    if (code == ERR_NONE && item.item_id != noted->id)
        code = ERR_NOT_FOUND;
    if (code == ERR_NONE)
        code = store_content_open(read, &item, content, err);
    store_read_end(&read);
    return code;
}

static enum err_code read_noted(struct reading *reading, const struct noted *noted, struct err *err)
{
    struct store_content *content = NULL;
    enum err_code code = open_noted(reading, noted, &content, err);

    arena_reset(&reading->arena);
    text_grams_init(&reading->grams, text_fold_create(&reading->arena));
    if (code == ERR_NONE)
        code = read_text(reading, content, err);
    store_content_close(&content);
    if (code == ERR_CORRUPT)
        memset(reading->grams.places, 0xFF, sizeof(reading->grams.places));
    return code == ERR_CORRUPT ? ERR_NONE : code;
}

/* ---- a block ---- */

struct block_maker {
    uint64_t ids[GRAM_ITEMS_MOST];
    uint32_t items;
    uint64_t places; /* of all items together */
    uint8_t (*places_of)[TEXT_GRAM_PLACES / 8];
};

static void take_item(struct block_maker *maker, uint64_t id, const struct text_grams *grams)
{
    const uint64_t *words = (const uint64_t *)(const void *)grams->places;

    for (size_t i = 0; i < sizeof(grams->places) / sizeof(*words); i++)
        maker->places += (unsigned)__builtin_popcountll(words[i]);
    maker->ids[maker->items] = id;
    memcpy(maker->places_of[maker->items++], grams->places, sizeof(grams->places));
}

/* As many places as an average item uses, times four: a gram that an item lacks is then found in it
   by chance one time in five, six of them one time in 10,000. */
static uint32_t choose_bits(const struct block_maker *maker)
{
    uint64_t wanted = maker->places * 4 / maker->items;
    uint32_t bits = 8;

    while (bits < TEXT_GRAM_BITS && (uint64_t)1 << bits < wanted)
        bits++;
    return bits;
}

static void fill_rows(const struct block_maker *maker, struct gram_matrix *matrix)
{
    unsigned shift = TEXT_GRAM_BITS - matrix->bits;

    for (uint32_t item = 0; item < maker->items; item++) {
        for (uint32_t byte = 0; byte < TEXT_GRAM_PLACES / 8; byte++) {
            for (unsigned bits = maker->places_of[item][byte]; bits != 0; bits &= bits - 1) {
                uint32_t place = 8 * byte + (unsigned)__builtin_ctz(bits);

                matrix->rows[place >> shift][item / 8] |= (uint8_t)(1u << item % 8);
            }
        }
    }
}

static enum err_code add_block(struct gram_file *file, const struct block_maker *maker,
                               uint64_t upto, uint64_t modseq, struct err *err)
{
    struct gram_matrix *matrix = mem_alloc(sizeof(*matrix));
    enum err_code code;

    memcpy(matrix->ids, maker->ids, sizeof(matrix->ids));
    matrix->items = maker->items;
    matrix->bits = choose_bits(maker);
    matrix->rows = mem_array((size_t)1 << matrix->bits, sizeof(*matrix->rows));
    fill_rows(maker, matrix);
    code = gram_file_add(file, matrix, upto, modseq, err);
    free(matrix->rows);
    free(matrix);
    return code;
}

static enum err_code read_items(struct block_maker *maker, struct store_mailbox *mailbox,
                                const struct noted *noted, size_t count,
                                const struct gram_wanted *wanted, struct err *err)
{
    struct reading *reading = mem_alloc(sizeof(*reading));
    enum err_code code = ERR_NONE;

    reading->mailbox = mailbox;
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = wanted->ask(wanted->context) ? read_noted(reading, &noted[i], err)
                                            : err_set(err, ERR_UNAVAILABLE, "not wanted any more");
        if (code == ERR_NONE)
            take_item(maker, noted[i].id, &reading->grams);
        else if (code == ERR_NOT_FOUND)
            code = ERR_NONE;
    }
    arena_reset(&reading->arena);
    free(reading);
    return code;
}

static enum err_code build_block(struct gram_file *file, struct store_mailbox *mailbox,
                                 const struct noted *noted, size_t count, uint64_t upto,
                                 uint64_t modseq, const struct gram_wanted *wanted, struct err *err)
{
    struct block_maker *maker = mem_alloc(sizeof(*maker));
    enum err_code code;

    maker->places_of = mem_array(count, sizeof(*maker->places_of));
    code = read_items(maker, mailbox, noted, count, wanted, err);
    if (code == ERR_NONE && maker->items > 0)
        code = add_block(file, maker, upto, modseq, err);
    free(maker->places_of);
    free(maker);
    return code;
}

/* Blocks of about one size, by rising ids. The modseq goes on only with the last one. */
static enum err_code build_blocks(struct gram_file *file, struct store_mailbox *mailbox,
                                  const struct notes *notes, uint64_t modseq,
                                  const struct gram_wanted *wanted, struct err *err)
{
    size_t blocks = (notes->count + GRAM_ITEMS_MOST - 1) / GRAM_ITEMS_MOST;
    size_t each = (notes->count + blocks - 1) / blocks;
    enum err_code code = ERR_NONE;

    for (size_t at = 0; at < notes->count && code == ERR_NONE; at += each) {
        size_t left = notes->count - at;
        size_t count = left < each ? left : each;
        bool last = count == left;

        code = build_block(file, mailbox, notes->items + at, count,
                           last ? notes->to : notes->items[at + count].id,
                           last && notes->whole ? modseq : file->modseq, wanted, err);
    }
    return code;
}

enum err_code gram_build(struct gram_file *file, struct store_mailbox *mailbox,
                         const struct gram_wanted *wanted, bool *whole, struct err *err)
{
    struct notes notes = {.from = file->upto, .to = UINT64_MAX, .whole = true};
    uint64_t modseq;
    enum err_code code;

    notes.items = mem_array(NOTED_MOST, sizeof(*notes.items));
    code = note_all(&notes, mailbox, file->modseq, &modseq, err);
    if (code == ERR_NONE && notes.count >= GRAM_ITEMS_LEAST)
        code = build_blocks(file, mailbox, &notes, modseq, wanted, err);
    free(notes.items);
    *whole = notes.whole;
    return code;
}
