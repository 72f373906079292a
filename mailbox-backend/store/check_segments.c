/* Segments against the contents that lie in them. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/segment_internal.h"

struct live {
    uint32_t number;
    uint64_t said;    /* by the segment's row */
    uint64_t counted; /* from the contents' rows */
};

struct lives {
    struct live *all; /* in order of number */
    size_t count;
    bool quiet; /* pieces have been looked at before */
};

static const struct check_place nowhere;

/* ---- rows of segments ---- */

static void add_segment(struct check *check, const struct check_row *row, void *context)
{
    struct lives *lives = context;
    struct segment_record segment;

    (void)check;
    if (row->damaged || row->key.length != 4 || get_u32(row->key.data) == 0 ||
        !segment_unpack(row->value, get_u32(row->key.data), &segment))
        return;
    lives->all = mem_grow(lives->all, lives->count + 1, sizeof(struct live));
    lives->all[lives->count++] = (struct live){.number = segment.number, .said = segment.live};
}

static struct live *find(struct lives *lives, uint32_t number)
{
    size_t low = 0;
    size_t high = lives->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lives->all[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < lives->count && lives->all[low].number == number ? &lives->all[low] : NULL;
}

/* ---- rows of contents ---- */

static bool is_free_or_short(const struct segment_record *segment, const struct piece *piece)
{
    return segment->state == SEGMENT_FREE || piece->offset < SEGMENT_HEADER ||
           piece->offset % RECORD_ALIGN != 0 || piece->stored > piece->real ||
           piece->real > PIECE_BYTES ||
           piece->offset + (uint64_t)record_space(piece->stored) > segment->used;
}

static void check_piece(struct check *check, uint64_t id, const struct piece *piece)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_number(piece->segment);
    struct segment_record segment;
    struct bytes row;
    enum err_code code = tx_get(&tx, TABLE_SEGMENT, &key, &row, NULL);

    if (code == ERR_NOT_FOUND || piece->segment == 0)
        check_report(check, nowhere, ADVICE_RESTORE,
                     "content %" PRIu64 " lies in segment %" PRIu32 ", which does not exist", id,
                     piece->segment);
    else if (code == ERR_NONE && segment_unpack(row, piece->segment, &segment) &&
             is_free_or_short(&segment, piece))
        check_report(check, nowhere, ADVICE_RESTORE,
                     "content %" PRIu64 " lies at %" PRIu32 " in segment %" PRIu32
                     ", where nothing can be",
                     id, piece->offset, piece->segment);
}

static void check_pieces(struct check *check, uint64_t id, const struct content_head *head,
                         struct bytes row)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < head->pieces; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        size += piece.real;
        check_piece(check, id, &piece);
    }
    if (size != head->size)
        check_report(check, nowhere, ADVICE_RESTORE,
                     "content %" PRIu64 " has %" PRIu64 " bytes, its pieces have %" PRIu64, id,
                     head->size, size);
}

static void add_content(struct check *check, const struct check_row *row, void *context)
{
    struct lives *lives = context;
    struct content_head head;

    if (row->damaged || row->key.length != 8 || !content_head_unpack(row->value, &head)) {
        const struct mend mend = {.kind = row->key.length == 8 ? MEND_CONTENT : MEND_NOTHING,
                                  .number = row->key.length == 8 ? get_u64(row->key.data) : 0};

        if (!lives->quiet)
            check_report_mend(check, &mend,
                              "a row of the table content is damaged (its checksum is wrong)");
        check->contents_damaged = true;
        return;
    }
    for (uint32_t i = 0; i < head.pieces; i++) {
        struct live *live;
        struct piece piece;

        piece_unpack(row->value, i, &piece);
        live = find(lives, piece.segment);
        if (live != NULL)
            live->counted += record_space(piece.stored);
    }
    if (lives->quiet)
        return;
    check->result->contents++;
    check_pieces(check, get_u64(row->key.data), &head, row->value);
}

/* ---- the pass ---- */

static enum err_code add_up(struct check *check, struct lives *lives, struct err *err)
{
    enum err_code code;

    lives->count = 0;
    code = check_walk(check, TABLE_SEGMENT, key_number(1), add_segment, lives, err);
    if (code == ERR_NONE)
        code = check_walk(check, TABLE_CONTENT, key_content(0), add_content, lives, err);
    return code;
}

static bool is_right(const struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++)
        if (lives->all[i].said != lives->all[i].counted)
            return false;
    return true;
}

static void tell(struct check *check, const struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++) {
        const struct live *live = &lives->all[i];

        const struct mend mend = {.kind = MEND_LIVE,
                                  .number = live->number,
                                  .difference = (int64_t)(live->counted - live->said)};

        if (mend.difference != 0)
            check_report_mend(check, &mend,
                              "segment %" PRIu32 " counts %" PRIu64 " live bytes and has %" PRIu64
                              "%s",
                              live->number, live->said, live->counted,
                              mend.difference > 0 ? ": it may be used again too early" : "");
    }
}

/* What does not add up in slices is added up in one snapshot: contents come and go meanwhile. */
static enum err_code add_up_whole(struct check *check, struct lives *lives, struct err *err)
{
    enum err_code code = check_slice_begin(check, err);

    lives->quiet = true;
    if (code != ERR_NONE)
        return code;
    check->whole = true;
    code = add_up(check, lives, err);
    check->whole = false;
    if (code == ERR_NONE)
        tell(check, lives);
    if (code == ERR_NONE)
        return check_slice_end(check, err);
    index_read_end(&check->txn);
    return code;
}

/* ---- files ---- */

/* True unless the row says, now, that the segment is in use. One without live records may be free already,
   and its row follow with the next commit. */
static bool is_unused(struct check *check, uint32_t number)
{
    struct tx tx = check_tx(check, 0);
    struct key key = key_number(number);
    struct segment_record segment;
    struct bytes row;

    return tx_get(&tx, TABLE_SEGMENT, &key, &row, NULL) != ERR_NONE ||
           !segment_unpack(row, number, &segment) || segment.state == SEGMENT_FREE ||
           (segment.state == SEGMENT_SEALED && segment.live == 0);
}

static bool has_file(struct check *check, uint32_t number)
{
    char *path = segment_path(check->database->folder, number);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

static enum err_code check_file(struct check *check, uint32_t number, struct err *err)
{
    const struct mend mend = {.kind = MEND_FILE, .number = number};
    struct segment *segment;
    struct err why;
    enum err_code code;

    if (segments_pin(check->database->segments, number, &segment, &why) == ERR_NONE) {
        segments_unpin(check->database->segments, segment);
        return ERR_NONE;
    }
    code = check_slice_begin(check, err);
    if (code != ERR_NONE)
        return code;
    if (!is_unused(check, number) && has_file(check, number))
        check_report_mend(check, &mend, "%s: none of its messages can be read", why.text);
    else if (!is_unused(check, number))
        check_report(check, nowhere, ADVICE_RESTORE, "%s", why.text);
    return check_slice_end(check, err);
}

enum err_code check_segments(struct check *check, struct err *err)
{
    struct lives lives = {0};
    enum err_code code = add_up(check, &lives, err);

    for (size_t i = 0; i < lives.count && code == ERR_NONE; i++)
        code = check_file(check, lives.all[i].number, err);
    if (code == ERR_NONE && !is_right(&lives))
        code = add_up_whole(check, &lives, err);
    free(lives.all);
    return code;
}
