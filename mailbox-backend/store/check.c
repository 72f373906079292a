#include "mailbox-backend/store/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/store/mount.h"
#include "mailbox-backend/store/pending.h"

#define SLICE_MS 20 /* a snapshot that is held longer makes the index grow */
#define PAUSE_MOST_MS 2000

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- slices ---- */

enum err_code check_slice_begin(struct check *check, struct err *err)
{
    check->began = now_ms();
    return index_read_begin(check->database->index, &check->txn, err);
}

bool check_slice_is_over(const struct check *check)
{
    if (check->found_count == CHECK_SLICE_FINDINGS)
        return true;
    return !check->whole && now_ms() - check->began >= SLICE_MS;
}

static enum err_code tell(struct check *check, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (unsigned i = 0; i < check->found_count && code == ERR_NONE; i++)
        code = check->repair != NULL
                   ? repair_found(check->repair, &check->found[i], err)
                   : check->options->found(check->options->context, &check->found[i].told, err);
    check->found_count = 0;
    return code;
}

static void pause_after(const struct check *check)
{
    uint64_t worked = now_ms() - check->began;
    uint64_t share = check->options->share;
    uint64_t ms = worked * (100 - share) / share;
    struct timespec time;

    if (ms > PAUSE_MOST_MS)
        ms = PAUSE_MOST_MS;
    time = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    if (ms > 0)
        nanosleep(&time, NULL);
}

enum err_code check_slice_end(struct check *check, struct err *err)
{
    enum err_code code;

    index_read_end(&check->txn);
    code = tell(check, err);
    if (code == ERR_NONE && check->options->wanted != NULL &&
        !check->options->wanted(check->options->context))
        code = err_set(err, ERR_UNAVAILABLE, "the check was given up");
    if (code == ERR_NONE)
        pause_after(check);
    return code;
}

/* ---- findings ---- */

struct tx check_tx(const struct check *check, uint32_t mailbox)
{
    return (struct tx){check->txn, mailbox};
}

static void name_mailbox(const struct check *check, uint32_t number,
                         struct maintain_finding *finding)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_number(number);
    struct mailbox_record record;
    struct bytes row;

    if (number == 0 || tx_get(&tx, TABLE_MAILBOX, &key, &row, NULL) != ERR_NONE ||
        !mailbox_unpack(row, &record))
        return;
    finding->has_mailbox = true;
    finding->mailbox = record.guid;
}

static void report(struct check *check, const struct mend *mend, const char *advice,
                   const char *format, va_list args)
{
    struct check_finding *finding;

    check->result->findings++;
    if (check->found_count == CHECK_SLICE_FINDINGS)
        return;
    finding = &check->found[check->found_count++];
    finding->mend = *mend;
    finding->told = (struct maintain_finding){.database = check->database->number,
                                              .folder = mend->place.folder,
                                              .uid = mend->place.uid,
                                              .advice = advice};
    name_mailbox(check, mend->place.mailbox, &finding->told);
    vsnprintf(finding->told.problem, sizeof(finding->told.problem), format, args);
}

void check_report(struct check *check, struct check_place place, const char *advice,
                  const char *format, ...)
{
    const struct mend mend = {.kind = MEND_NOTHING, .place = place};
    va_list args;

    va_start(args, format);
    report(check, &mend, advice, format, args);
    va_end(args);
}

void check_report_mend(struct check *check, const struct mend *mend, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(check, mend, ADVICE_REPAIR, format, args);
    va_end(args);
}

/* ---- what a row belongs to ---- */

static bool has_row(const struct check *check, enum table table, uint32_t mailbox, struct key key)
{
    struct tx tx = check_tx(check, mailbox);
    struct bytes row;

    return tx_get(&tx, table, &key, &row, NULL) !=
           ERR_NOT_FOUND; /* a damaged one is told by itself */
}

static bool is_going(const struct check *check, uint32_t mailbox, uint32_t folder)
{
    struct pending pending;

    return pending_next(check->txn, mailbox, folder, &pending, NULL) == ERR_NONE &&
           pending.mailbox == mailbox && pending.folder == folder && pending.kind != PENDING_CLAIM;
}

enum check_standing check_standing(const struct check *check, uint32_t mailbox, uint32_t folder)
{
    if (is_going(check, mailbox, 0) || (folder != 0 && is_going(check, mailbox, folder)))
        return STANDING_GOING;
    if (!has_row(check, TABLE_MAILBOX, 0, key_number(mailbox)))
        return STANDING_NONE;
    if (folder != 0 && !has_row(check, TABLE_ITEM, mailbox, key_item(folder, KEY_STATE)))
        return STANDING_NONE;
    return STANDING_LIVE;
}

/* ---- the whole ---- */

typedef enum err_code pass(struct check *check, struct err *err);

enum err_code check_index(struct check *check, struct err *err)
{
    static pass *const passes[] = {check_database_tables, check_folder_tables, check_items,
                                   check_references, check_segments};
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]) && code == ERR_NONE; i++)
        code = passes[i](check, err);
    return code;
}

static enum err_code run(struct check *check, struct err *err)
{
    bool damaged = false;
    enum err_code code = check_pages(check, &damaged, err);

    if (code == ERR_NONE && !damaged)
        code = check_index(check, err);
    if (code == ERR_NONE && !damaged && check->options->content)
        code = check_content(check, err);
    if (code == ERR_NONE && !damaged && check->options->facts != NULL)
        code = check_facts(check, err);
    return code;
}

enum err_code store_check(struct store *store, unsigned database,
                          const struct check_options *options, struct check_result *result,
                          struct err *err)
{
    struct database *subject;
    struct check *check;
    enum err_code code = store_mounted(store, database, &subject, err);

    *result = (struct check_result){0};
    if (code != ERR_NONE)
        return code;
    if (options->share == 0 || options->share > 100)
        return err_set(err, ERR_INVALID, "a share of the time is 1 to 100 percent");
    check = mem_alloc(sizeof(*check));
    check->database = subject;
    check->options = options;
    check->result = result;
    code = run(check, err);
    free(check);
    return code;
}
