/* PREVIEW (RFC 8970): from the beginning of the first part that has something to say. */
#include "mailbox-backend/imap4/fetch.h"

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A part that begins behind what may be looked at does not count: whether the tree knows it depends on what
   else was asked for. */
static bool begin_part(struct fetch_message *message, const struct mime_part *from, uint64_t end)
{
    const struct mime_part *part = mime_preview_part(from);

    if (part == NULL || part->body_offset >= end)
        part = NULL;
    message->preview_part = part;
    message->in_section = part != NULL;
    if (part == NULL)
        return false;
    mime_preview_begin(&message->preview, part);
    message->offset = part->body_offset;
    return true;
}

static enum fetch_progress read_part(struct fetch_message *message, uint64_t end, size_t *share,
                                     struct err *err)
{
    bool whole = false;

    while (message->offset < end && !whole) {
        uint8_t bytes[FETCH_CHUNK / 4];
        enum fetch_progress progress;
        size_t got;

        progress = fetch_message_read(message, end, bytes, sizeof(bytes), &got, share, err);
        if (progress != FETCH_TOLD)
            return progress;
        whole = mime_preview_feed(&message->preview, bytes, got);
    }
    mime_preview_end(&message->preview);
    return FETCH_TOLD;
}

enum fetch_progress fetch_preview_make(struct fetch_message *message, size_t *share,
                                       struct err *err)
{
    uint64_t end = lesser(message->item.header_size + FETCH_PREVIEW_BYTES,
                          store_content_size(message->content));

    if (!message->in_section && !begin_part(message, message->root, end))
        return FETCH_TOLD;
    do {
        const struct mime_part *part = message->preview_part;
        enum fetch_progress progress =
            read_part(message, lesser(part->body_offset + part->body_length, end), share, err);

        if (progress != FETCH_TOLD)
            return progress;
    } while (message->preview.length == 0 &&
             begin_part(message, mime_part_next(message->preview_part), end));
    message->in_section = false;
    return FETCH_TOLD;
}
