#include "mailbox-backend/store/batch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/watch.h"

enum err_code batch_begin(struct batch *batch, struct database *database, struct err *err)
{
    *batch = (struct batch){.database = database, .record = database->record, .now = time(NULL)};
    batch->before = database->record.batch;
    batch->record.batch = (database->tried > batch->before ? database->tried : batch->before) + 1;
    batch->journal = journal_create(&batch->arena);
    return index_write_begin(database->index, &batch->txn, err);
}

/* ---- writing the slots ---- */

static enum err_code write_mailbox(struct mailbox_slot *slot, struct err *err)
{
    struct key key = key_item(0, KEY_STATE);
    uint8_t row[MAILBOX_STATE_MOST];
    size_t length = mailbox_state_pack(row, &slot->state);

    return tx_put(&slot->tx, TABLE_ITEM, &key, row, length, err);
}

static enum err_code write_keywords(struct folder_slot *slot, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (unsigned i = slot->keywords_stored; i < slot->keyword_count && code == ERR_NONE; i++) {
        struct key key = key_keyword(slot->folder, (uint8_t)i);

        code = tx_put(&slot->mailbox->tx, TABLE_KEYWORD, &key, slot->keywords[i],
                      strlen(slot->keywords[i]), err);
    }
    return code;
}

static enum err_code write_folder(struct folder_slot *slot, struct err *err)
{
    struct key key = key_item(slot->folder, KEY_STATE);
    uint8_t row[FOLDER_STATE_ROW];
    enum err_code code;

    folder_state_pack(row, &slot->state);
    code = tx_put(&slot->mailbox->tx, TABLE_ITEM, &key, row, sizeof(row), err);
    return code == ERR_NONE ? write_keywords(slot, err) : code;
}

enum err_code batch_write_slots(struct batch *batch, struct err *err)
{
    for (unsigned i = 0; i < SLOT_BUCKETS; i++) {
        for (struct folder_slot *slot = batch->folders[i]; slot != NULL; slot = slot->next)
            if (slot->dirty && slot->present && write_folder(slot, err) != ERR_NONE)
                return ERR_UNAVAILABLE;
        for (struct mailbox_slot *slot = batch->mailboxes[i]; slot != NULL; slot = slot->next)
            if (slot->dirty && slot->present && write_mailbox(slot, err) != ERR_NONE)
                return ERR_UNAVAILABLE;
    }
    return ERR_NONE;
}

static enum err_code write_segment(void *context, const struct segment_record *record, bool removed,
                                   struct err *err)
{
    struct batch *batch = context;
    struct tx tx = {batch->txn, 0};
    struct key key = key_number(record->number);
    uint8_t row[SEGMENT_ROW];
    enum err_code code;

    if (removed) {
        code = tx_remove(&tx, TABLE_SEGMENT, &key, err);
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    }
    segment_pack(row, record);
    return tx_put(&tx, TABLE_SEGMENT, &key, row, sizeof(row), err);
}

static enum err_code write_own_rows(struct batch *batch, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_number(0);
    uint8_t row[DATABASE_MOST];
    size_t length;
    enum err_code code;

    code = segments_rows(batch->database->segments, write_segment, batch, err);
    if (code != ERR_NONE || !index_has_written(batch->txn))
        return code;
    batch->record.next_segment = segments_next_number(batch->database->segments);
    length = database_pack(row, &batch->record);
    return tx_put(&tx, TABLE_SEGMENT, &key, row, length, err);
}

/* ---- the end ---- */

/* Before the commit: who sees the new items must find them recent. Should the commit fail, their
   uids are given again. */
static void note_arrivals(struct batch *batch)
{
    for (unsigned i = 0; i < SLOT_BUCKETS; i++)
        for (struct folder_slot *slot = batch->folders[i]; slot != NULL; slot = slot->next)
            if (slot->mailbox->mailbox != NULL && slot->arrived != 0)
                recent_arrived(slot->mailbox->mailbox, slot->folder, slot->arrived);
}

/* Without its operation record a batch can not be replayed, but deletion must work on a full disk:
   the next record tells that there was one. A batch without operations needs no number. */
static void write_journal(struct batch *batch)
{
    struct err err;

    if (journal_is_empty(batch->journal)) {
        batch->record.batch = batch->before;
        return;
    }
    batch->database->tried =
        batch->record.batch; /* its record may stand in a segment from now on */
    if (journal_write(batch->journal, batch, &err) != ERR_NONE)
        log_warning(batch->database->name, "operation record: %s", err.text);
}

static enum err_code write_all(struct batch *batch, struct err *err)
{
    enum err_code code;

    if (index_is_broken(batch->txn, err))
        return ERR_UNAVAILABLE;
    code = batch_write_slots(batch, err);
    if (code == ERR_NONE) {
        write_journal(batch);
        code = batch_write_run(batch, err);
    }
    if (code == ERR_NONE)
        code = write_own_rows(batch, err);
    if (code == ERR_NONE && batch->must_sync)
        code = segments_sync(batch->database->segments, err);
    if (code == ERR_NONE && index_is_broken(batch->txn, err))
        return ERR_UNAVAILABLE; /* content that was gathered could not be written */
    return code;
}

enum err_code batch_commit(struct batch *batch, uint64_t *txn, struct err *err)
{
    struct database *database = batch->database;
    enum err_code code;

    *txn = index_txn_id(batch->txn);
    code = write_all(batch, err);
    if (code == ERR_NONE && !index_has_written(batch->txn)) {
        batch_abort(batch);
        return ERR_NONE;
    }
    if (code == ERR_NONE) {
        note_arrivals(batch);
        code = index_commit(&batch->txn, err);
    }
    if (code != ERR_NONE) {
        batch_abort(batch);
        return code;
    }
    database->record = batch->record;
    atomic_store(&database->format, batch->record.format);
    segments_committed(database->segments, *txn);
    batch_let_go(batch);
    atomic_fetch_add(&database->commits, 1);
    return ERR_NONE;
}

void batch_abort(struct batch *batch)
{
    index_abort(&batch->txn);
    segments_aborted(batch->database->segments);
    for (struct taken_draft *taken = batch->drafts; taken != NULL; taken = taken->next)
        taken->draft->content_id = 0;
    batch_let_go(batch);
}

void batch_publish(struct batch *batch)
{
    for (unsigned i = 0; i < SLOT_BUCKETS; i++) {
        for (struct folder_slot *slot = batch->folders[i]; slot != NULL; slot = slot->next) {
            struct store_change change = {
                .folder = slot->folder,
                .modseq = slot->state.highest_modseq,
                .kinds = slot->changes,
                .by = slot->by,
            };

            if (slot->mailbox->mailbox != NULL && slot->changes != 0)
                watches_call(slot->mailbox->mailbox, &change);
        }
    }
    for (struct changed_property *one = batch->properties; one != NULL; one = one->next)
        watches_call(one->mailbox, &one->change);
}

void batch_release(struct batch *batch)
{
    arena_reset(&batch->arena);
    buf_release(&batch->run_bytes);
}
