#include "mailbox-backend/store/expiry.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/recoverable.h"

#define LOOK_SECONDS 60    /* between rounds, at most */
#define HORIZON_STEPS 8u   /* in which recovery times are cut when the disk is short */
#define SETTLE_SECONDS 2   /* after a step that has helped: compaction wins the space back */
#define SETTLE_MOST 60     /* and may take so long for it */
#define THOROUGH_DAY 86400 /* between rounds that look at each row */
#define THOROUGH_HOUR 3600 /* the same before format 2: there they find what is above a quota */

/* What is done with one mailbox, in this order. */
enum phase {
    PHASE_TIME,  /* what expires, in the order of the rows */
    PHASE_OLD,   /* all rows: what was kept longer than it would be by now */
    PHASE_QUOTA, /* the oldest, while it is too much */
};

struct expiry {
    struct database *database;
    bool in_round;
    bool thorough;        /* the round looks at each row */
    time_t next;          /* round */
    time_t next_thorough; /* round of that kind */
    unsigned cut;         /* steps by which recovery times are cut */

    /* where the round goes on */
    uint32_t mailbox;
    enum phase phase;
    struct store_recoverable_id row; /* of PHASE_OLD: behind this one */
    struct store_usage sum;          /* what PHASE_OLD has left in the mailbox */
    struct store_usage over;         /* what the mailbox had above its quota */

    struct store_usage expired, early; /* dropped by this round */
};

/* One slice's work. */
struct visit {
    struct expiry *expiry;
    struct batch *batch;
    struct mailbox_slot *slot;
    struct store_recovery recovery;
    bool known; /* the mailbox's own time and quota */
    unsigned budget;
};

struct expiry *expiry_create(struct database *database)
{
    struct expiry *expiry = mem_alloc(sizeof(*expiry));

    expiry->database = database;
    return expiry;
}

void expiry_destroy(struct expiry **expiry)
{
    free(*expiry);
    *expiry = NULL;
}

/* ---- rounds ---- */

static time_t interval(const struct expiry *expiry)
{
    uint64_t seconds = expiry->database->store->settings.recovery_seconds;

    if (seconds == 0 || seconds > 20 * LOOK_SECONDS)
        return LOOK_SECONDS;
    return seconds < 20 ? 1 : (time_t)(seconds / 20);
}

static void begin_round(struct expiry *expiry, time_t now)
{
    bool is_short = database_is_short(expiry->database);

    if (is_short && expiry->cut < HORIZON_STEPS)
        expiry->cut++;
    if (!is_short && expiry->cut > 0) {
        expiry->cut = 0;
        log_notice(expiry->database->name,
                   "the disk has room again: deleted messages are kept for their whole time");
    }
    expiry->in_round = true;
    expiry->thorough =
        atomic_exchange(&expiry->database->recovery_changed, false) || now >= expiry->next_thorough;
    expiry->mailbox = 0;
    expiry->phase = PHASE_TIME;
    expiry->expired = expiry->early = (struct store_usage){0};
}

static void tell_round(const struct expiry *expiry)
{
    const char *name = expiry->database->name;

    if (expiry->expired.messages > 0)
        log_info(name, "%" PRIu64 " deleted messages (%" PRIu64 " bytes) were past their time",
                 expiry->expired.messages, expiry->expired.bytes);
    if (expiry->cut > 0 && expiry->early.messages > 0)
        log_warning(name,
                    "the disk is nearly full: %" PRIu64 " deleted messages (%" PRIu64
                    " bytes) went for good before their time; they are kept for %u eighths of it "
                    "now",
                    expiry->early.messages, expiry->early.bytes, HORIZON_STEPS - expiry->cut);
}

static void end_round(struct expiry *expiry)
{
    time_t now = time(NULL);

    tell_round(expiry);
    expiry->in_round = false;
    if (expiry->thorough)
        expiry->next_thorough =
            now + (format_has(expiry->database->record.format, FORMAT_RECOVERABLE_COUNTS)
                       ? THOROUGH_DAY
                       : THOROUGH_HOUR);
    expiry->next = now + interval(expiry);
    if (expiry->cut > 0 && expiry->cut < HORIZON_STEPS && expiry->early.messages == 0)
        expiry->next = now; /* the next step: this one had nothing */
    else if (expiry->cut > 0)
        expiry->next = now + SETTLE_SECONDS;
}

/* The space of what has gone is being won back: more need not go yet. */
static bool is_settling(const struct expiry *expiry, time_t now)
{
    return expiry->cut > 0 && atomic_load(&expiry->database->compacting) &&
           now < expiry->next + SETTLE_MOST;
}

bool expiry_is_due(struct expiry *expiry)
{
    time_t now = time(NULL);

    if (!expiry->in_round && expiry->cut == 0 &&
        (atomic_exchange(&expiry->database->short_of_room, false) ||
         atomic_load(&expiry->database->recovery_changed)))
        expiry->next = now;
    if (!expiry->in_round && now >= expiry->next && !is_settling(expiry, now))
        begin_round(expiry, now);
    return expiry->in_round;
}

bool expiry_in_round(const struct expiry *expiry)
{
    return expiry->in_round;
}

/* ---- one mailbox ---- */

static enum err_code drop_first(struct visit *visit, uint64_t until, struct store_usage *dropped,
                                struct err *err)
{
    visit->budget--;
    return recoverable_drop_first(visit->batch, visit->slot, until, dropped, err);
}

/* Those that are past their time, and, while it is cut, those that will be before long. */
static enum err_code drop_expired(struct visit *visit, struct err *err)
{
    struct expiry *expiry = visit->expiry;
    uint64_t now = (uint64_t)visit->batch->now;
    uint64_t until = now + visit->recovery.seconds / HORIZON_STEPS * expiry->cut;
    enum err_code code = ERR_NONE;

    if (expiry->cut == HORIZON_STEPS)
        until = UINT64_MAX;
    while (code == ERR_NONE && visit->budget > 0)
        code = drop_first(visit, now, &expiry->expired, err);
    if (code == ERR_NOT_FOUND && expiry->cut > 0)
        code = ERR_NONE;
    while (code == ERR_NONE && visit->budget > 0)
        code = drop_first(visit, until, &expiry->early, err);
    return code;
}

static bool is_old(const struct visit *visit, const struct store_recoverable *entry)
{
    return entry->removed + (int64_t)visit->recovery.seconds <= visit->batch->now;
}

/* Goes on behind expiry->row to the next one that is too old, and adds up those that stay. Without
   *found the budget has ended. */
static enum err_code find_old(struct visit *visit, struct store_recoverable *entry, bool *found,
                              struct err *err)
{
    struct expiry *expiry = visit->expiry;
    struct key key = key_recoverable(expiry->row.expiry, expiry->row.item_id + 1);
    struct tx_scan scan;
    enum err_code code =
        scan_begin(&scan, &visit->slot->tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    *found = false;
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        bool good = code == ERR_NONE && recoverable_unpack(scan.value, entry);

        expiry->row.expiry = get_u64(scan.key.data + 4);
        expiry->row.item_id = get_u48(scan.key.data + 12);
        visit->budget--;
        *found = good && is_old(visit, entry);
        if (good && !*found) {
            expiry->sum.messages++;
            expiry->sum.bytes += entry->item.size;
        }
        if (*found || visit->budget == 0)
            break;
    }
    scan_end(&scan);
    return code == ERR_CORRUPT ? ERR_NONE : code;
}

/* Those that were deleted when a longer time held for the mailbox. */
static enum err_code drop_old(struct visit *visit, struct err *err)
{
    struct expiry *expiry = visit->expiry;
    struct store_recoverable entry;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && visit->budget > 0) {
        struct key key;
        bool found;

        code = find_old(visit, &entry, &found, err);
        if (code != ERR_NONE || !found)
            break;
        key = key_recoverable(expiry->row.expiry, expiry->row.item_id);
        expiry->expired.messages++;
        expiry->expired.bytes += entry.item.size;
        journal_purged(visit->batch, visit->slot, expiry->row.item_id);
        code = recoverable_drop(visit->batch, visit->slot, &key, &entry.item, err);
    }
    return code;
}

static void tell_over(struct visit *visit)
{
    const struct store_usage *over = &visit->expiry->over;
    char guid[2 * sizeof(struct store_guid) + 1];

    if (over->messages == 0)
        return;
    slot_guid_text(visit->slot, guid);
    log_warning(visit->expiry->database->name,
                "mailbox %s was above its recovery quota of %" PRIu64 " bytes: its %" PRIu64
                " oldest deleted messages (%" PRIu64 " bytes) went for good",
                guid, visit->recovery.quota, over->messages, over->bytes);
}

static uint64_t bytes_of(const struct visit *visit)
{
    const struct expiry *expiry = visit->expiry;

    if (visit->slot->state.counts_recoverable)
        return visit->slot->state.recoverable_bytes;
    return expiry->sum.bytes > expiry->over.bytes ? expiry->sum.bytes - expiry->over.bytes : 0;
}

/* The oldest, while there is too much. */
static enum err_code drop_over(struct visit *visit, struct err *err)
{
    uint64_t quota = visit->recovery.quota;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        if (quota == 0 || bytes_of(visit) <= quota)
            return err_set(err, ERR_NOT_FOUND, "there is no more than there may be");
        if (visit->budget == 0)
            break;
        code = drop_first(visit, UINT64_MAX, &visit->expiry->over, err);
    }
    return code;
}

/* Goes on with the mailbox. ERR_NOT_FOUND when all is done. */
static enum err_code go_on(struct visit *visit, struct err *err)
{
    struct expiry *expiry = visit->expiry;
    enum err_code code = ERR_NOT_FOUND;

    if (expiry->phase == PHASE_TIME && (code = drop_expired(visit, err)) == ERR_NOT_FOUND) {
        expiry->phase = PHASE_OLD;
        expiry->row = (struct store_recoverable_id){0};
        expiry->sum = (struct store_usage){0};
    }
    if (expiry->phase == PHASE_OLD &&
        (!visit->known || !expiry->thorough || (code = drop_old(visit, err)) == ERR_NOT_FOUND)) {
        expiry->phase = PHASE_QUOTA;
        expiry->over = (struct store_usage){0};
        code = ERR_NOT_FOUND;
    }
    if (expiry->phase == PHASE_QUOTA && visit->known)
        code = drop_over(visit, err);
    return code;
}

/* A mailbox that is being removed needs no looking after. */
static enum err_code visit_mailbox(struct visit *visit, struct err *err)
{
    struct expiry *expiry = visit->expiry;
    enum err_code code = batch_mailbox_number(visit->batch, expiry->mailbox, &visit->slot, err);

    if (code == ERR_CORRUPT) {
        log_error(expiry->database->name, "mailbox %" PRIu32 ": %s", expiry->mailbox, err->text);
        return ERR_NOT_FOUND;
    }
    if (code != ERR_NONE)
        return code;
    visit->known = recovery_of(visit->batch, visit->slot, &visit->recovery);
    code = go_on(visit, err);
    if (code == ERR_NOT_FOUND && expiry->phase == PHASE_QUOTA)
        tell_over(visit);
    return code;
}

void expiry_slice(struct expiry *expiry, struct batch *batch)
{
    struct visit visit = {.expiry = expiry, .batch = batch, .budget = SLICE_RECORDS};
    struct err err = {0};
    enum err_code code = ERR_NONE;

    while (visit.budget > 0 && code == ERR_NONE) {
        uint32_t before = expiry->mailbox;

        code = recoverable_mailbox(batch->txn, before, &expiry->mailbox, &err);
        if (code == ERR_NONE && expiry->mailbox != before)
            expiry->phase = PHASE_TIME; /* another: the one before has nothing left */
        if (code != ERR_NONE)
            break;
        code = visit_mailbox(&visit, &err);
        if (code == ERR_NOT_FOUND) {
            expiry->mailbox++;
            expiry->phase = PHASE_TIME;
            visit.budget -= visit.budget > 0;
            code = ERR_NONE;
        }
    }
    if (code != ERR_NONE)
        end_round(expiry);
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        log_error(expiry->database->name, "recoverable items: %s", err.text);
}
