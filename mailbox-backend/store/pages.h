/* The pages of an index file, looked at without LMDB, which believes whatever a page says: a damaged one
   can end the process. The trees are walked by reading the file as of one snapshot; every page that they
   name must be one of theirs: its number, kind, bounds and rows, the order of keys up and down the tree, the
   same depth of all leaves, no page used twice or free as well, and all counts. What rows say is not looked
   at: they have checksums. Memory: one bit a page, and a page for each level of a tree. */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct pages;

/* table is "" for LMDB's own trees. */
typedef void pages_found_fn(void *context, const char *table, uint64_t page, const char *problem);

/* ERR_CORRUPT: it is no index. found is called by pages_at() and pages_walk(). */
enum err_code pages_open(struct pages **pages, const char *path, pages_found_fn *found,
                         void *context, struct err *err);
void pages_close(struct pages **pages);

/* Looks at the file as transaction txn left it (0: the newest), until it is called again; the snapshot
   must be held meanwhile where somebody writes. A walk that was begun goes on from the same key; what is
   known of the pages is kept when it is the same transaction as before. False: a newer one is being
   committed, or was; a younger snapshot is wanted, a moment later. */
bool pages_at(struct pages *pages, uint64_t txn);

/* Goes on with the walk, until pause (may be NULL; asked after each leaf) says so. True: all was walked.
   only (may be NULL): only the tables with these names, and LMDB's own trees; NULL ends. */
bool pages_walk(struct pages *pages, const char *const *only, bool (*pause)(void *context),
                void *context);

/* Looks at a file that nobody writes to, as above; ERR_CORRUPT: err says the first thing that is wrong. */
enum err_code pages_look(const char *path, const char *const *only, struct err *err);

#endif
