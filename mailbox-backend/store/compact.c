#include "mailbox-backend/store/compact.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/compact_ahead.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/piece.h"

#define LIVE_PERCENT 60u      /* segments with a smaller live share are rewritten */
#define LIVE_PERCENT_FULL 80u /* while the store takes too much */
#define SLICE_BYTES (8u << 20)
#define SLICE_BYTES_BUSY (1u << 20) /* while operations are waiting */
#define SLICE_ROWS 10000u           /* content rows looked at, at most */
#define LOOK_MS 1000u               /* how often to look for work, at least */
#define AHEAD_MS 2u                 /* how often to look whether what comes next was read */
#define NO_ROOM_MS 10000u

struct compact {
    struct database *database;
    bool urgent;
    uint64_t next_ms;     /* nothing is done before (monotonic) */
    uint64_t sealed;      /* segments, when it last looked */
    struct chosen chosen; /* of the running pass; none: there is no pass */
    uint64_t next;        /* content id where the pass goes on */
    bool at_end;          /* of the table: the pass ends when the slice is durable */
    struct ahead *ahead;
    bool asked;      /* it was asked to read what comes next */
    uint64_t warm;   /* below this content id it has */
    bool damaged;    /* the pass met what cannot be moved */
    uint8_t *record; /* room for one */
};

/* What is left of a slice. */
struct slice {
    struct compact *compact;
    struct batch *batch;
    unsigned rows;
    uint64_t bytes;
    uint64_t upto; /* content id: no further */
    bool ended;    /* not at the table's end */
};

/* A content with something to be moved: a copy of its row. */
struct found {
    uint64_t id;
    uint8_t *row;
    size_t length;
    uint32_t pieces;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct compact *compact_create(struct database *database)
{
    struct compact *compact = mem_alloc(sizeof(*compact));

    compact->database = database;
    return compact;
}

void compact_destroy(struct compact **compact)
{
    if (*compact != NULL) {
        ahead_destroy(&(*compact)->ahead);
        free((*compact)->record);
    }
    free(*compact);
    *compact = NULL;
}

/* ---- a pass ---- */

static void end_pass(struct compact *compact)
{
    compact->chosen.count = 0;
    free(compact->record);
    compact->record = NULL;
    atomic_store(&compact->database->compacting, false);
}

static void begin_pass(struct compact *compact)
{
    const struct segments_rule rule = {
        .percent = compact->urgent ? LIVE_PERCENT_FULL : LIVE_PERCENT,
        .old = time(NULL) - COMPACT_OLD_SECONDS,
    };

    compact->chosen.count = segments_choose(compact->database->segments, &rule,
                                            compact->chosen.numbers, COMPACT_AT_ONCE);
    if (compact->chosen.count == 0)
        return;
    compact->next = 1;
    compact->at_end = compact->damaged = false;
    compact->asked = false;
    compact->warm = 0;
    compact->record = mem_grow(NULL, RECORD_HEADER + PIECE_BYTES, 1);
    atomic_store(&compact->database->compacting, true);
}

/* What was damaged must not be tried over and over. */
static void finish_pass(struct compact *compact)
{
    if (compact->damaged)
        segments_give_up(compact->database->segments, compact->chosen.numbers,
                         compact->chosen.count);
    end_pass(compact);
}

void compact_failed(struct compact *compact)
{
    end_pass(compact);
    compact->next_ms = now_ms() + NO_ROOM_MS;
}

static void look(struct compact *compact)
{
    compact->sealed = segments_sealed(compact->database->segments);
    compact->urgent = segments_overfull(compact->database->segments);
    if (compact->chosen.count > 0)
        return;
    compact->next_ms = now_ms() + LOOK_MS;
    begin_pass(compact);
    if (compact->chosen.count > 0 && !database_can_compact(compact->database)) {
        end_pass(compact);
        compact->next_ms = now_ms() + NO_ROOM_MS;
    }
}

/* What comes next was read ahead, or there is nothing more to be read; else it is asked for. Only a store that
   takes too much does not wait for it. */
static bool is_warm(struct compact *compact)
{
    if (compact->at_end || compact->next < compact->warm)
        return true;
    if (compact->ahead == NULL)
        compact->ahead = ahead_create(compact->database);
    if (!compact->asked)
        ahead_ask(compact->ahead, &compact->chosen, compact->next);
    compact->asked = !ahead_is_done(compact->ahead, &compact->warm);
    return !compact->asked;
}

bool compact_is_due(struct compact *compact)
{
    bool sealed = segments_sealed(compact->database->segments) != compact->sealed;
    bool is_time = now_ms() >= compact->next_ms;
    bool warm;

    if (sealed || (is_time && compact->chosen.count == 0))
        look(compact);
    warm = compact->chosen.count > 0 && is_warm(compact);
    return compact->chosen.count > 0 && ((is_time && warm) || compact->urgent);
}

bool compact_is_urgent(const struct compact *compact)
{
    return compact->urgent && compact->chosen.count > 0;
}

uint64_t compact_wait_ms(const struct compact *compact)
{
    uint64_t now = now_ms();

    if (compact_is_urgent(compact))
        return 0;
    if (compact->next_ms > now)
        return compact->next_ms - now;
    return compact->asked ? AHEAD_MS : 0;
}

/* ---- moving ---- */

static void report(struct compact *compact, const char *what)
{
    compact->damaged = true;
    log_error(compact->database->name, "compaction: %s", what);
}

/* ERR_CORRUPT: it stays where it is. Other errors are the batch's. */
static enum err_code move_piece(struct slice *slice, struct piece *place, struct err *err)
{
    struct segments *segments = slice->batch->database->segments;
    struct piece from = *place;
    struct segment *segment;
    struct record_head head;
    enum err_code code;

    if (from.stored > PIECE_BYTES)
        return err_set(err, ERR_CORRUPT, "a piece that is too long");
    if (segments_pin(segments, from.segment, &segment, err) != ERR_NONE)
        return ERR_CORRUPT;
    code = piece_read(segment, &from, slice->compact->record, &head, err);
    segments_unpin(segments, segment);
    if (code != ERR_NONE)
        return ERR_CORRUPT;
    code =
        batch_write_record(slice->batch, &head, slice->compact->record + RECORD_HEADER, place, err);
    if (code != ERR_NONE)
        return err->code = ERR_UNAVAILABLE;
    segments_count(segments, &from, -1);
    segments_count(segments, place, 1);
    return ERR_NONE;
}

/* Moves the pieces of a content that are in chosen segments, as far as the slice goes; *moved says
   how many, *more whether some are left. */
static enum err_code move_pieces(struct slice *slice, struct found *found, unsigned *moved,
                                 bool *more, struct err *err)
{
    struct bytes row = {found->row, found->length};

    for (uint32_t i = 0; i < found->pieces && !*more; i++) {
        struct piece place;
        enum err_code code;

        piece_unpack(row, i, &place);
        if (!chosen_has(&slice->compact->chosen, place.segment))
            continue;
        *more = slice->bytes < record_space(place.stored);
        if (*more)
            break;
        code = move_piece(slice, &place, err);
        if (code == ERR_CORRUPT)
            report(slice->compact, err->text);
        else if (code != ERR_NONE)
            return code;
        if (code != ERR_NONE)
            continue;
        piece_pack(found->row, i, &place);
        slice->bytes -= record_space(place.stored);
        ++*moved;
    }
    return ERR_NONE;
}

static void note(struct batch *batch, const struct found *found)
{
    struct bytes row = {found->row, found->length};
    Journal__Operation *operation =
        journal_add_database(batch, JOURNAL__OPERATION__WHAT_CONTENT_SET);
    Journal__Content *content = arena_alloc(&batch->arena, sizeof(*content));

    journal__content__init(content);
    operation->content_set = content;
    content->content_id = found->id;
    content->n_pieces = found->pieces;
    content->pieces = journal_pieces(batch, row, found->pieces);
}

/* *more: the slice is used up before the content's end. */
static enum err_code move_content(struct slice *slice, struct found *found, bool *more,
                                  struct err *err)
{
    struct tx tx = {slice->batch->txn, 0};
    struct key key = key_content(found->id);
    unsigned moved = 0;
    enum err_code code = move_pieces(slice, found, &moved, more, err);

    if (code != ERR_NONE || moved == 0)
        return code;
    slice->batch->must_sync = true;
    note(slice->batch, found);
    return tx_put(&tx, TABLE_CONTENT, &key, found->row, found->length, err);
}

/* ---- finding ---- */

static bool has_chosen(const struct compact *compact, struct bytes row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        if (chosen_has(&compact->chosen, piece.segment))
            return true;
    }
    return false;
}

static void take(struct slice *slice, uint64_t id, struct bytes row, uint32_t pieces,
                 struct found *found)
{
    *found = (struct found){.id = id, .length = row.length, .pieces = pieces};
    found->row = (uint8_t *)arena_copy(&slice->batch->arena, row.data, row.length);
}

/* The next content with a piece in a chosen segment. ERR_NOT_FOUND at the end of the table, or of
   the slice. */
static enum err_code find(struct slice *slice, struct found *found, struct err *err)
{
    struct compact *compact = slice->compact;
    struct tx tx = {slice->batch->txn, 0};
    struct key key = key_content(compact->next);
    struct content_head head;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        compact->next = get_u64(scan.key.data);
        slice->ended = slice->rows == 0 || compact->next >= slice->upto;
        if (slice->ended) {
            code = err_set(err, ERR_NOT_FOUND, "the slice has ended");
            break;
        }
        slice->rows--;
        if (code == ERR_CORRUPT || !content_head_unpack(scan.value, &head)) {
            report(compact, "a damaged content row");
        } else if (has_chosen(compact, scan.value, head.pieces)) {
            take(slice, compact->next, scan.value, head.pieces, found);
            break;
        }
    }
    compact->at_end = code == ERR_NOT_FOUND && !slice->ended;
    scan_end(&scan);
    return code;
}

static enum err_code go(struct slice *slice, struct err *err)
{
    bool more = false;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !more) {
        struct found found = {0};

        code = find(slice, &found, err);
        if (code == ERR_NONE)
            code = move_content(slice, &found, &more, err);
        if (code == ERR_NONE && !more)
            slice->compact->next = found.id + 1;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- slices ---- */

static void pace(struct compact *compact, uint64_t moved)
{
    uint64_t rate = compact->database->store->settings.compact_rate;

    atomic_fetch_add(&compact->database->moved, moved);
    compact->next_ms = now_ms() + (rate == 0 ? 0 : moved * 1000 / rate);
}

void compact_slice(struct compact *compact, struct batch *batch, bool idle)
{
    uint64_t bytes = idle || compact->urgent ? SLICE_BYTES : SLICE_BYTES_BUSY;
    struct slice slice = {
        .compact = compact, .batch = batch, .rows = SLICE_ROWS, .bytes = bytes, .upto = UINT64_MAX};
    struct err err = {0};
    enum err_code code;

    if (compact->chosen.count > 0 && compact->at_end) { /* and the slice that found it is durable */
        finish_pass(compact);
        look(compact);
        if (compact->chosen.count > 0)
            compact->next_ms = 0;
    }
    if (compact->chosen.count == 0 || (!compact->urgent && !is_warm(compact)))
        return;
    if (!compact->urgent)
        slice.upto = compact->warm;
    code = go(&slice, &err);
    if (code != ERR_NONE)
        index_break(batch->txn, &err); /* rows were written that must not stay */
    pace(compact, bytes - slice.bytes);
}
