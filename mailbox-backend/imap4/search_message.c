/* The last round of SEARCH: reading a message. Twice where text keys ask for its content: once for its
   tree, once for its text; both in pieces. */
#include "mailbox-backend/imap4/search.h"

#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/parser.h"

#define CHUNK ((size_t)64 << 10)

struct reading {
    struct store_content *content;
    uint8_t *chunk;
    struct err *err;
};

/* Reads the tree, or only what its header tells. */
static enum err_code read_tree(struct reading *reading, struct arena *arena, bool header_only,
                               const struct mime_part **root)
{
    struct mime_parser parser;
    uint64_t offset = 0;
    size_t got;

    mime_parser_init(&parser, arena, NULL);
    do {
        enum err_code code =
            store_content_read(reading->content, offset, reading->chunk, CHUNK, &got, reading->err);

        if (code != ERR_NONE)
            return code;
        mime_parser_feed(&parser, reading->chunk, got);
        offset += got;
    } while (got != 0 && !(header_only && mime_parser_has_header(&parser)));
    *root = mime_parser_finish(&parser);
    return ERR_NONE;
}

static enum err_code look_for_texts(struct reading *reading, struct arena *arena,
                                    const struct mime_part *root, struct mime_search_key *contents,
                                    unsigned count)
{
    struct mime_search *search = mime_search_begin(arena, root, contents, count);
    uint64_t need = mime_search_need(search);
    enum err_code code = ERR_NONE;
    uint64_t offset = 0;

    while (offset < need) {
        size_t want = need - offset < CHUNK ? (size_t)(need - offset) : CHUNK;
        size_t got;

        code =
            store_content_read(reading->content, offset, reading->chunk, want, &got, reading->err);
        if (code != ERR_NONE || got == 0)
            break;
        offset += got;
        if (mime_search_feed(search, reading->chunk, got))
            break;
    }
    mime_search_end(&search);
    return code;
}

static bool only_fields(const struct search *search)
{
    for (unsigned i = 0; i < search->content_count; i++) {
        if (search->contents[i].scope != MIME_SEARCH_FIELD)
            return false;
    }
    return true;
}

/* The envelope is made from the message in the same form in which delivery keeps it, so that both
   decide alike. */
static const struct search_envelope *make_envelope(const struct search *search, struct arena *arena,
                                                   const struct mime_part *root)
{
    struct search_envelope *envelope = arena_alloc(arena, sizeof(*envelope));
    struct buf text = {0};
    size_t length;
    char *copy;

    if (search->needs_envelope) {
        mime_envelope_write(root, &text);
        length = buf_length(&text);
        copy = arena_copy(arena, buf_bytes(&text), length);
        buf_release(&text);
        search_envelope_read(envelope, arena, str_n(copy, length));
    }
    return envelope;
}

static enum err_code look_into(const struct search *search, struct reading *reading,
                               struct search_facts *facts, struct arena *arena)
{
    unsigned count = search->content_count;
    struct mime_search_key *contents = arena_array(arena, count, sizeof(*contents));
    const struct mime_part *root;
    enum err_code code = read_tree(reading, arena, only_fields(search), &root);

    if (code != ERR_NONE)
        return code;
    for (unsigned i = 0; i < count; i++)
        contents[i] = search->contents[i];
    if (count > 0)
        code = look_for_texts(reading, arena, root, contents, count);
    facts->envelope = make_envelope(search, arena, root);
    facts->contents = contents;
    return code;
}

enum err_code search_message(const struct search *search, const struct view *view,
                             const struct store_item *item, struct store_content *content,
                             struct arena *arena, bool *found, struct err *err)
{
    struct search_facts facts = {.view = view, .item = item};
    struct reading reading = {content, mem_grow(NULL, CHUNK, 1), err};
    enum err_code code = look_into(search, &reading, &facts, arena);

    *found = code == ERR_NONE && search_decide(search->root, &facts, arena) == TRUTH_YES;
    free(reading.chunk);
    return code;
}
