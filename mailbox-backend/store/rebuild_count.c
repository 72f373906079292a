/* What the contents say of the segments: live bytes, and whether the pieces are there. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/store/rebuild_private.h"

/* ---- contents ---- */

static bool is_there(struct rebuild *rebuild, const struct rebuild_segment *segment,
                     const struct piece *piece)
{
    if (segment == NULL || segment->record.state == SEGMENT_FREE)
        return false;
    return segment->settled || rebuild_has_piece(rebuild, piece);
}

static void count_content(struct rebuild *rebuild, uint64_t id, const struct content_head *head,
                          struct bytes row)
{
    bool whole = true;

    for (uint32_t i = 0; i < head->pieces; i++) {
        struct rebuild_segment *segment;
        struct piece piece;

        piece_unpack(row, i, &piece);
        segment = rebuild_segment(rebuild, piece.segment);
        whole = whole && is_there(rebuild, segment, &piece);
        if (segment != NULL)
            segment->record.live += record_space(piece.stored);
    }
    if (whole)
        return;
    rebuild->result->unreadable += head->references;
    rebuild->bad = mem_grow(rebuild->bad, rebuild->bad_count + 1, sizeof(*rebuild->bad));
    rebuild->bad[rebuild->bad_count++] = id;
}

static enum err_code count_contents(struct rebuild *rebuild, struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_content(0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        struct content_head head;

        if (code == ERR_NONE && content_head_unpack(scan.value, &head))
            count_content(rebuild, get_u64(scan.key.data), &head, scan.value);
        else
            rebuild->bad_rows++;
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- segments ---- */

/* A row without a file goes, unless contents are said to be in it: then the check tells. */
static enum err_code drop_row(struct rebuild *rebuild, const struct segment_record *record,
                              struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(record->number);

    if (rebuild_segment(rebuild, record->number) != NULL || record->live > 0)
        return ERR_NONE;
    return tx_remove(&tx, TABLE_SEGMENT, &key, err);
}

static enum err_code drop_rows(struct rebuild *rebuild, struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct segment_record record = {0};
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct key key = key_number(record.number + 1);
        struct tx_scan scan;

        code = scan_begin(&scan, &tx, TABLE_SEGMENT, PREFIX_NONE, err);
        if (code == ERR_NONE)
            code = scan_seek(&scan, &key, err);
        if (code == ERR_NONE && !segment_unpack(scan.value, get_u32(scan.key.data), &record))
            code = tx_bad_row(&tx, TABLE_SEGMENT, err);
        scan_end(&scan);
        if (code == ERR_NONE)
            code = drop_row(rebuild, &record, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* The pieces of a content whose row is damaged may be anywhere: until a repair has found them, all counts as
   live. */
static void count_all(const struct rebuild *rebuild, struct segment_record *record)
{
    if (rebuild->bad_rows > 0 && record->state == SEGMENT_SEALED && record->used > SEGMENT_HEADER)
        record->live = record->used - SEGMENT_HEADER;
}

/* Nothing is appended to a segment again; one that holds no content is free. When its first record died is not known. */
static enum err_code put_row(struct rebuild *rebuild, const struct segment_record *record,
                             struct err *err)
{
    struct tx tx = {rebuild->batch.txn, 0};
    struct key key = key_number(record->number);
    struct segment_record put = *record;
    uint8_t row[SEGMENT_ROW];

    count_all(rebuild, &put);
    if (put.died == 0)
        put.died = time(NULL);
    if (put.live == 0 && put.state == SEGMENT_SEALED) {
        put.state = SEGMENT_FREE;
        put.generation++;
        put.used = SEGMENT_HEADER;
    }
    if (put.number >= rebuild->batch.record.next_segment)
        rebuild->batch.record.next_segment = put.number + 1;
    segment_pack(row, &put);
    return tx_put(&tx, TABLE_SEGMENT, &key, row, sizeof(row), err);
}

enum err_code rebuild_count(struct rebuild *rebuild, struct err *err)
{
    enum err_code code;

    rebuild->bad_count = 0;
    rebuild->bad_rows = 0;
    rebuild->result->unreadable = 0;
    for (size_t i = 0; i < rebuild->segment_count; i++)
        rebuild->segments[i].record.live = 0;
    code = count_contents(rebuild, err);
    if (code == ERR_NONE)
        code = drop_rows(rebuild, err);
    for (size_t i = 0; i < rebuild->segment_count && code == ERR_NONE; i++)
        code = put_row(rebuild, &rebuild->segments[i].record, err);
    return code;
}
