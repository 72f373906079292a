#include "proto/frame.h"

#include <assert.h>
#include <string.h>

#define LENGTH_BYTES 4u
#define SESSION_FIELD 1u
#define DATA_FIELD 9u
#define BODY_LAST_POSSIBLE 99u

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static void put_length(uint8_t bytes[LENGTH_BYTES], size_t length)
{
    bytes[0] = (uint8_t)(length >> 24);
    bytes[1] = (uint8_t)(length >> 16);
    bytes[2] = (uint8_t)(length >> 8);
    bytes[3] = (uint8_t)length;
}

static size_t get_length(const uint8_t bytes[LENGTH_BYTES])
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

/* At most ten bytes; bits beyond 64 are dropped, as protobuf has it. */
static bool get_varint(struct cursor *cursor, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;

        *value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

static bool skip(struct cursor *cursor, uint64_t length)
{
    if (length > (uint64_t)(cursor->end - cursor->at))
        return false;
    cursor->at += length;
    return true;
}

static bool take_body(struct cursor *cursor, uint64_t field, struct frame_view *view)
{
    uint64_t length;

    if (!get_varint(cursor, &length) || length > (uint64_t)(cursor->end - cursor->at))
        return false;
    if (field >= FRAME_BODY_FIRST && field <= BODY_LAST_POSSIBLE) {
        if (view->body != 0)
            return false; /* two bodies */
        view->body = (uint32_t)field;
        view->payload = cursor->at;
        view->payload_length = (size_t)length;
    }
    return skip(cursor, length);
}

static bool take_number(struct cursor *cursor, uint64_t field, struct frame_view *view)
{
    uint64_t value;

    if (!get_varint(cursor, &value))
        return false;
    if (field == SESSION_FIELD)
        view->session = (uint32_t)value;
    return true;
}

static bool take_field(struct cursor *cursor, struct frame_view *view)
{
    uint64_t key;

    if (!get_varint(cursor, &key) || key >> 3 == 0)
        return false;
    switch ((enum wire)(key & 7)) {
    case WIRE_VARINT:
        return take_number(cursor, key >> 3, view);
    case WIRE_BYTES:
        return take_body(cursor, key >> 3, view);
    case WIRE_64:
        return skip(cursor, 8);
    case WIRE_32:
        return skip(cursor, 4);
    default:
        return false;
    }
}

static enum frame_result bad(struct err *err, const char *why)
{
    err_set(err, ERR_INVALID, "%s", why);
    return FRAME_BAD;
}

enum frame_result frame_read(const uint8_t *bytes, size_t length, struct frame_view *view,
                             struct err *err)
{
    struct cursor cursor;

    *view = (struct frame_view){0};
    if (length < LENGTH_BYTES)
        return FRAME_PARTIAL;
    view->message_length = get_length(bytes);
    if (view->message_length > FRAME_MAX)
        return bad(err, "a frame is over the limit of 65536 bytes");
    view->size = LENGTH_BYTES + view->message_length;
    if (length < view->size)
        return FRAME_PARTIAL;
    view->message = bytes + LENGTH_BYTES;
    cursor = (struct cursor){view->message, view->message + view->message_length};
    while (cursor.at < cursor.end) {
        if (!take_field(&cursor, view))
            return bad(err, "a frame is malformed");
    }
    if (view->body == 0)
        return bad(err, "a frame has no body");
    return FRAME_WHOLE;
}

/* protobuf-c's allocations go to the arena, up to a bound; freeing is the arena's. */
struct bound {
    struct arena *arena;
    size_t most;
    bool exceeded;
};

static void *bounded_alloc(void *data, size_t size)
{
    struct bound *bound = data;

    if (bound->arena->total >= bound->most || size > bound->most - bound->arena->total) {
        bound->exceeded = true;
        return NULL;
    }
    return arena_alloc(bound->arena, size);
}

static void bounded_free(void *data, void *memory)
{
    (void)data;
    (void)memory;
}

enum err_code frame_unpack(const struct frame_view *view, struct arena *arena, Link__Frame **frame,
                           struct err *err)
{
    struct bound bound = {arena, arena->total + FRAME_UNPACK_MAX, false};
    ProtobufCAllocator allocator = {bounded_alloc, bounded_free, &bound};

    *frame = link__frame__unpack(&allocator, view->message_length, view->message);
    if (*frame != NULL && (uint32_t)(*frame)->body_case == view->body)
        return ERR_NONE;
    if (bound.exceeded)
        return err_set(err, ERR_LIMIT, "a frame holds too many parts");
    return err_set(err, ERR_INVALID, "a frame is malformed");
}

bool frame_write(struct buf *out, const Link__Frame *frame)
{
    size_t length = link__frame__get_packed_size(frame);
    uint8_t *room;

    if (length > FRAME_MAX)
        return false;
    room = buf_reserve(out, LENGTH_BYTES + length);
    put_length(room, length);
    link__frame__pack(frame, room + LENGTH_BYTES);
    buf_commit(out, LENGTH_BYTES + length);
    return true;
}

static size_t put_varint(uint8_t *bytes, uint64_t value)
{
    size_t used = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[used++] = (uint8_t)(value | 0x80);
    bytes[used++] = (uint8_t)value;
    return used;
}

size_t frame_data_head(uint8_t head[FRAME_DATA_HEAD_MAX], uint32_t session, size_t length)
{
    size_t used = LENGTH_BYTES;

    assert(length <= FRAME_DATA_MAX);
    if (session != 0) { /* proto3 leaves zeros out */
        head[used++] = SESSION_FIELD << 3 | WIRE_VARINT;
        used += put_varint(head + used, session);
    }
    head[used++] = DATA_FIELD << 3 | WIRE_BYTES;
    used += put_varint(head + used, length);
    put_length(head, used - LENGTH_BYTES + length);
    return used;
}

void frame_write_data(struct buf *out, uint32_t session, const void *bytes, size_t length)
{
    uint8_t head[FRAME_DATA_HEAD_MAX];
    size_t head_length = frame_data_head(head, session, length);
    uint8_t *room = buf_reserve(out, head_length + length);

    memcpy(room, head, head_length);
    if (length != 0)
        memcpy(room + head_length, bytes, length);
    buf_commit(out, head_length + length);
}
