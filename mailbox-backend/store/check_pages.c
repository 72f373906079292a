/* The pages of the index file, before anything else reads them through LMDB. */
#include <inttypes.h>
#include <time.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/pages.h"

#define TOLD_MOST 32u /* where so many pages are damaged, more tell nothing new */

#define ADVICE_REBUILD                                                                             \
    "stop the back end and run database rebuild, which makes the index anew; look at the disk's "  \
    "health (smartctl, dmesg)"

struct page_check {
    struct check *check;
    uint64_t told;
};

static void on_found(void *context, const char *table, uint64_t page, const char *problem)
{
    struct page_check *pass = context;

    if (pass->told++ < TOLD_MOST)
        check_report(pass->check, (struct check_place){0}, ADVICE_REBUILD,
                     "page %" PRIu64 " of the index file is damaged (%s%s): %s", page,
                     *table != 0 ? "table " : "its own lists", table, problem);
}

static bool is_over(void *context)
{
    const struct page_check *pass = context;

    return check_slice_is_over(pass->check) || pass->told >= TOLD_MOST;
}

/* A slice, as of the snapshot. */
static enum err_code slice(struct page_check *pass, struct pages *pages, bool *ended,
                           struct err *err)
{
    static const struct timespec moment = {0, 1000000};
    enum err_code code = check_slice_begin(pass->check, err);
    bool is_there;

    if (code != ERR_NONE)
        return code;
    is_there = pages_at(pages, index_txn_id(pass->check->txn));
    if (is_there)
        *ended = pages_walk(pages, NULL, is_over, pass) || pass->told >= TOLD_MOST;
    code = check_slice_end(pass->check, err);
    if (!is_there)
        nanosleep(&moment, NULL); /* a commit is under way */
    return code;
}

enum err_code check_pages(struct check *check, bool *damaged, struct err *err)
{
    struct page_check pass = {.check = check};
    struct pages *pages;
    bool ended = false;
    enum err_code code =
        pages_open(&pages, index_path(check->database->index), on_found, &pass, err);

    while (code == ERR_NONE && !ended)
        code = slice(&pass, pages, &ended, err);
    pages_close(&pages);
    *damaged = pass.told > 0;
    return code;
}
