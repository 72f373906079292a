/* The last round of SEARCH: reading a message. Twice where text keys ask for its content: once for its
   tree, once for its text; both in pieces. */
#include "mailbox-backend/imap4/search.h"

#include "mailbox-backend/mailbox/content_text.h"
#include "mailbox-backend/mime/envelope.h"

static enum err_code look_for_texts(struct store_content *content, struct arena *arena,
                                    const struct mime_part *root, struct mime_search_key *contents,
                                    unsigned count, struct err *err)
{
    struct mime_search *search = mime_search_begin(arena, root, contents, count);
    enum err_code code = content_search(content, search, err);

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
        search_envelope_read(envelope, arena, str_n(copy, length), search->needs_addresses);
    }
    return envelope;
}

static enum err_code look_into(const struct search *search, struct store_content *content,
                               struct search_facts *facts, struct arena *arena, struct err *err)
{
    unsigned count = search->content_count;
    struct mime_search_key *contents = arena_array(arena, count, sizeof(*contents));
    const struct mime_part *root;
    enum err_code code = content_tree(content, arena, only_fields(search), &root, err);

    if (code != ERR_NONE)
        return code;
    for (unsigned i = 0; i < count; i++)
        contents[i] = search->contents[i];
    if (count > 0)
        code = look_for_texts(content, arena, root, contents, count, err);
    facts->envelope = make_envelope(search, arena, root);
    facts->contents = contents;
    return code;
}

enum err_code search_message(const struct search *search, const struct view *view,
                             const struct store_item *item, struct store_content *content,
                             struct arena *arena, bool *found, struct err *err)
{
    struct search_facts facts = {.view = view, .item = item};
    enum err_code code = look_into(search, content, &facts, arena, err);

    *found = code == ERR_NONE && search_decide(search->root, &facts, arena) == TRUTH_YES;
    return code;
}
