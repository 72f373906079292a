/* The meta pages of an index file, as LMDB 0.9 (data version 1) lays them out. */
#ifndef STORE_INDEX_META_H
#define STORE_INDEX_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A tree: LMDB's own, or, as the value of a row of TREE_OF_TABLES, that of a table. */
struct index_tree {
    uint32_t pad; /* in the first of a meta page: the page size */
    uint16_t flags, depth;
    size_t branch, leaf, overflow, entries, root;
};

enum { TREE_OF_FREE_PAGES, TREE_OF_TABLES, TREES_IN_META };

/* The start of a meta page. */
struct index_meta {
    size_t page_number;
    uint16_t pad;
    uint16_t flags;
    uint32_t bounds;
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_size;
    struct index_tree trees[TREES_IN_META];
    size_t last_page;
    size_t txn;
};

/* Reads the one at this place of the file; false when there is none of a known version. */
bool index_meta_read(int fd, off_t at, struct index_meta *meta);

/* Reads both; false when one is none of a known version, or the size of pages makes no sense. */
bool index_metas_read(int fd, struct index_meta metas[2]);

#endif
