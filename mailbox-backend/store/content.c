#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/piece.h"

struct content_piece {
    struct piece place;
    struct segment *segment; /* pinned */
    uint64_t start;          /* of its bytes in the message */
};

struct store_content {
    struct database *database;
    uint64_t size;
    uint32_t count;
    uint32_t read;   /* the piece whose record was read and not checked yet; count: none */
    uint32_t cached; /* the piece whose bytes are in memory; count: none */
    uint8_t *record;
    uint8_t *unpacked;
    const uint8_t *bytes; /* of the piece, in the record or unpacked */
    struct content_piece pieces[];
};

static enum err_code pin_pieces(struct store_content *content, struct bytes row, struct err *err)
{
    uint32_t count = content->count;
    uint64_t start = 0;

    content->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct content_piece *piece = &content->pieces[i];
        enum err_code code;

        piece_unpack(row, i, &piece->place);
        code =
            segments_pin(content->database->segments, piece->place.segment, &piece->segment, err);
        if (code != ERR_NONE)
            return code;
        piece->start = start;
        start += piece->place.real;
        content->count = i + 1;
    }
    content->read = count;
    content->cached = count;
    if (start != content->size)
        return err_set(err, ERR_CORRUPT, "the pieces of a message do not add up");
    return ERR_NONE;
}

enum err_code content_open(struct database *database, const struct tx *tx, uint64_t id,
                           struct store_content **out, struct err *err)
{
    struct key key = key_content(id);
    struct store_content *content;
    struct content_head head;
    struct bytes row;
    enum err_code code;

    *out = NULL;
    code = tx_get(tx, TABLE_CONTENT, &key, &row, err);
    if (code != ERR_NONE)
        return code;
    if (!content_head_unpack(row, &head))
        return tx_bad_row(tx, TABLE_CONTENT, err);
    content = mem_alloc(sizeof(*content) + head.pieces * sizeof(struct content_piece));
    content->database = database;
    content->size = head.size;
    content->count = head.pieces;
    code = pin_pieces(content, row, err);
    if (code != ERR_NONE)
        store_content_close(&content);
    *out = content;
    return code;
}

enum err_code store_content_open(struct store_read *read, const struct store_item *item,
                                 struct store_content **out, struct err *err)
{
    return content_open(read->mailbox->database, &read->tx, item->content_id, out, err);
}

static void forget(struct store_content *content)
{
    free(content->record);
    free(content->unpacked);
    content->record = NULL;
    content->unpacked = NULL;
    content->read = content->count;
    content->cached = content->count;
}

void store_content_close(struct store_content **out)
{
    struct store_content *content = *out;

    *out = NULL;
    if (content == NULL)
        return;
    for (uint32_t i = 0; i < content->count; i++)
        segments_unpin(content->database->segments, content->pieces[i].segment);
    forget(content);
    free(content);
}

uint64_t store_content_size(const struct store_content *content)
{
    return content->size;
}

/* The piece that has the byte at offset, which is inside. */
static uint32_t piece_at(const struct store_content *content, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = content->count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (content->pieces[middle].start <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void make_room(struct store_content *content, uint32_t n)
{
    forget(content);
    content->record = mem_grow(NULL, RECORD_HEADER + (size_t)content->pieces[n].place.stored, 1);
}

static enum err_code unpack(struct store_content *content, const struct record_head *head,
                            struct err *err)
{
    enum err_code code;

    content->unpacked = mem_grow(NULL, head->real, 1);
    code = codec_unpack(&content->database->store->codecs, content->record + RECORD_HEADER,
                        head->stored, content->unpacked, head->real, err);
    free(content->record);
    content->record = NULL;
    content->bytes = content->unpacked;
    return code;
}

static enum err_code load(struct store_content *content, uint32_t n, struct err *err)
{
    const struct content_piece *piece = &content->pieces[n];
    struct record_head head;
    enum err_code code;

    if (content->read == n) {
        code = piece_check(piece->segment, &piece->place, content->record, &head, err);
    } else {
        make_room(content, n);
        code = piece_read(piece->segment, &piece->place, content->record, &head, err);
    }
    content->read = content->count;
    content->bytes = content->record + RECORD_HEADER;
    if (code == ERR_NONE && head.compressed)
        code = unpack(content, &head, err);
    if (code == ERR_NONE)
        content->cached = n;
    return code;
}

enum err_code store_content_read(struct store_content *content, uint64_t offset, void *bytes,
                                 size_t length, size_t *got, struct err *err)
{
    *got = 0;
    while (*got < length && offset < content->size) {
        uint32_t n = piece_at(content, offset);
        const struct content_piece *piece = &content->pieces[n];
        size_t skip = (size_t)(offset - piece->start);
        size_t part = piece->place.real - skip;
        enum err_code code = content->cached == n ? ERR_NONE : load(content, n, err);

        if (code != ERR_NONE)
            return code;
        if (part > length - *got)
            part = length - *got;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): load() allocates them */
        memcpy((uint8_t *)bytes + *got, content->bytes + skip, part);
        *got += part;
        offset += part;
    }
    return ERR_NONE;
}

bool store_content_warm(struct store_content *content, uint64_t offset)
{
    const struct content_piece *piece;
    uint32_t n;

    if (offset >= content->size)
        return true;
    n = piece_at(content, offset);
    if (n == content->cached || n == content->read)
        return true;
    piece = &content->pieces[n];
    make_room(content, n);
    if (piece_read_warm(piece->segment, &piece->place, content->record)) {
        content->read = n;
        return true;
    }
    forget(content);
    return false;
}
