/* What the files of pages share: the layout of LMDB 0.9 (data version 1), and the state of a walk. */
#ifndef STORE_PAGES_PRIVATE_H
#define STORE_PAGES_PRIVATE_H

#include "mailbox-backend/store/index_meta.h"
#include "mailbox-backend/store/pages.h"

#define PAGE_HEAD 16u
#define NODE_HEAD 8u
#define PAGE_KEY_MOST 511u
#define PAGE_BRANCH 1u
#define PAGE_LEAF 2u
#define PAGE_OVERFLOW 4u
#define NODE_BIG 1u  /* the value is in overflow pages, whose first is named */
#define NODE_TREE 2u /* the value is a tree */
#define TREE_EMPTY SIZE_MAX
#define LEVELS_MOST 32u

#define TREES_MOST 32u
#define TREE_NAME_MOST 32u

struct page_head {
    uint64_t number;
    uint16_t pad, flags;
    union {
        struct {
            uint16_t lower, upper;
        };
        uint32_t pages; /* of an overflow */
    };
};

struct node {
    const uint8_t *key;
    size_t key_length;
    uint16_t flags;      /* of a leaf */
    uint64_t child;      /* of a branch */
    const uint8_t *data; /* of a leaf: in the page, the value, or with NODE_BIG the page's number */
    size_t data_length;  /* of the value */
};

struct named_tree {
    char name[TREE_NAME_MOST];
    struct index_tree tree;
};

struct page_key {
    size_t length;
    uint8_t bytes[PAGE_KEY_MOST];
};

struct pages {
    int fd;
    pages_found_fn *found;
    void *context;
    uint32_t size; /* of a page */
    bool opened;   /* there was a transaction */
    struct index_meta meta;
    uint8_t *seen; /* of all pages up to the last: one bit each */
    uint8_t *level[LEVELS_MOST];

    /* All tables; known once the tree of tables was walked. */
    struct named_tree trees[TREES_MOST];
    unsigned tree_count;
    bool tables_are_bad;

    /* The walk stands here. */
    bool steady;               /* it saw one transaction only */
    bool tree_steady;          /* and this tree did */
    char done[TREE_NAME_MOST]; /* the last table that was walked */
    struct page_key from;      /* of the table behind it: all up to this key was */

    /* The tree that is walked. */
    const char *name;
    const struct index_tree *tree;
    bool numbers;  /* its keys are numbers of transactions */
    bool resuming; /* on the way to from: pages may have been seen */
    bool damaged;  /* counts would only repeat it */
    struct page_key last;
    bool has_last, last_is_bound; /* the first key of a page may be equal to its bound */
    size_t branch, leaf, overflow, entries;
    bool (*pause)(void *context);
    void *pause_context;
};

void pages_tell(struct pages *pages, uint64_t page, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Marks count pages; false, and told, when one is out of range or marked already. by: the page that names
   them. */
bool pages_claim(struct pages *pages, uint64_t first, uint64_t count, uint64_t by);

/* False, and told, when not all can be read. */
bool pages_read(struct pages *pages, uint64_t page, size_t offset, void *bytes, size_t length);

/* Looks at the page by itself; false, and told, when it is not sound. */
bool page_is_sound(struct pages *pages, const uint8_t *page, uint64_t number, unsigned kind);
unsigned page_nodes(const uint8_t *page);
void page_node(const uint8_t *page, unsigned n, struct node *node);

/* Walks one tree. False: paused, from says where. */
bool pages_walk_tree(struct pages *pages, const char *name, const struct index_tree *tree);

/* The value of a node of the tree of free pages: none of them is used. */
void pages_free_list(struct pages *pages, uint64_t page, const struct node *node);

/* A row of the tree of tables. */
void pages_add_tree(struct pages *pages, uint64_t page, const struct node *node);

#endif
