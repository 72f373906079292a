/* What the search index spares SEARCH: reading messages that cannot have a text. */
#include "mailbox-backend/imap4/search.h"
#include "mailbox-backend/search/gram_index.h"

struct search_hint {
    struct gram_query *query;
    bool has[SEARCH_CONTENTS_MAX];        /* the query knows the key of that number … */
    unsigned number[SEARCH_CONTENTS_MAX]; /* … by this one */
};

void search_hint_begin(struct command *command, struct search *search, struct store_read *read)
{
    struct gram_index *index = session_backend(command->imap->session)->grams;
    struct gram_query *query = index == NULL ? NULL : gram_index_ask(index, command->mailbox, read);

    if (query == NULL)
        return;
    search->hint = arena_alloc(&command->arena, sizeof(*search->hint));
    search->hint->query = query;
    for (unsigned i = 0; i < search->content_count; i++)
        search->hint->has[i] =
            gram_query_add(query, &search->contents[i].match, &search->hint->number[i]);
}

void search_hint_end(struct command *command, struct search *search)
{
    if (search->hint != NULL)
        gram_index_end(session_backend(command->imap->session)->grams, command->mailbox,
                       &search->hint->query);
    search->hint = NULL;
}

bool search_hint_rules_out(struct search_hint *hint, unsigned content, uint64_t item_id)
{
    return hint != NULL && hint->has[content] &&
           gram_query_rules_out(hint->query, hint->number[content], item_id);
}
