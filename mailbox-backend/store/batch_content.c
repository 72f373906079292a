#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/batch.h"

#define RUN_MOST (8u << 20)

/* ---- records on their way to a segment ---- */

/* Keeps a segment open until the batch has ended: before that it may have to be synced. */
static void hold(struct batch *batch, struct segment *segment)
{
    struct held_segment *held = arena_alloc(&batch->arena, sizeof(*held));

    held->segment = segment;
    held->next = batch->held;
    batch->held = held;
}

void batch_let_go(struct batch *batch)
{
    if (batch->run != NULL)
        segments_unpin(batch->database->segments, batch->run);
    batch->run = NULL;
    for (; batch->held != NULL; batch->held = batch->held->next)
        segments_unpin(batch->database->segments, batch->held->segment);
}

enum err_code batch_write_run(struct batch *batch, struct err *err)
{
    struct segment *segment = batch->run;
    enum err_code code;

    if (segment == NULL)
        return ERR_NONE;
    code = segment_write(batch->database->segments, segment, batch->run_offset,
                         buf_bytes(&batch->run_bytes), buf_length(&batch->run_bytes), err);
    if (code != ERR_NONE)
        index_break(batch->txn, err); /* whoever's call it was that found the run at its end */
    hold(batch, segment);
    batch->run = NULL;
    buf_truncate(&batch->run_bytes, 0);
    return code;
}

/* Makes the run end where the reserved record begins. Takes over the pin. */
static enum err_code continue_run(struct batch *batch, struct segment *segment, uint32_t offset,
                                  struct err *err)
{
    size_t length = buf_length(&batch->run_bytes);
    enum err_code code = ERR_NONE;

    if (batch->run == segment && batch->run_offset + length == offset && length < RUN_MOST) {
        segments_unpin(batch->database->segments, segment);
        return ERR_NONE;
    }
    code = batch_write_run(batch, err);
    batch->run = segment;
    batch->run_offset = offset;
    return code;
}

enum err_code batch_write_record(struct batch *batch, struct record_head *head, const void *bytes,
                                 struct piece *place, struct err *err)
{
    static const uint8_t padding[RECORD_ALIGN];
    struct segment *segment;
    uint8_t packed[RECORD_HEADER];
    uint32_t offset;
    enum err_code code;

    code = segments_reserve(batch->database->segments, head->stored, &segment, &offset, err);
    if (code == ERR_NONE)
        code = continue_run(batch, segment, offset, err);
    if (code != ERR_NONE)
        return code;
    head->generation = segment->record.generation;
    head->start = segments_start(batch->database->segments);
    if (head->type == RECORD_OPERATIONS)
        segment->operations = true;
    record_head_pack(packed, head, segment->record.number, offset);
    buf_append(&batch->run_bytes, packed, sizeof(packed));
    buf_append(&batch->run_bytes, bytes, head->stored);
    buf_append(&batch->run_bytes, padding,
               record_space(head->stored) - RECORD_HEADER - head->stored);
    *place = (struct piece){segment->record.number, offset, head->stored, head->real};
    return ERR_NONE;
}

/* ---- drafts ---- */

enum err_code batch_check_room(struct batch *batch, struct err *err)
{
    if (!batch->room_checked)
        database_has_room(batch->database, 0, &batch->no_room);
    batch->room_checked = true;
    if (batch->no_room.code != ERR_NONE && err != NULL)
        *err = batch->no_room;
    return batch->no_room.code;
}

enum err_code batch_check_draft(struct batch *batch, struct store_draft *draft, struct err *err)
{
    struct segments *segments = batch->database->segments;

    if (draft == NULL || !draft->finished || draft->database != batch->database)
        return err_set(err, ERR_INVALID, "not a finished draft of this database");
    for (uint32_t i = 0; i < draft->count; i++)
        if (draft->pieces[i].segment != NULL &&
            segment_has_failed(segments, draft->pieces[i].segment))
            return err_set(err, ERR_UNAVAILABLE, "the disk failed while the message came in");
    return ERR_NONE;
}

static enum err_code place_pieces(struct batch *batch, const struct store_draft *draft,
                                  uint8_t *row, struct err *err)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct draft_piece *piece = &draft->pieces[i];
        struct piece place = piece->place;

        if (piece->bytes != NULL) {
            struct record_head head = {.type = RECORD_PIECE,
                                       .compressed = place.stored != place.real,
                                       .stored = place.stored,
                                       .real = place.real,
                                       .crc = piece->crc};
            enum err_code code = batch_write_record(batch, &head, piece->bytes, &place, err);

            if (code != ERR_NONE)
                return code;
        }
        piece_pack(row, i, &place);
        segments_count(batch->database->segments, &place, 1);
    }
    return ERR_NONE;
}

static enum err_code write_draft(struct batch *batch, struct store_draft *draft, struct err *err)
{
    struct content_head head = {1, draft->size, draft->count};
    size_t length = CONTENT_HEAD + (size_t)draft->count * PIECE_ROW;
    uint8_t *row = arena_alloc(&batch->arena, length);
    struct tx tx = {batch->txn, 0};
    struct taken_draft *taken = arena_alloc(&batch->arena, sizeof(*taken));
    struct key key;
    enum err_code code;

    content_head_pack(row, &head);
    code = place_pieces(batch, draft, row, err);
    if (code != ERR_NONE)
        return code;
    taken->draft = draft;
    taken->next = batch->drafts;
    batch->drafts = taken;
    batch->must_sync = true;
    draft->content_id = batch->record.next_content++;
    key = key_content(draft->content_id);
    return tx_append(&tx, TABLE_CONTENT, &key, row, length, err);
}

enum err_code batch_take_draft(struct batch *batch, struct store_draft *draft, bool *written,
                               struct err *err)
{
    *written = false;
    if (draft->content_id != 0) {
        enum err_code code = batch_content_add(batch, draft->content_id, err);

        if (code == ERR_NONE || index_is_broken(batch->txn, NULL))
            return code; /* else it was dropped meanwhile, or cannot be shared */
    }
    *written = true;
    return write_draft(batch, draft, err);
}

/* ---- references ---- */

static enum err_code get_content(struct batch *batch, uint64_t id, struct key *key,
                                 struct content_head *head, struct bytes *row, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    enum err_code code;

    *key = key_content(id);
    code = tx_get(&tx, TABLE_CONTENT, key, row, err);
    if (code == ERR_NONE && !content_head_unpack(*row, head))
        code = tx_bad_row(&tx, TABLE_CONTENT, err);
    return code;
}

static enum err_code put_references(struct batch *batch, struct key *key, struct bytes row,
                                    struct content_head *head, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    uint8_t *copy = (uint8_t *)mem_string_n(row.data, row.length);
    enum err_code code;

    content_head_pack(copy, head);
    code = tx_put(&tx, TABLE_CONTENT, key, copy, row.length, err);
    free(copy);
    return code;
}

enum err_code batch_content_add(struct batch *batch, uint64_t content_id, struct err *err)
{
    struct content_head head;
    struct bytes row;
    struct key key;
    enum err_code code = get_content(batch, content_id, &key, &head, &row, err);

    if (code != ERR_NONE)
        return code;
    if (head.references == UINT32_MAX)
        return err_set(err, ERR_LIMIT, "too many copies of one message");
    head.references++;
    return put_references(batch, &key, row, &head, err);
}

enum err_code batch_content_drop(struct batch *batch, uint64_t content_id, struct err *err)
{
    struct tx tx = {batch->txn, 0};
    struct content_head head;
    struct bytes row;
    struct key key;
    enum err_code code = get_content(batch, content_id, &key, &head, &row, err);

    if (code != ERR_NONE)
        return code;
    if (head.references > 1) {
        head.references--;
        return put_references(batch, &key, row, &head, err);
    }
    for (uint32_t i = 0; i < head.pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        segments_count(batch->database->segments, &piece, -1);
        if (batch->erase)
            segments_erase(batch->database->segments, &piece);
    }
    return tx_remove(&tx, TABLE_CONTENT, &key, err);
}
