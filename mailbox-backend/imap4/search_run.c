#include "mailbox-backend/imap4/search_run.h"

#include "mailbox-backend/imap4/message_limit.h"
#include "mailbox-backend/mime/summary.h"

#define WORK_BYTES ((uint64_t)4 << 20) /* content read in one step */

void search_run_release(struct command *command, struct search_run *run)
{
    search_hint_end(command, &run->search);
    search_release(&run->search);
    arena_reset(&run->moment);
}

/* ---- a slice, in a snapshot ---- */

/* The kept envelope, where keys need one and there is one. */
static const struct search_envelope *kept_envelope(struct command *command, struct search_run *run,
                                                   struct store_read *read, uint32_t uid,
                                                   struct search_envelope *envelope)
{
    struct mime_summary summary;
    size_t length;

    if (store_summary_get(read, command->imap->view->folder, uid, run->summary, &length, NULL) !=
            ERR_NONE ||
        mime_summary_open(run->summary, length, &summary, NULL) != ERR_NONE ||
        !search_envelope_read(envelope, &run->moment, summary.envelope,
                              run->search.needs_addresses))
        return NULL;
    return envelope;
}

static enum truth decide(struct command *command, struct search_run *run, struct store_read *read,
                         const struct store_item *item)
{
    struct search_facts facts = {
        .view = command->imap->view, .item = item, .hint = run->search.hint};
    struct search_envelope envelope;
    enum truth truth = search_decide(run->search.root, &facts, &run->moment);

    if (truth == TRUTH_UNKNOWN && run->search.needs_envelope) {
        facts.envelope = kept_envelope(command, run, read, item->uid, &envelope);
        truth = search_decide(run->search.root, &facts, &run->moment);
    }
    arena_reset(&run->moment);
    return truth;
}

static enum err_code read_slice(struct command *command, struct search_run *run,
                                struct store_read *read, struct err *err)
{
    uint32_t folder = command->imap->view->folder;
    struct uid_range range = uidset_next_range(&command->uids, run->next_uid);

    run->progress.done += run->count;
    run->at = run->count = 0;
    for (; range.first != 0 && run->count < SEARCH_SLICE;
         range = uidset_next_range(&command->uids, run->next_uid)) {
        size_t count;

        if (store_item_scan(read, folder, range.first, range.last, 0, run->items + run->count,
                            SEARCH_SLICE - run->count, &count, err) != ERR_NONE)
            return err->code;
        run->count += count;
        run->next_uid =
            (run->count == SEARCH_SLICE ? run->items[SEARCH_SLICE - 1].uid : range.last) + 1;
    }
    if (range.first == 0)
        run->next_uid = 0;
    for (size_t i = 0; i < run->count; i++)
        run->truths[i] = decide(command, run, read, &run->items[i]);
    return ERR_NONE;
}

/* Uids without anything else are enough. */
static void take_slice(struct command *command, struct search_run *run)
{
    struct uid_range range = uidset_next_range(&command->uids, run->next_uid);

    run->progress.done += run->count;
    run->at = run->count = 0;
    while (range.first != 0 && run->count < SEARCH_SLICE) {
        run->truths[run->count] = TRUTH_YES;
        run->items[run->count++].uid = range.first;
        range = range.first < range.last ? (struct uid_range){range.first + 1, range.last}
                                         : uidset_next_range(&command->uids, range.last + 1);
    }
    run->next_uid = range.first;
}

static enum err_code next_slice(struct command *command, struct search_run *run, struct err *err)
{
    struct store_read *read;
    enum err_code code;

    if (run->is_settled) {
        take_slice(command, run);
        return ERR_NONE;
    }
    code = store_read_begin(command->mailbox, &read, err);
    if (code != ERR_NONE)
        return code;
    code = read_slice(command, run, read, err);
    store_read_end(&read);
    return code;
}

/* ---- messages that must be read ---- */

enum err_code search_run_open(struct command *command, const struct store_item *item,
                              struct store_content **content, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(command->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_content_open(read, item, content, err);
    store_read_end(&read);
    return code;
}

/* A message that was expunged since the slice was read is no hit. */
static enum err_code read_message(struct command *command, struct search_run *run,
                                  const struct store_item *item, bool *found, struct err *err)
{
    struct store_content *content;
    enum err_code code = search_run_open(command, item, &content, err);

    *found = false;
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    code =
        search_message(&run->search, command->imap->view, item, content, &run->moment, found, err);
    store_content_close(&content);
    arena_reset(&run->moment);
    return code;
}

/* ---- the whole ---- */

enum slice_end { SLICE_DONE, SLICE_STEP, SLICE_FAILED };

static enum slice_end finish_slice(struct command *command, struct search_run *run,
                                   uint64_t *budget, enum step *step, struct err *err)
{
    for (; run->at < run->count && !run->enough; run->at++) {
        const struct store_item *item = &run->items[run->at];
        bool found = run->truths[run->at] == TRUTH_YES;

        *step = STEP_MORE;
        if (!command_has_room(command))
            return SLICE_STEP;
        *step = STEP_WORK;
        if (run->truths[run->at] == TRUTH_UNKNOWN) {
            if ((command->why & WHY_WORKER) == 0 || *budget == 0)
                return SLICE_STEP;
            if (read_message(command, run, item, &found, err) != ERR_NONE)
                return SLICE_FAILED;
            *budget = *budget > item->size ? *budget - item->size : 0;
        }
        if (!found)
            continue;
        if (run->hit(command, item, err) != ERR_NONE)
            return SLICE_FAILED;
        *budget = *budget > run->hit_cost ? *budget - run->hit_cost : 0;
    }
    return SLICE_DONE;
}

static enum err_code take_hint(struct command *command, struct search_run *run, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(command->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    run->wants_hint = false;
    search_hint_begin(command, &run->search, read);
    store_read_end(&read);
    return ERR_NONE;
}

/* One slice a step on the loop; on a worker as many as the bytes allow. */
static bool go(struct command *command, struct search_run *run, enum step *step, struct err *err)
{
    uint64_t budget = WORK_BYTES;

    *err = (struct err){0};
    *step = STEP_WORK;
    if (run->wants_hint && (command->why & WHY_WORKER) == 0)
        return false;
    if (run->wants_hint && take_hint(command, run, err) != ERR_NONE)
        return true;
    do {
        enum slice_end end = finish_slice(command, run, &budget, step, err);

        if (end != SLICE_DONE)
            return end == SLICE_FAILED;
        if (run->next_uid == 0 || run->enough)
            return true;
        if (next_slice(command, run, err) != ERR_NONE)
            return true;
        budget = budget > SEARCH_SLICE ? budget - SEARCH_SLICE : 0;
    } while ((command->why & WHY_WORKER) != 0 && budget > 0);
    *step = STEP_NEXT;
    return false;
}

bool search_run_go(struct command *command, struct search_run *run, enum step *step,
                   struct err *err)
{
    bool ended = go(command, run, step, err);

    if (!ended)
        progress_tell(command, &run->progress);
    return ended;
}

/* ---- the beginning ---- */

static bool is_unseen(const struct search_key *key)
{
    return key->kind == SEARCH_NOT && key->children->kind == SEARCH_FLAG &&
           key->children->number == FLAG_SEEN;
}

static void take_candidates(const struct view *view, const struct search_key *key,
                            struct uidset *uids)
{
    struct uidset numbers = {0};

    if (key->kind == SEARCH_UIDS) {
        view_known_uids(view, key->set, uids);
        return;
    }
    uidset_copy(&numbers, key->set);
    if (view_count(view) < UINT32_MAX)
        uidset_remove_range(&numbers, view_count(view) + 1, UINT32_MAX);
    view_uids_of(view, &numbers, uids);
    uidset_release(&numbers);
}

/* Messages that a set among the outer keys leaves out need not be looked at, nor, where one is UNSEEN, those
   that are seen. */
static enum err_code choose_candidates(struct command *command, struct search_run *run,
                                       struct store_read *read, struct err *err)
{
    const struct search *search = &run->search;
    const struct view *view = command->imap->view;
    struct uidset unseen = {0};
    enum err_code code;

    for (const struct search_key *key = search->root->children; key != NULL; key = key->next) {
        if (key->kind == SEARCH_UIDS || key->kind == SEARCH_NUMBERS) {
            take_candidates(view, key, &command->uids);
            return ERR_NONE;
        }
        if (is_unseen(key) && store_uids_are_kept(read, view->folder)) {
            code = store_unseen(read, view->folder, &unseen, err);
            view_known_uids(view, &unseen, &command->uids);
            uidset_release(&unseen);
            run->is_settled =
                run->wants_uids && search->root->children->next == NULL && !search->has_modseq;
            return code;
        }
    }
    uidset_copy(&command->uids, &view->uids);
    return ERR_NONE;
}

/* Keywords that others made since are to be found as well. */
static bool prepare(struct command *command, struct search_run *run)
{
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return false;
    code = flags_refresh(command, read, &err);
    if (code == ERR_NONE)
        code = choose_candidates(command, run, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

static bool respect_limit(struct command *command, const struct search_run *run)
{
    if (run->limit == SEARCH_CUT)
        message_limit_cut(command, &command->uids);
    return run->limit != SEARCH_REFUSE || message_limit_allows(command, uidset_size(&command->uids),
                                                               message_limit(command->imap), 0);
}

bool search_run_take(struct command *command, struct search_run *run)
{
    if (!search_take(command, &run->search))
        return false;
    if (run->search.has_modseq)
        condstore_enable(command);
    run->next_uid = 1;
    run->wants_hint = run->search.content_count > 0;
    if (!prepare(command, run) || !respect_limit(command, run))
        return false;
    progress_begin(&run->progress, uidset_size(&command->uids));
    return true;
}
