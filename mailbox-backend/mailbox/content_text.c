#include "mailbox-backend/mailbox/content_text.h"

#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/mime/parser.h"

#define CHUNK ((size_t)64 << 10)

enum err_code content_tree(struct store_content *content, struct arena *arena, bool header_only,
                           const struct mime_part **root, struct err *err)
{
    uint8_t *chunk = mem_grow(NULL, CHUNK, 1);
    struct mime_parser parser;
    enum err_code code = ERR_NONE;
    uint64_t offset = 0;
    size_t got = 1;

    mime_parser_init(&parser, arena, NULL);
    while (code == ERR_NONE && got != 0 && !(header_only && mime_parser_has_header(&parser))) {
        code = store_content_read(content, offset, chunk, CHUNK, &got, err);
        if (code == ERR_NONE)
            mime_parser_feed(&parser, chunk, got);
        offset += got;
    }
    free(chunk);
    if (code == ERR_NONE)
        *root = mime_parser_finish(&parser);
    return code;
}

enum err_code content_search(struct store_content *content, struct mime_search *search,
                             struct err *err)
{
    uint8_t *chunk = mem_grow(NULL, CHUNK, 1);
    uint64_t need = mime_search_need(search);
    enum err_code code = ERR_NONE;
    uint64_t offset = 0;
    bool ended = false;

    while (code == ERR_NONE && !ended && offset < need) {
        size_t want = need - offset < CHUNK ? (size_t)(need - offset) : CHUNK;
        size_t got = 0;

        code = store_content_read(content, offset, chunk, want, &got, err);
        ended = code != ERR_NONE || got == 0 || mime_search_feed(search, chunk, got);
        offset += got;
    }
    free(chunk);
    return code;
}
