#include "mailbox-backend/store/housekeeping.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/compact.h"
#include "mailbox-backend/store/expiry.h"
#include "mailbox-backend/store/hold.h"
#include "mailbox-backend/store/purge.h"
#include "mailbox-backend/store/upgrade.h"

#define BUSY_BATCHES 16u /* while operations wait, one slice in so many batches */
#define LOOK_MS 1000u    /* segments may wait for a reader to end */

struct housekeeping {
    struct database *database;
    bool awake;       /* a slice should be run now */
    bool pending;     /* the pending table may have rows that nobody works on */
    unsigned batches; /* since the last slice */
    struct expiry *expiry;
    struct upgrade *upgrade;
    struct compact *compact;
};

/* Claims that a crash left: their folders wait until they are empty. */
static enum err_code find_claims(struct housekeeping *keeping, struct err *err)
{
    struct index_txn *txn;
    struct pending pending = {0};
    enum err_code code = index_read_begin(keeping->database->index, &txn, err);

    while (code == ERR_NONE) {
        code = pending_next(txn, pending.mailbox, pending.folder + 1, &pending, err);
        if (code == ERR_NONE && pending.kind == PENDING_CLAIM)
            hold_set(keeping->database, pending.mailbox, pending.folder, NULL, true);
    }
    index_read_end(&txn);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code housekeeping_create(struct housekeeping **out, struct database *database,
                                  struct err *err)
{
    struct housekeeping *keeping = mem_alloc(sizeof(*keeping));

    keeping->database = database;
    keeping->compact = compact_create(database);
    keeping->expiry = expiry_create(database);
    keeping->upgrade = upgrade_create(database);
    keeping->awake = true;
    keeping->pending = true;
    *out = keeping;
    return find_claims(keeping, err);
}

void housekeeping_destroy(struct housekeeping **keeping)
{
    if (*keeping != NULL) {
        holds_release((*keeping)->database);
        compact_destroy(&(*keeping)->compact);
        expiry_destroy(&(*keeping)->expiry);
        upgrade_destroy(&(*keeping)->upgrade);
    }
    free(*keeping);
    *keeping = NULL;
}

void housekeeping_wake(struct housekeeping *keeping)
{
    keeping->awake = true;
}

struct timespec housekeeping_due(const struct housekeeping *keeping)
{
    uint64_t wait = compact_wait_ms(keeping->compact);
    struct timespec due;

    if (keeping->awake || keeping->pending || expiry_in_round(keeping->expiry) ||
        upgrade_is_due(keeping->upgrade))
        wait = 0;
    if (wait > LOOK_MS)
        wait = LOOK_MS;
    clock_gettime(CLOCK_REALTIME, &due);
    due.tv_sec += (time_t)(wait / 1000);
    due.tv_nsec += (long)(wait % 1000) * 1000000;
    if (due.tv_nsec >= 1000000000) {
        due.tv_nsec -= 1000000000;
        due.tv_sec++;
    }
    return due;
}

bool housekeeping_is_due(struct housekeeping *keeping, bool idle)
{
    bool due = keeping->awake || keeping->pending;

    due = expiry_is_due(keeping->expiry) || due;
    due = upgrade_is_due(keeping->upgrade) || due;
    due = compact_is_due(keeping->compact) || due;
    if (!due)
        return false;
    return idle || compact_is_urgent(keeping->compact) || ++keeping->batches >= BUSY_BATCHES;
}

/* ---- pending work ---- */

/* The first row that is not a claim which is being filled right now. */
static enum err_code next_work(struct housekeeping *keeping, struct batch *batch,
                               struct pending *pending, struct err *err)
{
    enum err_code code = pending_next(batch->txn, 0, 0, pending, err);

    while (code == ERR_NONE && pending->kind == PENDING_CLAIM) {
        const struct hold *hold = hold_find(keeping->database, pending->mailbox, pending->folder);

        if (hold == NULL || hold->owner == NULL)
            break;
        code = pending_next(batch->txn, pending->mailbox, pending->folder + 1, pending, err);
    }
    return code;
}

static void work(struct housekeeping *keeping, struct batch *batch)
{
    unsigned budget = SLICE_RECORDS;
    struct err err = {0};
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && budget > 0) {
        struct pending pending;
        bool finished;

        code = next_work(keeping, batch, &pending, &err);
        if (code == ERR_NONE)
            code = purge_slice(batch, &pending, &budget, &finished, &err);
    }
    if (code == ERR_NOT_FOUND && index_has_written(batch->txn))
        return; /* not known to be done before the commit: look once more */
    if (code != ERR_NONE)
        keeping->pending = false;
    if (code == ERR_NOT_FOUND)
        holds_end_abandoned(keeping->database);
    else if (code != ERR_NONE)
        log_error(keeping->database->name, "cleaning up: %s", err.text);
}

/* ---- slices ---- */

void housekeeping_slice(struct housekeeping *keeping, struct batch *batch, bool idle)
{
    keeping->awake = false;
    keeping->batches = 0;
    batch_unit_begin(batch);
    if (keeping->pending)
        work(keeping, batch);
    else if (upgrade_is_due(keeping->upgrade))
        upgrade_slice(keeping->upgrade, batch);
    else if (expiry_in_round(keeping->expiry))
        expiry_slice(keeping->expiry, batch);
    if (!index_is_broken(batch->txn, NULL) && compact_is_due(keeping->compact))
        compact_slice(keeping->compact, batch, idle);
}

void housekeeping_failed(struct housekeeping *keeping)
{
    compact_failed(keeping->compact);
    upgrade_failed(keeping->upgrade);
}

void housekeeping_done(struct housekeeping *keeping, const struct task *task)
{
    enum store_op_kind kind = task->op->kind;

    if (hold_owner_ended(keeping->database, task->op) || kind == OP_FOLDER_DELETE ||
        kind == OP_MAILBOX_REMOVE)
        keeping->pending = true;
}
