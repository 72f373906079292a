#include "mailbox-backend/imap4/message_facts.h"

#include "mailbox-backend/mime/date.h"
#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/header.h"
#include "mailbox-backend/mime/parser.h"
#include "mailbox-backend/mime/summary.h"

static bool take_kept(struct command *command, uint32_t uid, struct arena *arena,
                      struct search_envelope *envelope)
{
    uint8_t *bytes = arena_alloc(arena, STORE_SUMMARY_MAX);
    struct store_read *read;
    struct mime_summary summary;
    size_t length;
    enum err_code code = store_read_begin(command->mailbox, &read, NULL);

    if (code != ERR_NONE)
        return false;
    code = store_summary_get(read, command->imap->view->folder, uid, bytes, &length, NULL);
    store_read_end(&read);
    return code == ERR_NONE && mime_summary_open(bytes, length, &summary, NULL) == ERR_NONE &&
           search_envelope_read(envelope, arena, summary.envelope, true);
}

static enum err_code read_header(struct store_content *content, const struct store_item *item,
                                 struct arena *arena, struct str *header, struct err *err)
{
    size_t size = item->header_size < MESSAGE_HEADER_MAX ? item->header_size : MESSAGE_HEADER_MAX;
    char *bytes = arena_alloc(arena, size + 1);
    size_t length = 0;
    size_t got = 1;

    while (length < size && got != 0) {
        enum err_code code =
            store_content_read(content, length, bytes + length, size - length, &got, err);

        if (code != ERR_NONE)
            return code;
        length += got;
    }
    *header = str_n(bytes, length);
    return ERR_NONE;
}

static void make_envelope(struct str header, struct arena *arena, struct search_envelope *envelope)
{
    struct mime_parser parser;
    struct buf text = {0};
    size_t length;
    char *copy;

    mime_parser_init(&parser, arena, NULL);
    mime_parser_feed(&parser, header.data, header.length);
    mime_envelope_write(mime_parser_finish(&parser), &text);
    length = buf_length(&text);
    copy = arena_copy(arena, buf_bytes(&text), length);
    buf_release(&text);
    search_envelope_read(envelope, arena, str_n(copy, length), true);
}

enum err_code message_facts_read(struct command *command, const struct store_item *item,
                                 bool with_references, struct arena *arena,
                                 struct message_facts *facts, struct err *err)
{
    bool kept;
    struct store_content *content;
    struct mime_field field;
    struct str header;
    enum err_code code;

    *facts = (struct message_facts){0};
    kept = take_kept(command, item->uid, arena, &facts->envelope);
    if (kept && !with_references)
        return ERR_NONE;
    code = search_run_open(command, item, &content, err);
    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    code = read_header(content, item, arena, &header, err);
    store_content_close(&content);
    if (code != ERR_NONE)
        return code;
    if (!kept)
        make_envelope(header, arena, &facts->envelope);
    if (mime_field_find(header, "References", &field))
        facts->references = field.value;
    return ERR_NONE;
}

int64_t message_facts_date(const struct message_facts *facts, const struct store_item *item)
{
    struct mime_date date;

    return mime_date_parse(facts->envelope.date, &date) ? date.utc : item->internal_date;
}
