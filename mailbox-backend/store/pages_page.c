/* One page by itself. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/pages_private.h"

static struct page_head head_of(const uint8_t *page)
{
    struct page_head head;

    memcpy(&head, page, sizeof(head));
    return head;
}

unsigned page_nodes(const uint8_t *page)
{
    return (head_of(page).lower - PAGE_HEAD) / 2;
}

static uint16_t at16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint16_t place_of(const uint8_t *page, unsigned n)
{
    return at16(page + PAGE_HEAD + 2 * n);
}

void page_node(const uint8_t *page, unsigned n, struct node *node)
{
    const uint8_t *at = page + place_of(page, n);
    uint64_t low = at16(at) | (uint32_t)at16(at + 2) << 16;

    node->flags = at16(at + 4);
    node->child = low | (uint64_t)node->flags << 32;
    node->key_length = at16(at + 6);
    node->key = at + NODE_HEAD;
    node->data = node->key + node->key_length;
    node->data_length = low;
}

/* Bytes that the node takes of its page; 0: it does not lie in it. */
static size_t node_size(const struct pages *pages, const uint8_t *page, unsigned n, bool leaf)
{
    size_t place = place_of(page, n);
    size_t size = NODE_HEAD;
    struct node node;

    if (place < head_of(page).upper || place > pages->size - NODE_HEAD || place % 2 != 0)
        return 0;
    page_node(page, n, &node);
    size += node.key_length;
    if (leaf)
        size += (node.flags & NODE_BIG) != 0 ? sizeof(uint64_t) : node.data_length;
    size += size % 2;
    return size <= pages->size - place ? size : 0;
}

static bool key_is_sound(const struct pages *pages, const struct node *node, bool first_of_branch)
{
    if (first_of_branch)
        return node->key_length <= PAGE_KEY_MOST; /* it is not used */
    if (pages->numbers)
        return node->key_length == sizeof(uint64_t);
    return node->key_length > 0 && node->key_length <= PAGE_KEY_MOST;
}

static bool flags_are_sound(const struct pages *pages, const struct node *node)
{
    if (pages->tree == &pages->meta.trees[TREE_OF_TABLES])
        return node->flags == NODE_TREE && node->data_length == sizeof(struct index_tree);
    return node->flags == 0 || node->flags == NODE_BIG;
}

static bool nodes_are_sound(struct pages *pages, const uint8_t *page, uint64_t number, bool leaf)
{
    size_t sum = 0;

    for (unsigned n = 0; n < page_nodes(page); n++) {
        size_t size = node_size(pages, page, n, leaf);
        struct node node;

        if (size > 0)
            page_node(page, n, &node);
        if (size == 0 || !key_is_sound(pages, &node, !leaf && n == 0) ||
            (leaf && !flags_are_sound(pages, &node))) {
            pages_tell(pages, number, "row %u makes no sense", n);
            return false;
        }
        sum += size;
    }
    if (sum == (size_t)(pages->size - head_of(page).upper))
        return true;
    pages_tell(pages, number, "its rows overlap, or leave gaps");
    return false;
}

bool page_is_sound(struct pages *pages, const uint8_t *page, uint64_t number, unsigned kind)
{
    struct page_head head = head_of(page);
    unsigned least = kind == PAGE_BRANCH && !pages->numbers ? 2 : 1;

    if (head.number != number)
        pages_tell(pages, number, "it says that it is page %" PRIu64, head.number);
    else if (head.flags != kind)
        pages_tell(pages, number, "it should be a %s", kind == PAGE_LEAF ? "leaf" : "branch");
    else if (head.lower < PAGE_HEAD + 2 * least || head.lower % 2 != 0 || head.lower > head.upper ||
             head.upper > pages->size)
        pages_tell(pages, number, "its bounds make no sense");
    else
        return nodes_are_sound(pages, page, number, kind == PAGE_LEAF);
    return false;
}
