/* COPY and MOVE. Up to COPY_AT_ONCE items are one transaction. A larger copy fills a claim in slices
   and makes it visible in the end; a larger move goes in slices that are each a whole move. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/copy.h"
#include "mailbox-backend/store/hold.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/remove.h"
#include "mailbox-backend/store/vanished.h"

/* ---- the journal ---- */

static void note(struct copy_run *run, const struct uidset *source, uint32_t first,
                 uint64_t first_item, uint64_t modseq, bool claim)
{
    struct batch *batch = run->batch;
    Journal__Operation *operation = journal_add(batch, run->source, modseq);
    Journal__Copy *copy = arena_alloc(&batch->arena, sizeof(*copy));

    journal__copy__init(copy);
    operation->what_case =
        run->is_move ? JOURNAL__OPERATION__WHAT_MOVE : JOURNAL__OPERATION__WHAT_COPY;
    operation->copy = copy;
    copy->n_ranges = source->count;
    copy->ranges = journal_ranges(batch, source);
    copy->target = run->target->folder;
    copy->first = first;
    copy->first_item_id = first_item;
    copy->claim = claim;
}

static void note_claim(const struct copy_run *run, Journal__Operation__WhatCase what,
                       uint32_t count, uint64_t modseq)
{
    Journal__Operation *operation = journal_add(run->batch, run->target, modseq);
    Journal__Claim *claim = arena_alloc(&run->batch->arena, sizeof(*claim));

    journal__claim__init(claim);
    claim->first = run->copy->first;
    claim->count = count;
    operation->what_case = what;
    operation->claim_begin = claim; /* a union: claim_end too */
}

/* ---- a slice of items ---- */

uint32_t copy_at_once(const struct copy_run *run)
{
    uint32_t set = run->batch->database->store->settings.copy_at_once;

    return set == 0 ? COPY_AT_ONCE : set;
}

static uint32_t slice_items(const struct copy_run *run)
{
    uint32_t most = copy_at_once(run);

    return most < SLICE_RECORDS ? most : SLICE_RECORDS;
}

static void count_items(struct copy_run *run, const struct store_item *item)
{
    struct copy *copy = run->copy;

    copy->filled_bytes += item->size;
    copy->unseen += (item->flags.system & FLAG_SEEN) == 0;
    copy->deleted += (item->flags.system & FLAG_DELETED) != 0;
}

/* Copies up to most items, from where the task stands, to uids behind those that are filled. The
   source's uids are added to done. */
static enum err_code copy_items(struct copy_run *run, uint32_t most, uint64_t modseq,
                                struct uidset *done, struct err *err)
{
    struct task *task = run->task;
    struct copy *copy = run->copy;
    enum err_code code = ERR_NONE;

    for (uint32_t n = 0; n < most && code == ERR_NONE; n++) {
        struct store_item item;
        struct store_item before;
        uint64_t read_modseq;

        code = item_next_in(run->source, task->op->uids, &task->next_uid, &item, &read_modseq, err);
        if (code == ERR_NONE && item.uid >= copy->source_end)
            code = ERR_NOT_FOUND;
        if (code != ERR_NONE)
            break;
        before = item;
        code = copy_item(run, &item, copy->first + copy->filled, modseq, err);
        if (code != ERR_NONE)
            return code == ERR_NOT_FOUND ? err_set(err, ERR_CORRUPT, "content is missing") : code;
        copy->filled++;
        run->batch->records++;
        uidset_add(done, before.uid);
        count_items(run, &item);
        if (run->is_move)
            folder_count(run->batch, run->source, &before, -1);
    }
    return code;
}

/* count copied items become visible in the target. */
static void show(struct copy_run *run, uint32_t count)
{
    struct copy *copy = run->copy;
    struct folder_state *state = &run->target->state;
    struct mailbox_state *mailbox = &run->target->mailbox->state;

    folder_slot_change(run->batch, run->target, CHANGE_NEW);
    state->messages += count;
    state->bytes += copy->filled_bytes;
    state->unseen += copy->unseen;
    state->deleted += copy->deleted;
    if (!run->is_move) {
        mailbox_slot_change(run->batch, run->target->mailbox);
        mailbox->messages += count;
        mailbox->bytes += copy->filled_bytes;
    }
    if (run->target->arrived == 0)
        run->target->arrived = copy->first;
}

static void tell(struct copy_run *run, const struct uidset *done, uint64_t modseq)
{
    struct store_op *op = run->task->op;

    for (size_t i = 0; i < done->count; i++)
        uidset_add_range(&op->out.copy.source, done->ranges[i].first, done->ranges[i].last);
    op->modseq = modseq;
    op->out.copy.uid_validity = run->target->state.uid_validity;
    op->out.copy.first = run->copy->first;
}

/* ---- visible at once: a small copy, a move or a slice of one ---- */

static enum err_code show_now(struct copy_run *run, const struct uidset *done, uint32_t count,
                              uint64_t first_item, struct err *err)
{
    struct batch *batch = run->batch;
    uint64_t modseq = batch_modseq(batch, run->target, CHANGE_NEW);
    uint32_t first;
    enum err_code code = insert_uids(batch, run->target, count, &first, err);

    if (code == ERR_NONE)
        code = blocks_close(run->target, first, count, err);
    if (code == ERR_NONE && run->is_move) {
        folder_slot_change(batch, run->source, CHANGE_GONE);
        run->source->state.highest_modseq = modseq;
        code = vanished_put(batch, run->source, modseq, done, err);
    }
    note(run, done, first, run->is_move ? 0 : first_item, modseq, false);
    show(run, count);
    tell(run, done, modseq);
    return code;
}

static enum err_code copy_now(struct copy_run *run, uint32_t most, struct err *err)
{
    struct copy *copy = run->copy;
    uint32_t before = copy->filled;
    uint64_t first_item = run->source->mailbox->state.next_item;
    uint64_t modseq = run->source->mailbox->state.modseq + 1; /* what show_now() will be given */
    struct uidset done = {0};
    enum err_code code = copy_items(run, most, modseq, &done, err);

    run->task->outcome = code == ERR_NONE && copy->large ? OUTCOME_MORE : OUTCOME_DONE;
    if (code == ERR_NOT_FOUND)
        code = ERR_NONE;
    if (code == ERR_NONE && copy->filled > before)
        code = show_now(run, &done, copy->filled - before, first_item, err);
    copy->filled_bytes = copy->unseen = copy->deleted = 0;
    uidset_release(&done);
    return code;
}

/* ---- a claim ---- */

static enum err_code claim(struct copy_run *run, struct err *err)
{
    struct copy *copy = run->copy;
    struct folder_slot *target = run->target;

    folder_slot_change(run->batch, target, 0);
    target->state.claim_first = copy->first;
    target->state.claim_count = copy->count;
    copy->modseq = target->mailbox->state.modseq + CLAIM_MODSEQ_AHEAD;
    note_claim(run, JOURNAL__OPERATION__WHAT_CLAIM_BEGIN, copy->count, 0);
    hold_set(run->batch->database, target->mailbox->number, target->folder, run->task->op, true);
    return pending_put(run->batch, target->mailbox->number, target->folder, PENDING_CLAIM,
                       str_of(""), err);
}

static enum err_code end_claim(struct copy_run *run, struct err *err)
{
    struct copy *copy = run->copy;
    struct folder_slot *target = run->target;
    struct mailbox_state *mailbox = &target->mailbox->state;
    uint32_t first;
    enum err_code code;

    if (mailbox->modseq >= copy->modseq)
        return err_set(err, ERR_UNAVAILABLE, "the mailbox changed too often during a large copy");
    mailbox_slot_change(run->batch, target->mailbox);
    mailbox->modseq = copy->modseq - 1;
    batch_modseq(run->batch, target, CHANGE_NEW);
    target->state.claim_first = 0;
    target->state.claim_count = 0;
    code = insert_uids(run->batch, target, copy->filled, &first, err);
    if (code == ERR_NONE)
        code = blocks_close(target, first, copy->filled, err);
    if (code == ERR_NONE)
        code = pending_remove(run->batch, target->mailbox->number, target->folder, err);
    if (code == ERR_NONE)
        show(run, copy->filled);
    return code;
}

static enum err_code fill_claim(struct copy_run *run, struct err *err)
{
    struct copy *copy = run->copy;
    uint32_t first = copy->first + copy->filled;
    uint64_t first_item = run->source->mailbox->state.next_item;
    struct uidset done = {0};
    enum err_code code = copy_items(run, slice_items(run), copy->modseq, &done, err);

    bool ends = code == ERR_NOT_FOUND;

    run->task->outcome = code == ERR_NONE ? OUTCOME_MORE : OUTCOME_DONE;
    if (ends)
        code = end_claim(run, err);
    if (code == ERR_NONE && !uidset_is_empty(&done))
        note(run, &done, first, first_item, copy->modseq, true);
    if (code == ERR_NONE && ends)
        note_claim(run, JOURNAL__OPERATION__WHAT_CLAIM_END, copy->filled, copy->modseq);
    if (code == ERR_NONE)
        tell(run, &done, copy->modseq);
    uidset_release(&done);
    return code;
}

/* ---- planning ---- */

static enum err_code find_target(struct copy_run *run, struct err *err)
{
    struct task *task = run->task;
    enum err_code code = op_target(run->batch, task, err);

    run->source = task->folder;
    if (code == ERR_NONE)
        code = batch_folder(run->batch, task->mailbox, task->op->in.copy.target, &run->target, err);
    if (code == ERR_NONE && task->op->in.copy.target == STORE_ROOT_FOLDER)
        code = err_set(err, ERR_DENIED, "the root holds no items");
    return code;
}

/* A mailbox has one claim at a time: its modseq lies ahead of the mailbox's. Told without a survey,
   which would read the whole folder again in each batch that it waits for. */
static bool is_taken(const struct copy_run *run)
{
    const struct task *task = run->task;

    return task->copy == NULL && run->source->state.messages > copy_at_once(run) &&
           uidset_size(task->op->uids) > copy_at_once(run) &&
           hold_find(run->batch->database, task->mailbox->number, 0) != NULL;
}

/* OUTCOME_DONE: it need not wait. */
static enum outcome must_wait(const struct copy_run *run)
{
    if (run->batch->records >= SLICE_RECORDS)
        return OUTCOME_FULL;
    if (is_taken(run))
        return OUTCOME_WAIT;
    return hold_blocks(run->batch->database, run->target, run->task->op) ? OUTCOME_WAIT
                                                                         : OUTCOME_DONE;
}

/* Everything that can be in the way of the whole. */
static enum err_code check(struct copy_run *run, struct err *err)
{
    struct store_op *op = run->task->op;
    struct copy *copy = run->copy;
    enum err_code code = ERR_NONE;

    if (copy->count > UID_MAX - run->target->state.uid_next)
        return err_set(err, ERR_LIMIT, "the folder has no uids left");
    if (!run->is_move)
        code = batch_check_room(run->batch, err);
    if (code == ERR_NONE && !run->is_move) {
        code = quota_check(run->task->mailbox, copy->bytes, copy->count, op->in.copy.quota_bytes,
                           op->in.copy.quota_messages, err);
        op->over_quota = code == ERR_LIMIT;
    }
    if (code == ERR_NONE)
        code = copy_keywords(run, err);
    return code;
}

/* Looks at what is to be done. ERR_NONE with copy->count 0 for nothing. */
static enum err_code begin(struct copy_run *run, struct err *err)
{
    struct task *task = run->task;
    struct copy *copy = mem_alloc(sizeof(*copy));
    enum err_code code;

    task->copy = run->copy = copy;
    copy->source_end = run->source->state.uid_next;
    copy->first = run->target->state.uid_next;
    code = copy_survey(run, err);
    if (code == ERR_NONE && copy->count > 0)
        code = check(run, err);
    copy->large = copy->count > copy_at_once(run);
    return code;
}

static enum err_code start(struct copy_run *run, struct err *err)
{
    struct task *task = run->task;
    const struct folder_slot *target = run->target;

    if (run->copy->count == 0)
        return ERR_NONE;
    if (!run->copy->large)
        return copy_now(run, copy_at_once(run), err);
    task->outcome = OUTCOME_MORE;
    if (!run->is_move)
        return claim(run, err);
    hold_set(run->batch->database, target->mailbox->number, target->folder, task->op, false);
    return ERR_NONE;
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    struct copy_run run = {
        .batch = batch, .task = task, .copy = task->copy, .is_move = task->op->kind == OP_MOVE};
    enum err_code code = find_target(&run, err);

    if (code != ERR_NONE)
        return code;
    task->outcome = must_wait(&run);
    if (task->outcome != OUTCOME_DONE)
        return ERR_NONE;
    keyword_map_init(&run.map);
    if (task->copy == NULL) {
        code = begin(&run, err);
        if (code != ERR_NONE)
            return code;
        code = start(&run, err);
    } else if (run.is_move) {
        code = copy_now(&run, slice_items(&run), err);
    } else {
        code = fill_claim(&run, err);
        if (code != ERR_NONE && !index_is_broken(batch->txn, NULL)) {
            task->late = *err; /* the claim is taken back later */
            return ERR_NONE;
        }
    }
    if (code != ERR_NONE)
        index_break(batch->txn, err); /* rows were written */
    return ERR_NONE;
}

const struct op_table op_copy = {plan, NULL};
