#include "mailbox-backend/store/draft.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/crc32c.h"
#include "common/mem.h"
#include "mailbox-backend/store/mount.h"

#define MEMORY_MOST (1u << 20) /* longer messages are written by the thread that brings them */

enum err_code store_draft_create(struct store *store, unsigned database, uint64_t expected,
                                 struct store_draft **out, struct err *err)
{
    struct store_draft *draft;
    struct database *home;
    enum err_code code = store_mounted(store, database, &home, err);

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    if (expected > store->settings.message_size_limit)
        return err_set(err, ERR_LIMIT, "the message is larger than %" PRIu64 " bytes",
                       store->settings.message_size_limit);
    if (atomic_load(&store->content_bytes) + (expected < MEMORY_MOST ? expected : MEMORY_MOST) >
        store->settings.content_budget)
        return err_set(err, ERR_LIMIT, "too much content is on its way in");
    code = database_has_room(home, expected, err);
    if (code != ERR_NONE)
        return code;
    draft = mem_alloc(sizeof(*draft));
    atomic_init(&draft->references, 1);
    draft->database = home;
    *out = draft;
    return ERR_NONE;
}

/* ---- the content budget ---- */

static enum err_code charge(struct store_draft *draft, uint64_t bytes, struct err *err)
{
    struct store *store = draft->database->store;
    uint64_t before = atomic_fetch_add(&store->content_bytes, bytes);

    if (before + bytes > store->settings.content_budget) {
        atomic_fetch_sub(&store->content_bytes, bytes);
        return err_set(err, ERR_LIMIT, "too much content is on its way in");
    }
    draft->charged += bytes;
    return ERR_NONE;
}

static void credit(struct store_draft *draft, uint64_t bytes)
{
    assert(bytes <= draft->charged);
    atomic_fetch_sub(&draft->database->store->content_bytes, bytes);
    draft->charged -= bytes;
}

/* ---- pieces ---- */

struct record_head draft_piece_head(const struct store_draft *draft,
                                    const struct draft_piece *piece, const struct segment *segment)
{
    return (struct record_head){
        .type = RECORD_PIECE,
        .compressed = piece->place.stored != piece->place.real,
        .generation = segment->record.generation,
        .start = segments_start(draft->database->segments),
        .stored = piece->place.stored,
        .real = piece->place.real,
        .crc = piece->crc,
    };
}

/* Writes a piece to a segment from this thread. */
static enum err_code place(struct store_draft *draft, struct draft_piece *piece, struct err *err)
{
    struct segments *segments = draft->database->segments;
    uint8_t head[RECORD_HEADER];
    struct record_head record;
    struct segment *segment;
    uint32_t offset;
    enum err_code code;

    code = segments_reserve(segments, piece->place.stored, &segment, &offset, err);
    if (code != ERR_NONE)
        return code;
    record = draft_piece_head(draft, piece, segment);
    record_head_pack(head, &record, segment->record.number, offset);
    code = segment_write(segments, segment, offset, head, sizeof(head), err);
    if (code == ERR_NONE)
        code = segment_write(segments, segment, offset + RECORD_HEADER, piece->bytes,
                             piece->place.stored, err);
    if (code != ERR_NONE) {
        segments_unpin(segments, segment);
        return code;
    }
    piece->segment = segment;
    piece->place.segment = segment->record.number;
    piece->place.offset = offset;
    free(piece->bytes);
    piece->bytes = NULL;
    draft->in_memory -= piece->place.stored;
    credit(draft, piece->place.stored);
    return ERR_NONE;
}

static enum err_code place_all(struct store_draft *draft, struct err *err)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        enum err_code code =
            draft->pieces[i].bytes != NULL ? place(draft, &draft->pieces[i], err) : ERR_NONE;

        if (code != ERR_NONE)
            return code;
    }
    return ERR_NONE;
}

static struct draft_piece *new_piece(struct store_draft *draft)
{
    if (draft->count == draft->room) {
        draft->room = draft->room == 0 ? 1 : draft->room * 2;
        draft->pieces = mem_grow(draft->pieces, draft->room, sizeof(*draft->pieces));
    }
    draft->pieces[draft->count] = (struct draft_piece){0};
    return &draft->pieces[draft->count++];
}

/* Makes a piece of what has come so far. */
static enum err_code end_piece(struct store_draft *draft, struct err *err)
{
    struct store *store = draft->database->store;
    struct draft_piece *piece = new_piece(draft);
    size_t length = buf_length(&draft->raw);
    size_t stored = 0;

    if (store->settings.compress)
        stored = codec_pack(&store->codecs, buf_bytes(&draft->raw), length, &piece->bytes);
    if (stored == 0) {
        stored = length;
        piece->bytes = (uint8_t *)mem_string_n(buf_bytes(&draft->raw), length);
    }
    piece->place.real = (uint32_t)length;
    piece->place.stored = (uint32_t)stored;
    piece->crc = crc32c(0, piece->bytes, stored);
    buf_release(&draft->raw);
    credit(draft, length - stored);
    draft->in_memory += stored;
    if (draft->in_memory > MEMORY_MOST || draft->pieces[0].bytes == NULL)
        return place_all(draft, err);
    return ERR_NONE;
}

enum err_code store_draft_append(struct store_draft *draft, const void *bytes, size_t length,
                                 struct err *err)
{
    const uint8_t *at = bytes;

    assert(!draft->finished);
    if (length > draft->database->store->settings.message_size_limit - draft->size)
        return err_set(err, ERR_LIMIT, "the message is larger than %" PRIu64 " bytes",
                       draft->database->store->settings.message_size_limit);
    while (length > 0) {
        size_t room = PIECE_BYTES - buf_length(&draft->raw);
        size_t part = length < room ? length : room;
        enum err_code code = charge(draft, part, err);

        if (code != ERR_NONE)
            return code;
        buf_append(&draft->raw, at, part);
        draft->size += part;
        at += part;
        length -= part;
        if (part == room && (code = end_piece(draft, err)) != ERR_NONE)
            return code;
    }
    return ERR_NONE;
}

enum err_code store_draft_finish(struct store_draft *draft, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (!draft->finished && buf_length(&draft->raw) > 0)
        code = end_piece(draft, err);
    draft->finished = code == ERR_NONE;
    return code;
}

uint64_t store_draft_size(const struct store_draft *draft)
{
    return draft->size;
}

struct store_draft *store_draft_ref(struct store_draft *draft)
{
    atomic_fetch_add(&draft->references, 1);
    return draft;
}

void store_draft_unref(struct store_draft **out)
{
    struct store_draft *draft = *out;

    *out = NULL;
    if (draft == NULL || atomic_fetch_sub(&draft->references, 1) != 1)
        return;
    for (uint32_t i = 0; i < draft->count; i++) {
        free(draft->pieces[i].bytes);
        if (draft->pieces[i].segment != NULL)
            segments_unpin(draft->database->segments, draft->pieces[i].segment);
    }
    free(draft->pieces);
    buf_release(&draft->raw);
    credit(draft, draft->charged);
    free(draft);
}
