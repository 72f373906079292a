#include "mailbox-backend/store/journal.h"

#include <string.h>

#include "common/crc32c.h"
#include "mailbox-backend/store/recoverable.h"

#define OPERATIONS_IN_PART 256
#define PURGED_AT_ONCE 256u /* items in one operation */

struct journal {
    Journal__Operation **operations;
    size_t count, room;
};

struct journal *journal_create(struct arena *arena)
{
    return arena_alloc(arena, sizeof(struct journal));
}

static void make_room(struct journal *journal, struct arena *arena)
{
    size_t room = journal->room == 0 ? 16 : journal->room * 2;
    Journal__Operation **operations;

    if (journal->count < journal->room)
        return;
    operations = arena_array(arena, room, sizeof(Journal__Operation *));
    if (journal->count != 0)
        memcpy(operations, journal->operations, journal->count * sizeof(Journal__Operation *));
    journal->operations = operations;
    journal->room = room;
}

static Journal__Nothing nothing = JOURNAL__NOTHING__INIT;

static Journal__Operation *new_operation(struct batch *batch)
{
    struct journal *journal = batch->journal;
    Journal__Operation *operation = arena_alloc(&batch->arena, sizeof(*operation));

    make_room(journal, &batch->arena);
    journal__operation__init(operation);
    journal->operations[journal->count++] = operation;
    return operation;
}

Journal__Operation *journal_add_mailbox(struct batch *batch, const struct mailbox_slot *slot,
                                        Journal__Operation__WhatCase what)
{
    Journal__Operation *operation = new_operation(batch);

    if (slot->mailbox != NULL) {
        operation->mailbox.len = sizeof(struct store_guid);
        operation->mailbox.data = slot->mailbox->guid.bytes;
    }
    operation->modseq = slot->state.modseq;
    operation->what_case = what;
    if (what != JOURNAL__OPERATION__WHAT__NOT_SET)
        operation->mailbox_create = &nothing; /* a union: one place for all that are bare */
    return operation;
}

Journal__Operation *journal_add(struct batch *batch, const struct folder_slot *slot,
                                uint64_t modseq)
{
    Journal__Operation *operation =
        journal_add_mailbox(batch, slot->mailbox, JOURNAL__OPERATION__WHAT__NOT_SET);

    operation->folder = slot->folder;
    operation->modseq = modseq;
    return operation;
}

Journal__Operation *journal_add_bare(struct batch *batch, const struct folder_slot *slot,
                                     uint64_t modseq, Journal__Operation__WhatCase what)
{
    Journal__Operation *operation = journal_add_mailbox(batch, slot->mailbox, what);

    operation->folder = slot->folder;
    operation->modseq = modseq;
    return operation;
}

Journal__Operation *journal_add_database(struct batch *batch, Journal__Operation__WhatCase what)
{
    Journal__Operation *operation = new_operation(batch);

    operation->what_case = what;
    return operation;
}

int64_t journal_expiry(struct batch *batch, struct mailbox_slot *slot)
{
    struct store_recovery recovery;

    recovery_of(batch, slot, &recovery);
    return batch->now + (int64_t)recovery.seconds;
}

static Journal__Operation *new_purge(struct batch *batch, uint32_t mailbox)
{
    Journal__Operation *operation = journal_add_database(batch, JOURNAL__OPERATION__WHAT_PURGE);
    Journal__Items *items = arena_alloc(&batch->arena, sizeof(*items));

    journal__items__init(items);
    operation->number = mailbox;
    operation->purge = items;
    items->item_ids = arena_array(&batch->arena, PURGED_AT_ONCE, sizeof(*items->item_ids));
    return operation;
}

void journal_purged(struct batch *batch, const struct mailbox_slot *slot, uint64_t item_id)
{
    const struct journal *journal = batch->journal;
    Journal__Operation *last = journal->count == 0 ? NULL : journal->operations[journal->count - 1];

    if (last == NULL || last->what_case != JOURNAL__OPERATION__WHAT_PURGE ||
        last->number != slot->number || last->purge->n_item_ids == PURGED_AT_ONCE)
        last = new_purge(batch, slot->number);
    last->purge->item_ids[last->purge->n_item_ids++] = item_id;
}

Journal__Piece **journal_pieces(struct batch *batch, struct bytes row, uint32_t count)
{
    Journal__Piece **pieces = arena_array(&batch->arena, count, sizeof(Journal__Piece *));

    for (uint32_t i = 0; i < count; i++) {
        struct piece place;

        piece_unpack(row, i, &place);
        pieces[i] = arena_alloc(&batch->arena, sizeof(*pieces[i]));
        journal__piece__init(pieces[i]);
        pieces[i]->segment = place.segment;
        pieces[i]->offset = place.offset;
        pieces[i]->stored = place.stored;
        pieces[i]->real = place.real;
    }
    return pieces;
}

Journal__Range **journal_ranges(struct batch *batch, const struct uidset *set)
{
    Journal__Range **ranges = arena_array(&batch->arena, set->count, sizeof(Journal__Range *));

    for (size_t i = 0; i < set->count; i++) {
        ranges[i] = arena_alloc(&batch->arena, sizeof(**ranges));
        journal__range__init(ranges[i]);
        ranges[i]->first = set->ranges[i].first;
        ranges[i]->last = set->ranges[i].last;
    }
    return ranges;
}

/* The names are the operation's own and live as long as it. */
char **journal_keywords(struct batch *batch, const struct store_keyword_names *names)
{
    char **copy = arena_array(&batch->arena, names->count, sizeof(*copy));

    for (unsigned i = 0; i < names->count; i++)
        copy[i] = arena_string(&batch->arena, names->names[i]);
    return copy;
}

bool journal_is_empty(const struct journal *journal)
{
    return journal->count == 0;
}

static enum err_code write_part(struct batch *batch, const Journal__Batch *part, struct err *err)
{
    size_t length = journal__batch__get_packed_size(part);
    uint8_t *bytes = arena_alloc(&batch->arena, length);
    struct record_head head = {
        .type = RECORD_OPERATIONS, .stored = (uint32_t)length, .real = (uint32_t)length};
    struct piece place;

    journal__batch__pack(part, bytes);
    head.crc = crc32c(0, bytes, length);
    return batch_write_record(batch, &head, bytes, &place, err);
}

enum err_code journal_write(struct journal *journal, struct batch *batch, struct err *err)
{
    Journal__Batch part = JOURNAL__BATCH__INIT;
    enum err_code code = ERR_NONE;

    part.number = batch->record.batch;
    part.before = batch->before;
    part.transaction = index_txn_id(batch->txn);
    part.time = batch->now;
    for (size_t done = 0; done < journal->count && code == ERR_NONE; part.part++) {
        part.n_operations = journal->count - done;
        if (part.n_operations > OPERATIONS_IN_PART)
            part.n_operations = OPERATIONS_IN_PART;
        part.operations = journal->operations + done;
        done += part.n_operations;
        part.last = done == journal->count;
        code = write_part(batch, &part, err);
    }
    return code;
}
