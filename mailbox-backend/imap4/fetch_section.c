/* The bytes of a section that was found and measured, in pieces. */
#include "mailbox-backend/imap4/fetch.h"

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void fetch_section_begin(struct fetch_message *message, const struct fetch_item *item)
{
    uint64_t origin = item->partial ? lesser(item->origin, item->size) : 0;

    message->left = 0;
    message->in_section = true;
    if (!item->exists)
        return;
    message->left = item->size - origin;
    if (item->partial)
        message->left = lesser(message->left, item->length);
    message->offset = item->range.offset + origin;
    if (fetch_is_sieved(item)) {
        fetch_sieve_begin(message, item, origin);
        message->skip = origin - message->passed;
    }
}

/* Straight from the store. */
static enum fetch_progress read_bytes(struct fetch_message *message, struct buf *out, size_t room,
                                      size_t *share, struct err *err)
{
    size_t length = room < FETCH_CHUNK ? room : FETCH_CHUNK;
    uint64_t end = message->offset + message->left;
    enum fetch_progress progress;
    size_t got;

    progress = fetch_message_read(message, end, buf_reserve(out, length), length, &got, share, err);
    if (progress == FETCH_TOLD) {
        buf_commit(out, got);
        message->left -= got;
    }
    return progress;
}

/* Passes on what lies between skip and left of the bytes that were let through. */
static void pass_on(struct fetch_message *message, struct buf *passed, struct buf *out)
{
    size_t skip = (size_t)lesser(message->skip, buf_length(passed));
    size_t length;

    buf_consume(passed, skip);
    message->skip -= skip;
    length = (size_t)lesser(message->left, buf_length(passed));
    buf_append(out, buf_bytes(passed), length);
    message->left -= length;
}

static enum fetch_progress read_sieved(struct fetch_message *message, const struct fetch_item *item,
                                       struct buf *out, size_t room, size_t *share, struct err *err)
{
    size_t length = room < FETCH_CHUNK ? room : FETCH_CHUNK;
    uint64_t end = item->range.offset + item->range.length;
    uint8_t bytes[FETCH_CHUNK];
    struct buf passed = {0};
    enum fetch_progress progress;
    size_t got;

    progress = fetch_message_read(message, end, bytes, length, &got, share, err);
    if (progress != FETCH_TOLD)
        return progress;
    fetch_sieve_feed(message, item, bytes, got, message->offset == end, &passed);
    if (item->partial)
        fetch_sieve_mark(message, item, item->origin + item->length);
    pass_on(message, &passed, out);
    buf_release(&passed);
    return FETCH_TOLD;
}

enum fetch_progress fetch_section_read(struct fetch_message *message, const struct fetch_item *item,
                                       struct buf *out, size_t room, size_t *share, struct err *err)
{
    return fetch_is_sieved(item) ? read_sieved(message, item, out, room, share, err)
                                 : read_bytes(message, out, room, share, err);
}
