#include "mailbox-backend/mailbox/view.h"

#include <assert.h>
#include <stdlib.h>

#include "common/mem.h"

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* ---- sequence numbers ---- */

static void count_uids(struct view *view)
{
    uint32_t count = 0;

    view->count = (uint32_t)uidset_size(&view->uids);
    if (view->unnumbered)
        return;
    view->before = mem_grow(view->before, view->uids.count + 1, sizeof(*view->before));
    for (size_t i = 0; i < view->uids.count; i++) {
        view->before[i] = count;
        count += view->uids.ranges[i].last - view->uids.ranges[i].first + 1;
    }
    view->before[view->uids.count] = count;
}

uint32_t view_count(const struct view *view)
{
    return view->count;
}

void view_stop_numbers(struct view *view)
{
    view->unnumbered = true;
    free(view->before);
    view->before = NULL;
}

uint32_t view_sequence(const struct view *view, uint32_t uid)
{
    size_t low = 0;
    size_t high = view->uids.count;

    assert(!view->unnumbered);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct uid_range *range = &view->uids.ranges[middle];

        if (uid < range->first)
            high = middle;
        else if (uid > range->last)
            low = middle + 1;
        else
            return view->before[middle] + (uid - range->first) + 1;
    }
    return 0;
}

/* The range that holds a sequence number, which must exist. */
static size_t range_of(const struct view *view, uint32_t sequence)
{
    size_t low = 0;
    size_t high = view->uids.count;

    assert(!view->unnumbered);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (view->before[middle] < sequence)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t view_uid(const struct view *view, uint32_t sequence)
{
    size_t range;

    if (sequence == 0 || sequence > view_count(view))
        return 0;
    range = range_of(view, sequence);
    return view->uids.ranges[range].first + (sequence - view->before[range]) - 1;
}

static void add_uids_of(const struct view *view, uint32_t first, uint32_t last, struct uidset *uids)
{
    for (size_t i = range_of(view, first); i < view->uids.count && view->before[i] < last; i++) {
        uint32_t from = greater(first, view->before[i] + 1);
        uint32_t to = lesser(last, view->before[i + 1]);

        uidset_add_range(uids, view->uids.ranges[i].first + (from - view->before[i]) - 1,
                         view->uids.ranges[i].first + (to - view->before[i]) - 1);
    }
}

bool view_uids_of(const struct view *view, const struct uidset *sequences, struct uidset *uids)
{
    if (uidset_last(sequences) > view_count(view))
        return false;
    for (size_t i = 0; i < sequences->count; i++)
        add_uids_of(view, sequences->ranges[i].first, sequences->ranges[i].last, uids);
    return true;
}

void view_known_uids(const struct view *view, const struct uidset *wanted, struct uidset *uids)
{
    uidset_add_common(uids, &view->uids, wanted);
}

/* ---- \Recent ---- */

static uint32_t recent_from(const struct view *view, uint32_t uid_next)
{
    return view->claims_recent ? store_recent_claim(view->mailbox, view->folder, uid_next)
                               : store_recent_peek(view->mailbox, view->folder);
}

bool view_is_recent(const struct view *view, uint32_t uid)
{
    return uidset_has(&view->recent, uid);
}

uint32_t view_recent_count(const struct view *view)
{
    return (uint32_t)uidset_size(&view->recent);
}

/* ---- the whole ---- */

enum err_code view_open(struct view *view, struct store_mailbox *mailbox, struct store_read *read,
                        const struct store_folder *folder, bool claim, struct err *err)
{
    *view = (struct view){
        .mailbox = mailbox,
        .folder = folder->id,
        .uid_validity = folder->uid_validity,
        .claims_recent = claim,
        .uid_next = folder->uid_next,
        .modseq = folder->highest_modseq,
        .mailbox_modseq = store_read_modseq(read),
    };
    if (store_uids(read, folder->id, 1, &view->uids, err) != ERR_NONE ||
        keyword_list_read(&view->keywords, read, folder->id, NULL, err) != ERR_NONE ||
        store_uids(read, folder->id, recent_from(view, folder->uid_next), &view->recent, err) !=
            ERR_NONE) {
        view_close(view);
        return err->code;
    }
    count_uids(view);
    return ERR_NONE;
}

void view_close(struct view *view)
{
    uidset_release(&view->uids);
    uidset_release(&view->gone);
    uidset_release(&view->recent);
    keyword_list_release(&view->keywords);
    free(view->before);
    *view = (struct view){0};
}

/* ---- news ---- */

static enum err_code find_gone(struct view *view, struct store_read *read, struct err *err)
{
    struct uidset vanished = {0};
    struct uidset present = {0};
    bool complete = true;
    enum err_code code =
        store_vanished(read, view->folder, view->modseq, &vanished, &complete, err);

    if (code == ERR_NONE && !complete)
        code = store_uids(read, view->folder, 1, &present, err);
    if (code == ERR_NONE && complete)
        uidset_add_common(&view->gone, &view->uids, &vanished);
    else if (code == ERR_NONE)
        uidset_add_missing(&view->gone, &view->uids, &present);
    uidset_release(&vanished);
    uidset_release(&present);
    return code;
}

static enum err_code find_arrived(struct view *view, struct store_read *read,
                                  struct view_news *news, struct err *err)
{
    if (news->uid_next == view->uid_next)
        return ERR_NONE;
    if (store_uids(read, view->folder, view->uid_next, &news->arrived, err) != ERR_NONE)
        return err->code;
    news->recent_first = recent_from(view, news->uid_next);
    return ERR_NONE;
}

enum err_code view_look(struct view *view, struct store_read *read, struct view_news *news,
                        struct err *err)
{
    struct store_folder folder;

    *news = (struct view_news){.modseq = view->modseq, .uid_next = view->uid_next};
    if (store_folder_get(read, view->folder, &folder, err) != ERR_NONE)
        return err->code;
    view->mailbox_modseq = store_read_modseq(read);
    if (folder.highest_modseq == view->modseq)
        return ERR_NONE;
    news->modseq = folder.highest_modseq;
    if (uidset_is_empty(&view->gone))
        view->gone_modseq = view->modseq;
    news->uid_next = folder.uid_next;
    news->flags = true;
    if (find_gone(view, read, err) != ERR_NONE)
        return err->code;
    return find_arrived(view, read, news, err);
}

void view_add_arrived(struct view *view, const struct view_news *news)
{
    for (size_t i = 0; i < news->arrived.count; i++) {
        const struct uid_range *range = &news->arrived.ranges[i];
        uint32_t recent = greater(range->first, news->recent_first);

        uidset_add_range(&view->uids, range->first, range->last);
        if (recent <= range->last)
            uidset_add_range(&view->recent, recent, range->last);
    }
    view->uid_next = news->uid_next;
    count_uids(view);
}

void view_drop_gone(struct view *view)
{
    uidset_subtract(&view->uids, &view->gone);
    uidset_subtract(&view->recent, &view->gone);
    uidset_release(&view->gone);
    count_uids(view);
}

void view_told(struct view *view, const struct view_news *news)
{
    view->modseq = news->modseq;
    view->own_first = 0;
    view->own_last = 0;
}

uint64_t view_settled_modseq(const struct view *view)
{
    return uidset_is_empty(&view->gone) ? view->modseq : view->gone_modseq;
}

void view_own_change(struct view *view, uint64_t modseq)
{
    if (modseq == 0 || modseq != view->mailbox_modseq + 1)
        return;
    if (view->own_first == 0)
        view->own_first = modseq;
    view->own_last = modseq;
    view->mailbox_modseq = modseq;
}

bool view_is_own(const struct view *view, uint64_t modseq)
{
    return view->own_first != 0 && modseq >= view->own_first && modseq <= view->own_last;
}
