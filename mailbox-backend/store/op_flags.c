#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/remove.h"

struct store_flags flags_apply(enum store_flags_mode mode, uint32_t system,
                               const uint64_t keywords[2], const struct store_flags *old)
{
    struct store_flags flags = *old;

    switch (mode) {
    case FLAGS_ADD:
        flags.system |= system;
        flags.keywords[0] |= keywords[0];
        flags.keywords[1] |= keywords[1];
        break;
    case FLAGS_REMOVE:
        flags.system &= ~system;
        flags.keywords[0] &= ~keywords[0];
        flags.keywords[1] &= ~keywords[1];
        break;
    case FLAGS_REPLACE:
        flags.system = system;
        flags.keywords[0] = keywords[0];
        flags.keywords[1] = keywords[1];
        break;
    }
    return flags;
}

void flags_keep(struct store_flags *flags, const struct store_flags *old, uint32_t system,
                bool keywords)
{
    flags->system = (flags->system & ~system) | (old->system & system);
    if (keywords) {
        flags->keywords[0] = old->keywords[0];
        flags->keywords[1] = old->keywords[1];
    }
}

static bool are_equal(const struct store_flags *a, const struct store_flags *b)
{
    return a->system == b->system && a->keywords[0] == b->keywords[0] &&
           a->keywords[1] == b->keywords[1];
}

static enum err_code change(struct batch *batch, struct task *task, struct store_item *item,
                            uint64_t read_modseq, const struct store_flags *flags, uint64_t modseq,
                            struct err *err)
{
    enum err_code code;

    folder_count(batch, task->folder, item, -1);
    if (((item->flags.system ^ flags->system) & FLAG_SEEN) != 0)
        read_modseq = modseq;
    item->flags = *flags;
    item->modseq = modseq;
    folder_count(batch, task->folder, item, 1);
    code = item_put(task->folder, item, read_modseq, err);
    return code == ERR_NONE ? block_touch(task->folder, item->uid, modseq, err) : code;
}

/* *modseq: of this slice, given with the first change. */
static enum err_code change_slice(struct batch *batch, struct task *task,
                                  const uint64_t keywords[2], struct uidset *changed,
                                  uint64_t *modseq, struct err *err)
{
    struct store_op *op = task->op;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && batch->records < SLICE_RECORDS) {
        struct store_item item;
        struct store_flags flags;
        uint64_t read_modseq;

        code = item_next_in(task->folder, op->uids, &task->next_uid, &item, &read_modseq, err);
        if (code != ERR_NONE)
            break;
        batch->records++;
        if (item.modseq > op->in.flags.unchanged_since) {
            uidset_add(&op->out.flags.refused, item.uid);
            continue;
        }
        flags =
            flags_apply(op->in.flags.mode, op->in.flags.system & FLAG_ALL, keywords, &item.flags);
        flags_keep(&flags, &item.flags, op->in.flags.kept_system, op->in.flags.keeps_keywords);
        if (are_equal(&flags, &item.flags))
            continue;
        if (*modseq == 0)
            *modseq = batch_modseq(batch, task->folder, CHANGE_FLAGS);
        code = change(batch, task, &item, read_modseq, &flags, *modseq, err);
        uidset_add(changed, item.uid);
    }
    return code;
}

static void note(struct batch *batch, const struct task *task, const struct uidset *changed,
                 uint64_t modseq)
{
    const struct store_op *op = task->op;
    Journal__Operation *operation = journal_add(batch, task->folder, modseq);
    Journal__Flags *flags = arena_alloc(&batch->arena, sizeof(*flags));

    journal__flags__init(flags);
    operation->what_case = JOURNAL__OPERATION__WHAT_FLAGS;
    operation->flags = flags;
    flags->n_ranges = changed->count;
    flags->ranges = journal_ranges(batch, changed);
    flags->mode = op->in.flags.mode;
    flags->flags = op->in.flags.system & FLAG_ALL;
    flags->kept_flags = op->in.flags.kept_system & FLAG_ALL;
    flags->keeps_keywords = op->in.flags.keeps_keywords;
    flags->n_keywords = op->in.flags.keywords.count;
    flags->keywords = journal_keywords(batch, &op->in.flags.keywords);
}

static enum err_code plan(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    struct uidset changed = {0};
    uint64_t keywords[2];
    uint64_t modseq = 0;
    enum err_code code = op_target(batch, task, err);

    task->outcome = OUTCOME_FULL;
    if (code == ERR_NONE && batch->records < SLICE_RECORDS)
        code = batch_keywords(batch, task->folder, &op->in.flags.keywords,
                              op->in.flags.mode != FLAGS_REMOVE, keywords, err);
    if (code != ERR_NONE || batch->records >= SLICE_RECORDS)
        return code;
    code = change_slice(batch, task, keywords, &changed, &modseq, err);
    task->outcome = code == ERR_NONE ? OUTCOME_MORE : OUTCOME_DONE;
    if (code != ERR_NONE && code != ERR_NOT_FOUND) /* what was changed stays changed */
        task->late = *err;
    if (modseq != 0) {
        op->modseq = modseq;
        note(batch, task, &changed, modseq);
        for (size_t i = 0; i < changed.count; i++)
            uidset_add_range(&op->out.flags.changed, changed.ranges[i].first,
                             changed.ranges[i].last);
    }
    uidset_release(&changed);
    return ERR_NONE;
}

const struct op_table op_flags = {plan, NULL};
