#include "mailbox-backend/store/upgrade.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/mount.h"

#define WAIT_SECONDS 10 /* after a batch that failed */
#define POLL_MS 20
#define SLICE_MAILBOXES 64u /* or fewer, with SLICE_RECORDS recoverable items counted */

struct upgrade {
    struct database *database;
    time_t wait_until;
};

struct upgrade *upgrade_create(struct database *database)
{
    struct upgrade *upgrade = mem_alloc(sizeof(*upgrade));

    upgrade->database = database;
    return upgrade;
}

void upgrade_destroy(struct upgrade **upgrade)
{
    free(*upgrade);
    *upgrade = NULL;
}

bool upgrade_is_due(const struct upgrade *upgrade)
{
    const struct database *database = upgrade->database;

    return (database->record.upgrade_next != 0 ||
            (database->record.format < FORMAT_NEWEST && atomic_load(&database->upgrade_wanted))) &&
           time(NULL) >= upgrade->wait_until;
}

void upgrade_failed(struct upgrade *upgrade)
{
    atomic_store(&upgrade->database->upgrade_wanted, false);
    upgrade->wait_until = time(NULL) + WAIT_SECONDS;
}

/* ---- slices ---- */

/* *number becomes the first mailbox from itself up; ERR_NOT_FOUND at the end. */
static enum err_code next_mailbox(struct batch *batch, uint32_t *number, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_number(*number);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_MAILBOX, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_CORRUPT)
        code = ERR_NONE; /* the key is good */
    if (code == ERR_NONE)
        *number = get_u32(scan.key.data);
    scan_end(&scan);
    return code;
}

/* Its counters are written as the database's format now has them. *counted grows by what they count, which is read
   where the old form did not count it. */
static void renew_mailbox(struct batch *batch, uint32_t number, uint64_t *counted)
{
    struct mailbox_slot *slot;
    struct err err = {0};

    if (batch_mailbox_number(batch, number, &slot, &err) == ERR_NONE) {
        mailbox_slot_change(batch, slot);
        *counted += slot->state.recoverable_messages;
    } else if (err.code != ERR_NOT_FOUND) {
        log_error(batch->database->name, "mailbox %" PRIu32 " keeps its old form: %s", number,
                  err.text);
    }
}

/* The row is among those that the batch writes in its end, when it has written others. */
static enum err_code touch_record(struct batch *batch, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_number(0);
    uint8_t row[DATABASE_MOST];
    size_t length = database_pack(row, &batch->record);

    return tx_put(&tx, TABLE_SEGMENT, &key, row, length, err);
}

void upgrade_slice(struct upgrade *upgrade, struct batch *batch)
{
    struct database_record *record = &batch->record;
    struct err err = {0};
    uint64_t counted = 0;
    enum err_code code = ERR_NONE;

    if (record->format < FORMAT_NEWEST) {
        log_notice(upgrade->database->name, "is upgraded from format %" PRIu32 " to %u",
                   record->format, FORMAT_NEWEST);
        record->format = FORMAT_NEWEST;
        record->upgrade_next = 1;
    }
    for (unsigned i = 0; i < SLICE_MAILBOXES && counted < SLICE_RECORDS && code == ERR_NONE; i++) {
        code = next_mailbox(batch, &record->upgrade_next, &err);
        if (code == ERR_NONE)
            renew_mailbox(batch, record->upgrade_next++, &counted);
    }
    if (code == ERR_NOT_FOUND) {
        record->upgrade_next = 0;
        code = ERR_NONE;
    }
    if (code == ERR_NONE)
        code = touch_record(batch, &err);
    if (code != ERR_NONE)
        index_break(batch->txn, &err);
}

/* ---- asking for it ---- */

enum err_code store_upgrade(struct store *store, unsigned number, bool (*wanted)(void *context),
                            void *context, struct err *err)
{
    const struct timespec poll = {0, POLL_MS * 1000000};
    struct database_status status = {0};
    struct database *database;
    enum err_code code = store_mounted(store, number, &database, err);

    if (code == ERR_NONE)
        code = store_database_status(store, number, &status, err);
    if (code != ERR_NONE || (status.format == FORMAT_NEWEST && !status.upgrading))
        return code;
    atomic_store(&database->upgrade_wanted, true);
    do {
        bool given_up = !atomic_load(&database->upgrade_wanted);

        nanosleep(&poll, NULL);
        code = store_database_status(store, number, &status, err);
        if (code == ERR_NONE && status.format < FORMAT_NEWEST && given_up)
            code = err_set(err, ERR_UNAVAILABLE, "%s: nothing was changed; the log says why",
                           status.name);
        else if (code == ERR_NONE && !wanted(context))
            code = err_set(err, ERR_UNAVAILABLE, "%s: the upgrade goes on by itself", status.name);
    } while (code == ERR_NONE && (status.format < FORMAT_NEWEST || status.upgrading));
    return code;
}
