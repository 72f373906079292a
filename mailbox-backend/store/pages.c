#include "mailbox-backend/store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/pages_private.h"

#define FIRST_PAGE 2u /* behind the meta pages */
#define FREE_AT_ONCE 512u

enum err_code pages_open(struct pages **out, const char *path, pages_found_fn *found, void *context,
                         struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct index_meta metas[2];

    *out = NULL;
    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    if (!index_metas_read(fd, metas)) {
        close(fd);
        return err_set(err, ERR_CORRUPT, "%s: no index of a known version", path);
    }
    *out = mem_alloc(sizeof(**out));
    (*out)->fd = fd;
    (*out)->found = found;
    (*out)->context = context;
    (*out)->size = metas[0].trees[0].pad;
    (*out)->steady = true;
    return ERR_NONE;
}

void pages_close(struct pages **out)
{
    struct pages *pages = *out;

    *out = NULL;
    if (pages == NULL)
        return;
    for (unsigned i = 0; i < LEVELS_MOST; i++)
        free(pages->level[i]);
    free(pages->seen);
    close(pages->fd);
    free(pages);
}

/* ---- what the files of pages share ---- */

void pages_tell(struct pages *pages, uint64_t page, const char *format, ...)
{
    char problem[120];
    va_list args;

    va_start(args, format);
    vsnprintf(problem, sizeof(problem), format, args);
    va_end(args);
    pages->damaged = true;
    pages->found(pages->context, pages->name, page, problem);
}

bool pages_claim(struct pages *pages, uint64_t first, uint64_t count, uint64_t by)
{
    if (first < FIRST_PAGE || first > pages->meta.last_page ||
        count - 1 > pages->meta.last_page - first) {
        pages_tell(pages, by, "it names page %" PRIu64 ", which is none of the file's", first);
        return false;
    }
    for (uint64_t page = first; page - first < count; page++) {
        uint8_t bit = (uint8_t)(1u << page % 8);

        if ((pages->seen[page / 8] & bit) != 0 && !pages->resuming) {
            pages_tell(pages, by, "it names page %" PRIu64 ", which is used elsewhere too", page);
            return false;
        }
        pages->seen[page / 8] |= bit;
    }
    return true;
}

bool pages_read(struct pages *pages, uint64_t page, size_t offset, void *bytes, size_t length)
{
    off_t at = (off_t)(page * pages->size + offset);
    ssize_t got = pread(pages->fd, bytes, length, at);

    if (got == (ssize_t)length)
        return true;
    pages_tell(pages, page, "it cannot be read: %s", got < 0 ? strerror(errno) : "the file ends");
    return false;
}

/* ---- LMDB's own trees ---- */

void pages_add_tree(struct pages *pages, uint64_t page, const struct node *node)
{
    struct named_tree *tree = &pages->trees[pages->tree_count];

    if (pages->tree_count == TREES_MOST || node->key_length >= TREE_NAME_MOST) {
        pages_tell(pages, page, "it has a table that is none of ours");
        return;
    }
    *tree = (struct named_tree){0};
    memcpy(tree->name, node->key, node->key_length);
    memcpy(&tree->tree, node->data, sizeof(tree->tree));
    pages->tree_count++;
}

/* So many numbers of a list, from the nth on; the value may lie in overflow pages. */
static bool read_free(struct pages *pages, const struct node *node, uint64_t n, uint64_t *numbers,
                      size_t count)
{
    uint64_t first;

    if ((node->flags & NODE_BIG) == 0) {
        memcpy(numbers, node->data + n * sizeof(*numbers), count * sizeof(*numbers));
        return true;
    }
    memcpy(&first, node->data, sizeof(first));
    return pages_read(pages, first, PAGE_HEAD + n * sizeof(*numbers), numbers,
                      count * sizeof(*numbers));
}

/* Numbers of free pages: each is lower than the one before. */
static bool take_free(struct pages *pages, uint64_t page, const uint64_t *numbers, size_t count,
                      uint64_t *before)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] >= *before || numbers[i] < FIRST_PAGE ||
            numbers[i] > pages->meta.last_page) {
            pages_tell(pages, page, "its list of free pages makes no sense");
            return false;
        }
        if (pages->steady && !pages_claim(pages, numbers[i], 1, page))
            return false;
        *before = numbers[i];
    }
    return true;
}

/* A count, and that many numbers of pages. */
void pages_free_list(struct pages *pages, uint64_t page, const struct node *node)
{
    uint64_t numbers[FREE_AT_ONCE];
    uint64_t count = 0, before = UINT64_MAX;
    bool good = node->data_length >= sizeof(count) && read_free(pages, node, 0, &count, 1);

    if (!good || count > node->data_length / sizeof(count) - 1) {
        pages_tell(pages, page, "its list of free pages makes no sense");
        return;
    }
    for (uint64_t n = 0; n < count && good; n += FREE_AT_ONCE) {
        size_t some = count - n < FREE_AT_ONCE ? count - n : FREE_AT_ONCE;

        good = read_free(pages, node, n + 1, numbers, some) &&
               take_free(pages, page, numbers, some, &before);
    }
}

/* ---- a snapshot ---- */

static const struct index_meta *newest(const struct index_meta metas[2])
{
    return &metas[metas[1].txn > metas[0].txn];
}

static void read_tables(struct pages *pages)
{
    struct page_key from = pages->from;
    bool (*pause)(void *context) = pages->pause;

    pages->from.length = 0;
    pages->pause = NULL;
    pages->tree_count = 0;
    pages_walk_tree(pages, "", &pages->meta.trees[TREE_OF_TABLES]);
    pages->tables_are_bad = pages->damaged;
    pages->pause = pause;
    pages->from = from;
}

/* Reading the tables is a walk of its own: what a walk that is under way knew of its tree is lost. */
static void set_meta(struct pages *pages, const struct index_meta *meta)
{
    bool first = !pages->opened;

    if (!first && pages->meta.txn == meta->txn)
        return;
    pages->opened = true;
    pages->meta = *meta;
    free(pages->seen);
    pages->seen = mem_array(meta->last_page / 8 + 1, 1);
    read_tables(pages);
    pages->tree_steady = false;
    pages->steady = first;
}

/* While somebody writes, the meta page of a transaction is certain only as long as no newer one can be seen: the
   second behind it is written over it, and may be there by half. So both are read twice. */
bool pages_at(struct pages *pages, uint64_t txn)
{
    struct index_meta metas[2], again[2];

    if (!index_metas_read(pages->fd, metas) || !index_metas_read(pages->fd, again)) {
        pages->name = "";
        pages_tell(pages, 0, "it is no meta page of a known version");
        pages->tables_are_bad = true;
        return true;
    }
    if (txn != 0 && (newest(metas)->txn != txn || newest(again)->txn != txn))
        return false;
    set_meta(pages, newest(metas));
    return true;
}

/* ---- the walk ---- */

static bool is_wanted(const char *const *only, const char *name)
{
    while (only != NULL && *only != NULL && strcmp(*only, name) != 0)
        only++;
    return only == NULL || *only != NULL;
}

bool pages_walk(struct pages *pages, const char *const *only, bool (*pause)(void *context),
                void *context)
{
    if (pages->tables_are_bad)
        return true;
    pages->pause = pause;
    pages->pause_context = context;
    for (unsigned i = 0; i < pages->tree_count; i++) {
        const struct named_tree *tree = &pages->trees[i];

        if (strcmp(tree->name, pages->done) <= 0 || !is_wanted(only, tree->name))
            continue;
        if (!pages_walk_tree(pages, tree->name, &tree->tree))
            return false;
        memcpy(pages->done, tree->name, sizeof(pages->done));
    }
    pages->pause = NULL; /* a list of free pages is short */
    pages_walk_tree(pages, "", &pages->meta.trees[TREE_OF_FREE_PAGES]);
    return true;
}

/* ---- at an opening ---- */

static void on_first(void *context, const char *table, uint64_t page, const char *problem)
{
    struct err *err = context;

    if (err->code == ERR_NONE)
        err_set(err, ERR_CORRUPT, "page %" PRIu64 " of the index is damaged (%s%s): %s", page,
                *table != 0 ? "table " : "its own lists", table, problem);
}

enum err_code pages_look(const char *path, const char *const *only, struct err *err)
{
    struct err first = {0};
    struct pages *pages;
    enum err_code code = pages_open(&pages, path, on_first, &first, err);

    if (pages == NULL)
        return code;
    pages_at(pages, 0);
    pages_walk(pages, only, NULL, NULL);
    pages_close(&pages);
    return first.code == ERR_NONE ? ERR_NONE : err_set(err, first.code, "%s", first.text);
}
