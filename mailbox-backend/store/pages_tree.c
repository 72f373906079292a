/* The walk over one tree. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/pages_private.h"

/* ---- keys ---- */

static int compare(const struct pages *pages, const uint8_t *a, size_t a_length, const uint8_t *b,
                   size_t b_length)
{
    size_t both = a_length < b_length ? a_length : b_length;
    int order;

    if (pages->numbers) {
        uint64_t x, y;

        memcpy(&x, a, sizeof(x));
        memcpy(&y, b, sizeof(y));
        return x < y ? -1 : x > y;
    }
    order = memcmp(a, b, both);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static void keep(struct page_key *key, const struct node *node)
{
    key->length = node->key_length;
    memcpy(key->bytes, node->key, node->key_length);
}

/* Each key is greater than all before it. */
static bool is_in_order(struct pages *pages, const struct node *node, bool bound)
{
    const struct page_key *last = &pages->last;
    int order = 1;

    if (pages->has_last)
        order = compare(pages, node->key, node->key_length, last->bytes, last->length);
    if (order < 0 || (order == 0 && (bound || !pages->last_is_bound)))
        return false;
    keep(&pages->last, node);
    pages->has_last = true;
    pages->last_is_bound = bound;
    return true;
}

/* ---- leaves ---- */

/* What LMDB would read of a value must be there: behind the end of the file the process ends. */
static bool is_whole(struct pages *pages, uint64_t first, uint64_t count)
{
    uint8_t last;

    return pages_read(pages, first + count - 1, pages->size - 1, &last, 1);
}

static void take_overflow(struct pages *pages, const struct node *node, uint64_t by)
{
    struct page_head head;
    uint64_t first, least = (PAGE_HEAD - 1 + node->data_length) / pages->size + 1;

    memcpy(&first, node->data, sizeof(first));
    if (!pages_claim(pages, first, 1, by) || !pages_read(pages, first, 0, &head, sizeof(head)))
        return;
    if (head.number != first || head.flags != PAGE_OVERFLOW || head.pages < least)
        pages_tell(pages, first, "it should hold the value of a row of page %" PRIu64, by);
    else if ((head.pages == 1 || pages_claim(pages, first + 1, head.pages - 1, by)) &&
             is_whole(pages, first, head.pages))
        pages->overflow += pages->resuming ? 0 : head.pages;
}

static void take_leaf(struct pages *pages, const uint8_t *page, uint64_t number)
{
    unsigned nodes = page_nodes(page);

    for (unsigned n = 0; n < nodes; n++) {
        struct node node;

        page_node(page, n, &node);
        if (!is_in_order(pages, &node, false)) {
            pages_tell(pages, number, "its keys are not in order");
            return;
        }
        if ((node.flags & NODE_BIG) != 0)
            take_overflow(pages, &node, number);
        if (pages->numbers)
            pages_free_list(pages, number, &node);
        else if (node.flags == NODE_TREE)
            pages_add_tree(pages, number, &node);
    }
    pages->leaf += pages->resuming ? 0 : 1;
    pages->entries += pages->resuming ? 0 : nodes;
}

/* False: it is time for a pause. The leaf that a walk goes on at has been walked before. */
static bool after_leaf(struct pages *pages)
{
    bool went_on = pages->resuming;

    pages->resuming = false;
    if (went_on || pages->pause == NULL || !pages->has_last)
        return true;
    pages->from = pages->last;
    return !pages->pause(pages->pause_context);
}

/* ---- branches ---- */

static bool walk_page(struct pages *pages, uint64_t number, uint64_t by, unsigned level);

/* All keys below the nth child are at or before from. */
static bool is_behind(const struct pages *pages, const uint8_t *page, unsigned n)
{
    struct node next;

    if (!pages->resuming || n + 1 >= page_nodes(page))
        return false;
    page_node(page, n + 1, &next);
    return compare(pages, next.key, next.key_length, pages->from.bytes, pages->from.length) <= 0;
}

static bool walk_branch(struct pages *pages, const uint8_t *page, uint64_t number, unsigned level)
{
    pages->branch += pages->resuming ? 0 : 1;
    for (unsigned n = 0; n < page_nodes(page); n++) {
        struct node node;

        page_node(page, n, &node);
        if (n > 0 && !is_in_order(pages, &node, true)) {
            pages_tell(pages, number, "its keys are not in order");
            return true;
        }
        if (!is_behind(pages, page, n) && !walk_page(pages, node.child, number, level + 1))
            return false;
    }
    return true;
}

/* False: paused. */
static bool walk_page(struct pages *pages, uint64_t number, uint64_t by, unsigned level)
{
    bool leaf = level + 1 == pages->tree->depth;
    uint8_t *page;

    if (pages->level[level] == NULL)
        pages->level[level] = mem_alloc(pages->size);
    page = pages->level[level];
    if (!pages_claim(pages, number, 1, by) || !pages_read(pages, number, 0, page, pages->size) ||
        !page_is_sound(pages, page, number, leaf ? PAGE_LEAF : PAGE_BRANCH)) {
        pages->resuming = false;
        return true;
    }
    if (!leaf)
        return walk_branch(pages, page, number, level);
    take_leaf(pages, page, number);
    return after_leaf(pages);
}

/* ---- the tree ---- */

static void compare_counts(struct pages *pages)
{
    const struct index_tree *tree = pages->tree;

    if (pages->damaged || !pages->tree_steady)
        return;
    if (tree->entries != pages->entries)
        pages_tell(pages, tree->root, "the tree counts %zu rows, and has %zu", tree->entries,
                   pages->entries);
    else if (tree->branch != pages->branch || tree->leaf != pages->leaf ||
             tree->overflow != pages->overflow)
        pages_tell(pages, tree->root, "the tree counts %zu pages, and has %zu",
                   tree->branch + tree->leaf + tree->overflow,
                   pages->branch + pages->leaf + pages->overflow);
}

static void begin(struct pages *pages)
{
    pages->resuming = pages->from.length > 0;
    pages->has_last = false;
    if (pages->resuming)
        return;
    pages->tree_steady = true;
    pages->damaged = false;
    pages->branch = pages->leaf = pages->overflow = pages->entries = 0;
}

bool pages_walk_tree(struct pages *pages, const char *name, const struct index_tree *tree)
{
    pages->name = name;
    pages->tree = tree;
    pages->numbers = tree == &pages->meta.trees[TREE_OF_FREE_PAGES];
    begin(pages);
    if (tree->depth > LEVELS_MOST || (tree->depth == 0) != (tree->root == TREE_EMPTY))
        pages_tell(pages, 0, "the tree has a depth of %u", tree->depth);
    else if (tree->depth > 0 && !walk_page(pages, tree->root, 0, 0))
        return false;
    compare_counts(pages);
    pages->from.length = 0;
    return true;
}
