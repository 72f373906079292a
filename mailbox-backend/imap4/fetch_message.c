/* One message of a FETCH: what the index has, and before the answer begins, all that is needed to
   know its sections and their sizes. */
#include "mailbox-backend/imap4/fetch.h"

#include <string.h>

#include "common/log.h"

/* From this size on the content is read on workers. */
#define LONG_MESSAGE ((uint64_t)256 << 10)

#define STRUCTURES (FETCH_ENVELOPE | FETCH_BODY | FETCH_BODYSTRUCTURE)

/* ---- the index ---- */

static enum err_code read_summary(struct fetch_message *message, unsigned kinds,
                                  struct store_read *read, uint32_t folder, struct err *err)
{
    size_t length;

    if (store_summary_get(read, folder, message->item.uid, message->bytes, &length, err) !=
            ERR_NONE ||
        mime_summary_open(message->bytes, length, &message->summary, err) != ERR_NONE)
        return err->code;
    if ((kinds & FETCH_BODY) != 0 &&
        mime_summary_body(&message->summary, &message->body, err) != ERR_NONE)
        return err->code;
    message->has_summary = true;
    return ERR_NONE;
}

/* In IMAP4rev2 message/global has a structure inside (RFC 9051 section 7.5.2), in IMAP4rev1 not. */
static bool has_other_structure(const struct imap *imap, const struct fetch_message *message,
                                unsigned kinds)
{
    return imap_is_rev2(imap) && (kinds & (FETCH_BODY | FETCH_BODYSTRUCTURE)) != 0 &&
           mime_summary_has_global(&message->summary);
}

/* A summary that cannot be read is made anew from the message. */
static void take_summary(struct command *command, struct fetch_message *message, unsigned kinds,
                         struct store_read *read)
{
    uint32_t folder = command->imap->view->folder;
    struct err err;
    enum err_code code = read_summary(message, kinds, read, folder, &err);

    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        log_warning(session_who(command->imap->session), "folder %u, uid %u: summary not used: %s",
                    folder, message->item.uid, err.text);
    if (code == ERR_NONE && has_other_structure(command->imap, message, kinds)) {
        message->has_summary = false;
        buf_release(&message->body);
    }
}

static bool makes_preview(const struct fetch_message *message, const struct fetch_request *request)
{
    return (request->kinds & FETCH_PREVIEW) != 0 && !message->no_preview;
}

/* How much of the content has to be parsed: nothing, the header, some of the body, or all. */
static uint64_t parse_need(const struct fetch_message *message, const struct fetch_request *request)
{
    unsigned missing = message->has_summary ? 0 : request->kinds;
    uint64_t size = store_content_size(message->content);
    uint64_t some = message->item.header_size + FETCH_PREVIEW_BYTES;

    if (request->needs_tree || (missing & (FETCH_BODY | FETCH_BODYSTRUCTURE)) != 0)
        return size;
    if (makes_preview(message, request))
        return some < size ? some : size;
    return (missing & FETCH_ENVELOPE) != 0 ? message->item.header_size : 0;
}

static enum err_code open_content(const struct imap *imap, struct fetch_message *message,
                                  const struct fetch_request *request, struct store_read *read,
                                  struct err *err)
{
    enum err_code code = store_content_open(read, &message->item, &message->content, err);
    struct mime_limits limits = mime_default_limits;
    uint64_t size;

    limits.global = imap_is_rev2(imap);
    if (code == ERR_NOT_FOUND) /* in the snapshot that has the item */
        return err_set(err, ERR_CORRUPT, "the content is missing");
    if (code != ERR_NONE)
        return code;
    size = store_content_size(message->content);
    if (message->item.header_size > size) {
        store_content_close(&message->content);
        return err_set(err, ERR_CORRUPT, "the header is longer than the message");
    }
    message->no_preview = request->lazy_preview && fetch_message_is_long(message);
    message->root = fetch_tree_find(imap, message);
    message->parse_end = message->root == NULL ? parse_need(message, request) : 0;
    if (message->parse_end > 0)
        mime_parser_init(&message->parser, &message->arena, &limits);
    return ERR_NONE;
}

enum err_code fetch_message_begin(struct command *command, struct fetch_message *message,
                                  const struct fetch_request *request, struct store_read *read,
                                  const struct store_item *item, struct err *err)
{
    bool structures = (request->kinds & STRUCTURES) != 0;
    bool needed;

    message->item = *item;
    message->database = store_mailbox_database(command->mailbox);
    message->has_summary = false;
    message->phase = FETCH_TELL;
    message->at = request->items;
    message->begun = false;
    message->in_section = false;
    message->no_preview = false;
    message->preview.length = 0;
    if (structures)
        take_summary(command, message, request->kinds, read);
    needed = (request->kinds & FETCH_SECTION) != 0 || (structures && !message->has_summary);
    if (!needed && (request->kinds & FETCH_PREVIEW) == 0)
        return ERR_NONE;
    if (open_content(command->imap, message, request, read, err) != ERR_NONE) {
        buf_release(&message->body);
        return err->code;
    }
    if (!needed && message->no_preview) {
        store_content_close(&message->content);
        return ERR_NONE;
    }
    message->phase = FETCH_PARSE;
    message->offset = 0;
    return ERR_NONE;
}

void fetch_message_end(struct fetch_message *message)
{
    if (message->content != NULL)
        store_content_close(&message->content);
    mime_preview_end(&message->preview);
    buf_release(&message->body);
    arena_reset(&message->arena);
}

bool fetch_message_is_long(struct fetch_message *message)
{
    return store_content_size(message->content) >= LONG_MESSAGE ||
           !store_content_warm(message->content, message->offset);
}

/* ---- the content ---- */

enum fetch_progress fetch_message_read(struct fetch_message *message, uint64_t end, void *bytes,
                                       size_t room, size_t *got, size_t *share, struct err *err)
{
    uint64_t left = end - message->offset;
    size_t wanted = left < room ? (size_t)left : room;

    *got = 0;
    if (*share == 0)
        return FETCH_SHARED;
    if (store_content_read(message->content, message->offset, bytes, wanted, got, err) != ERR_NONE)
        return FETCH_FAILED;
    if (*got < wanted) {
        err_set(err, ERR_CORRUPT, "the content is too short");
        return FETCH_FAILED;
    }
    message->offset += wanted;
    *share -= wanted < *share ? wanted : *share;
    return FETCH_TOLD;
}

/* Where a section lies. */
static void find_section(const struct fetch_message *message, struct fetch_item *item)
{
    uint64_t header = message->item.header_size;
    uint64_t size = store_content_size(message->content);

    item->exists = true;
    if (item->section.depth > 0)
        item->exists = mime_section_resolve(&item->section, message->root, &item->range);
    else if (item->section.kind == MIME_SECTION_WHOLE)
        item->range = (struct mime_range){0, size};
    else if (item->section.kind == MIME_SECTION_TEXT)
        item->range = (struct mime_range){header, size - header};
    else
        item->range = (struct mime_range){0, header};
    item->size = item->exists ? item->range.length : 0;
    item->has_nul = false;
}

/* Only content is encoded: not the parts of a multipart (RFC 2045 section 6.4), nor the message as a
   whole, header included. */
static void find_encoding(const struct fetch_message *message, struct fetch_item *item)
{
    const struct mime_part *part;

    item->encoding = TRANSFER_IDENTITY;
    if (item->form == FETCH_AS_IT_IS || !item->exists || item->section.depth == 0)
        return;
    part = mime_section_part(&item->section, message->root);
    if (part->kind == MIME_LEAF)
        item->encoding = transfer_encoding_of(part->encoding);
}

static enum fetch_progress find_sections(struct fetch_message *message,
                                         const struct fetch_request *request)
{
    for (struct fetch_item *item = request->items; item != NULL; item = item->next) {
        if (item->kind != FETCH_SECTION)
            continue;
        find_section(message, item);
        find_encoding(message, item);
        if (item->encoding == TRANSFER_UNKNOWN)
            return FETCH_UNKNOWN;
    }
    return FETCH_TOLD;
}

static enum fetch_progress parse(struct imap *imap, struct fetch_message *message, size_t *share,
                                 struct err *err)
{
    uint8_t bytes[FETCH_CHUNK];
    size_t got;

    while (message->offset < message->parse_end) {
        enum fetch_progress progress =
            fetch_message_read(message, message->parse_end, bytes, sizeof(bytes), &got, share, err);

        if (progress != FETCH_TOLD)
            return progress;
        mime_parser_feed(&message->parser, bytes, got);
    }
    if (message->parse_end == 0)
        return FETCH_TOLD;
    message->root = mime_parser_finish(&message->parser);
    if (message->parse_end == store_content_size(message->content))
        fetch_tree_keep(imap, message);
    return FETCH_TOLD;
}

/* NUL matters only in what will be told. at: of passed, in the section. */
static void look_for_nul(struct fetch_item *item, const struct buf *passed, uint64_t at)
{
    size_t length = buf_length(passed);
    uint64_t from = 0;
    uint64_t until = length;

    if (item->partial) {
        uint64_t end = item->origin + item->length;

        from = item->origin > at ? item->origin - at : 0;
        until = end > at ? end - at : 0;
    }
    if (until > length)
        until = length;
    if (from < until && memchr(buf_bytes(passed) + from, '\0', (size_t)(until - from)) != NULL)
        item->has_nul = true;
}

/* The size of a sieved section, which its literal says before its bytes come. */
static enum fetch_progress count(struct fetch_message *message, struct fetch_item *item,
                                 size_t *share, struct err *err)
{
    uint64_t end = item->range.offset + item->range.length;
    uint64_t origin = item->partial ? item->origin : 0;
    enum fetch_progress progress = FETCH_TOLD;
    uint8_t bytes[FETCH_CHUNK];
    struct buf passed = {0};
    size_t got;

    if (!message->in_section)
        fetch_sieve_begin(message, item, origin);
    message->in_section = true;
    while (!fetch_sieve_is_counted(message, item)) {
        uint64_t at = message->passed;

        progress = fetch_message_read(message, end, bytes, sizeof(bytes), &got, share, err);
        if (progress != FETCH_TOLD)
            break;
        fetch_sieve_feed(message, item, bytes, got, message->offset == end, &passed);
        fetch_sieve_mark(message, item, origin);
        look_for_nul(item, &passed, at);
        buf_truncate(&passed, 0);
    }
    buf_release(&passed);
    if (progress == FETCH_TOLD) {
        fetch_sieve_end_count(message, item);
        message->in_section = false;
    }
    return progress;
}

static enum fetch_progress count_all(struct fetch_message *message, size_t *share, struct err *err)
{
    for (; message->at != NULL; message->at = message->at->next) {
        struct fetch_item *item = message->at;
        enum fetch_progress progress = FETCH_TOLD;

        if (item->kind == FETCH_SECTION && fetch_needs_count(item))
            progress = count(message, item, share, err);
        else if (item->kind == FETCH_PREVIEW && !message->no_preview)
            progress = fetch_preview_make(message, share, err);
        if (progress != FETCH_TOLD)
            return progress;
    }
    return FETCH_TOLD;
}

/* The first byte of the content that the answer needs. */
static uint64_t first_byte(const struct fetch_request *request)
{
    for (const struct fetch_item *item = request->items; item != NULL; item = item->next) {
        bool skips = item->partial && !fetch_is_sieved(item);

        if (item->kind == FETCH_SECTION && item->exists && (!skips || item->origin < item->size))
            return item->range.offset + (skips ? item->origin : 0);
    }
    return 0;
}

/* Reads that byte: so a message that is no longer than what the store holds at a time is found to be
   damaged before its answer begins. */
static enum fetch_progress probe(struct fetch_message *message, const struct fetch_request *request,
                                 struct err *err)
{
    uint8_t byte;
    size_t got;

    if (store_content_read(message->content, first_byte(request), &byte, 1, &got, err) != ERR_NONE)
        return FETCH_FAILED;
    return FETCH_TOLD;
}

enum fetch_progress fetch_message_prepare(struct imap *imap, struct fetch_message *message,
                                          const struct fetch_request *request, size_t *share,
                                          struct err *err)
{
    enum fetch_progress progress = FETCH_TOLD;

    if (message->phase == FETCH_PARSE) {
        progress = parse(imap, message, share, err);
        if (progress != FETCH_TOLD)
            return progress;
        progress = find_sections(message, request);
        if (progress != FETCH_TOLD)
            return progress;
        message->mark = fetch_tree_mark(imap, message);
        message->phase = FETCH_COUNT;
        message->at = request->items;
    }
    if (message->phase == FETCH_COUNT) {
        progress = count_all(message, share, err);
        if (progress == FETCH_TOLD)
            progress = probe(message, request, err);
        if (progress == FETCH_TOLD) {
            message->phase = FETCH_TELL;
            message->at = request->items;
        }
    }
    return progress;
}

enum fetch_progress fetch_message_run(struct command *command, struct fetch_message *message,
                                      const struct fetch_request *request, size_t *share,
                                      struct err *err)
{
    enum fetch_progress progress =
        fetch_message_prepare(command->imap, message, request, share, err);

    if (progress != FETCH_TOLD)
        return progress;
    return fetch_message_tell(command, message, request, share, err);
}
