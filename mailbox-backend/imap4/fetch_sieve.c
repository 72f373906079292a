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

void fetch_sieve_begin(struct fetch_message *message, const struct fetch_item *item)
{
    if (is_filtered(item))
        mime_header_filter_init(&message->filter, &item->section);
    else
        transfer_init(&message->decoder, item->encoding);
}

void fetch_sieve_feed(struct fetch_message *message, const struct fetch_item *item,
                      const void *bytes, size_t length, bool last, struct buf *passed)
{
    if (is_filtered(item)) {
        mime_header_filter_feed(&message->filter, bytes, length, passed);
        if (last)
            mime_header_filter_finish(&message->filter, passed);
    } else {
        transfer_feed(&message->decoder, bytes, length, passed);
        if (last)
            transfer_finish(&message->decoder, passed);
    }
}
