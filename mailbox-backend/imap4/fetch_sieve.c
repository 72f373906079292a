/* What stands between a section's bytes in the content and those of its answer: the choice of header
   fields, or the decoding of BINARY. */
#include "mailbox-backend/imap4/fetch.h"

static bool is_filtered(const struct fetch_item *item)
{
    return item->section.kind == MIME_SECTION_FIELDS ||
           item->section.kind == MIME_SECTION_FIELDS_NOT;
}

bool fetch_is_sieved(const struct fetch_item *item)
{
    return is_filtered(item) || item->encoding != TRANSFER_IDENTITY;
}

/* BINARY looks for NUL even where nothing is decoded: its literal has a form of its own then. */
bool fetch_needs_count(const struct fetch_item *item)
{
    return item->kind == FETCH_SECTION && item->exists &&
           (fetch_is_sieved(item) || item->form == FETCH_DECODED);
}

/* NULL where none is kept, or where it is not worth it. */
static struct fetch_mark *mark_of(const struct fetch_message *message,
                                  const struct fetch_item *item)
{
    return item->encoding == TRANSFER_IDENTITY ? NULL : message->mark;
}

static void use_mark(struct fetch_message *message, struct fetch_mark *mark, uint64_t origin)
{
    if (!mark->begun || mark->section != message->offset) {
        *mark = (struct fetch_mark){.begun = true,
                                    .section = message->offset,
                                    .offset = message->offset,
                                    .decoder = message->decoder};
    } else if (mark->decoded <= origin) {
        message->offset = mark->offset;
        message->passed = mark->decoded;
        message->decoder = mark->decoder;
    }
}

void fetch_sieve_begin(struct fetch_message *message, const struct fetch_item *item,
                       uint64_t origin)
{
    struct fetch_mark *mark = mark_of(message, item);

    message->offset = item->range.offset;
    message->passed = 0;
    if (is_filtered(item))
        mime_header_filter_init(&message->filter, &item->section);
    else
        transfer_init(&message->decoder, item->encoding);
    if (mark != NULL)
        use_mark(message, mark, origin);
}

void fetch_sieve_mark(struct fetch_message *message, const struct fetch_item *item, uint64_t limit)
{
    struct fetch_mark *mark = mark_of(message, item);

    if (mark == NULL || message->passed > limit ||
        message->offset == item->range.offset + item->range.length)
        return;
    mark->offset = message->offset;
    mark->decoded = message->passed;
    mark->decoder = message->decoder;
}

bool fetch_sieve_is_counted(const struct fetch_message *message, const struct fetch_item *item)
{
    const struct fetch_mark *mark = mark_of(message, item);
    bool size_only = item->form == FETCH_DECODED_SIZE;
    uint64_t end = item->origin + item->length;

    if (message->offset == item->range.offset + item->range.length)
        return true;
    return mark != NULL && mark->counted &&
           (size_only || (item->partial && message->passed >= end));
}

void fetch_sieve_end_count(struct fetch_message *message, struct fetch_item *item)
{
    struct fetch_mark *mark = mark_of(message, item);

    item->size = message->passed;
    if (mark == NULL)
        return;
    if (!mark->counted)
        mark->size = item->size;
    mark->counted = true;
    item->size = mark->size;
}

void fetch_sieve_feed(struct fetch_message *message, const struct fetch_item *item,
                      const void *bytes, size_t length, bool last, struct buf *passed)
{
    size_t before = buf_length(passed);

    if (is_filtered(item)) {
        mime_header_filter_feed(&message->filter, bytes, length, passed);
        if (last)
            mime_header_filter_finish(&message->filter, passed);
    } else {
        transfer_feed(&message->decoder, bytes, length, passed);
        if (last)
            transfer_finish(&message->decoder, passed);
    }
    message->passed += buf_length(passed) - before;
}
