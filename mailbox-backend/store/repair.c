/* Repair: the passes of a check, and for each finding an operation that mends it. What mending one thing
   uncovers is found by the next round. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/mount.h"
#include "mailbox-backend/store/repair.h"
#include "mailbox-backend/store/writer.h"

#define ROUNDS_MOST 8
#define TASKS_MOST 2048u /* that wait for a search; more come in the next round */
#define LEFT_MOST 4096u

struct repair {
    struct check check;
    const struct repair_options *options;
    struct repair_result *result;
    uint64_t mended; /* in this round */

    struct check_finding *waiting; /* for a search */
    size_t waiting_count;
    struct maintain_finding *left; /* of this round */
    size_t left_count;
    uint64_t left_untold; /* for which there is no room */
};

static enum err_code tell(struct repair *repair, const struct maintain_finding *finding,
                          bool mended, const char *done, struct err *err)
{
    const struct repair_options *options = repair->options;

    return options->told(options->check.context, finding, mended, done, err);
}

static void leave(struct repair *repair, const struct maintain_finding *finding)
{
    if (repair->left_count < LEFT_MOST)
        repair->left[repair->left_count++] = *finding;
    else
        repair->left_untold++;
}

/* ---- one finding ---- */

static const char *intent_of(const struct mend *mend)
{
    static const char *const intents[] = {
        [MEND_NOTHING] = "nothing can be done here",
        [MEND_ROW] = "the row would be made anew from what else is known, or removed",
        [MEND_MAILBOX] = "the mailbox's own rows would be made right",
        [MEND_FOLDER] = "the folder's own rows would be made right",
        [MEND_ITEM] = "the message's row would be made right",
        [MEND_FACTS] = "the message's row would say what its text says",
        [MEND_CONTENT] = "the row would be made anew if operation records or its pieces tell it",
        [MEND_REFERENCES] = "the uses would be set to what was counted",
        [MEND_ORPHAN] =
            ("the text would go to its owner's " RECOVERED_NAME ", or to a file in " FOUND_FOLDER),
        [MEND_LIVE] = "the live bytes would be set to what was counted",
        [MEND_FILE] = "the file's header would be written anew if its records are of this segment",
    };

    return intents[mend->kind];
}

static bool needs_search(const struct mend *mend)
{
    return mend->kind == MEND_CONTENT || mend->kind == MEND_ORPHAN ||
           (mend->kind == MEND_ROW &&
            (mend->table == TABLE_ITEM || mend->table == TABLE_RECOVERABLE));
}

/* What lowers a count must wait until everything that might be counted can be read. */
static bool must_wait(const struct repair *repair, const struct mend *mend)
{
    if (mend->kind == MEND_ORPHAN)
        return repair->check.items_damaged;
    if (mend->kind == MEND_REFERENCES)
        return mend->difference < 0 && repair->check.items_damaged;
    return mend->kind == MEND_LIVE && mend->difference < 0 && repair->check.contents_damaged;
}

static enum err_code submit(struct repair *repair, struct mend_task *task,
                            const struct maintain_finding *finding, struct err *err)
{
    struct store_op op = {.kind = OP_REPAIR};

    op.in.repair.task = task;
    if (writer_run(repair->check.database, &op) != ERR_NONE) {
        *err = op.err;
        return op.err.code;
    }
    if (!task->mended) {
        leave(repair, finding);
        return ERR_NONE;
    }
    repair->mended++;
    repair->result->mended++;
    return tell(repair, finding, true, task->done, err);
}

enum err_code repair_found(struct repair *repair, const struct check_finding *finding,
                           struct err *err)
{
    struct mend_task task = {.mend = finding->mend};

    if (repair->options->dry_run)
        return tell(repair, &finding->told, false, intent_of(&finding->mend), err);
    if (finding->mend.kind == MEND_NOTHING || must_wait(repair, &finding->mend)) {
        leave(repair, &finding->told);
        return ERR_NONE;
    }
    if (!needs_search(&finding->mend))
        return submit(repair, &task, &finding->told, err);
    if (repair->waiting_count < TASKS_MOST)
        repair->waiting[repair->waiting_count++] = *finding;
    else
        leave(repair, &finding->told);
    return ERR_NONE;
}

/* ---- what operation records may tell ---- */

static enum err_code mend_waiting(struct repair *repair, struct err *err)
{
    size_t count = repair->waiting_count;
    struct mend_task *tasks = mem_array(count + 1, sizeof(*tasks));
    struct arena arena = {0};
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count; i++)
        tasks[i].mend = repair->waiting[i].mend;
    if (count > 0)
        code = repair_search(&repair->check, tasks, count, &arena, err);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        if (tasks[i].mend.kind == MEND_ORPHAN && !tasks[i].evidence.found)
            code = repair_save_orphan(&repair->check, &tasks[i], err);
        if (code == ERR_NONE)
            code = submit(repair, &tasks[i], &repair->waiting[i].told, err);
    }
    arena_reset(&arena);
    free(tasks);
    return code;
}

/* ---- rounds ---- */

static enum err_code run_round(struct repair *repair, struct err *err)
{
    enum err_code code;

    repair->mended = 0;
    repair->waiting_count = repair->left_count = 0;
    repair->left_untold = 0;
    repair->check.items_damaged = repair->check.contents_damaged = false;
    repair->result->check = (struct check_result){0};
    code = check_index(&repair->check, err);
    return code == ERR_NONE ? mend_waiting(repair, err) : code;
}

static enum err_code tell_left(struct repair *repair, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < repair->left_count && code == ERR_NONE; i++)
        code = tell(repair, &repair->left[i], false, "could not be mended", err);
    repair->result->left += repair->left_count + repair->left_untold;
    return code;
}

static enum err_code run(struct repair *repair, struct err *err)
{
    unsigned rounds = 0;
    bool damaged = false;
    enum err_code code = check_pages(&repair->check, &damaged, err);

    if (code != ERR_NONE || damaged)
        return code == ERR_NONE ? tell_left(repair, err) : code;
    do {
        code = run_round(repair, err);
    } while (code == ERR_NONE && repair->mended > 0 && ++rounds < ROUNDS_MOST);
    if (code == ERR_NONE)
        code = tell_left(repair, err);
    repair->left_count = 0;
    repair->left_untold = 0;
    if (code == ERR_NONE && repair->options->check.content)
        code = check_content(&repair->check, err);
    if (code == ERR_NONE && repair->options->check.facts != NULL)
        code = check_facts(&repair->check, err);
    return code == ERR_NONE ? tell_left(repair, err) : code;
}

enum err_code store_repair(struct store *store, unsigned database,
                           const struct repair_options *options, struct repair_result *result,
                           struct err *err)
{
    struct database *subject;
    struct repair *repair;
    enum err_code code = store_mounted(store, database, &subject, err);

    *result = (struct repair_result){0};
    if (code != ERR_NONE)
        return code;
    if (options->check.share == 0 || options->check.share > 100)
        return err_set(err, ERR_INVALID, "a share of the time is 1 to 100 percent");
    repair = mem_alloc(sizeof(*repair));
    repair->options = options;
    repair->result = result;
    repair->check.database = subject;
    repair->check.options = &options->check;
    repair->check.result = &result->check;
    repair->check.repair = repair;
    repair->waiting = mem_array(TASKS_MOST, sizeof(*repair->waiting));
    repair->left = mem_array(LEFT_MOST, sizeof(*repair->left));
    code = run(repair, err);
    if (result->mended > 0) /* what a repair does is in no operation record */
        atomic_store(&subject->copy_wanted, true);
    free(repair->left);
    free(repair->waiting);
    free(repair);
    return code;
}
