#include "mailbox-backend/mailbox/content_facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/mime/summary.h"

#define CHUNK ((size_t)64 << 10)

_Static_assert(MIME_SUMMARY_MAX <= STORE_SUMMARY_MAX, "the store has room for every summary");

void facts_begin(struct facts_maker *maker)
{
    *maker = (struct facts_maker){0};
    mime_parser_init(&maker->parser, &maker->arena, NULL);
}

void facts_feed(struct facts_maker *maker, const void *data, size_t length)
{
    const uint8_t *bytes = data;

    if (length == 0)
        return;
    mime_parser_feed(&maker->parser, bytes, length);
    maker->last[0] = length > 1 ? bytes[length - 2] : maker->last[1];
    maker->last[1] = bytes[length - 1];
    maker->size += length;
}

static void put_summary(struct content_facts *facts, const struct mime_part *root)
{
    struct buf summary = {0};

    mime_summary_build(root, &summary);
    facts->summary_length = buf_length(&summary);
    if (facts->summary_length > 0)
        memcpy(facts->summary, buf_bytes(&summary), facts->summary_length);
    buf_release(&summary);
}

void facts_end(struct facts_maker *maker, struct content_facts *facts)
{
    const struct mime_part *root = mime_parser_finish(&maker->parser);
    struct str thread = mime_thread_source(root);

    facts->header_size =
        root->header_length < UINT32_MAX ? (uint32_t)root->header_length : UINT32_MAX;
    facts->no_final_newline =
        maker->size > 0 && !(maker->last[0] == '\r' && maker->last[1] == '\n');
    /* The same message id gives the same thread in every mailbox and after every move. */
    facts->has_thread = thread.length > 0;
    facts->thread_id = facts->has_thread ? str_hash(thread) : 0;
    put_summary(facts, root);
    facts_drop(maker); /* the tree is not needed while the commit is awaited */
}

void facts_drop(struct facts_maker *maker)
{
    arena_reset(&maker->arena);
}

enum err_code content_facts_read(void *context, struct store_content *content,
                                 struct content_facts *facts, struct err *err)
{
    uint8_t *chunk = mem_array(CHUNK, 1);
    struct facts_maker maker;
    enum err_code code = ERR_NONE;
    size_t got = 1;

    (void)context;
    facts_begin(&maker);
    while (code == ERR_NONE && got != 0) {
        code = store_content_read(content, maker.size, chunk, CHUNK, &got, err);
        if (code == ERR_NONE)
            facts_feed(&maker, chunk, got);
    }
    if (code == ERR_NONE)
        facts_end(&maker, facts);
    facts_drop(&maker);
    free(chunk);
    return code;
}
