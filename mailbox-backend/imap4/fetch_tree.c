/* The tree of the large message that was parsed last. Many clients fetch a large part in slices, one
   FETCH each: without it each slice would parse the whole message. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/fetch.h"

/* A smaller message is parsed in no time. */
#define LARGE_MESSAGE ((uint64_t)256 << 10)

/* What an idle session may hold; trees beyond it are made by messages of hundreds of parts. */
#define TREE_MAX ((size_t)64 << 10)

struct fetch_tree {
    unsigned database;
    uint64_t content_id; /* in there */
    struct arena arena;
    const struct mime_part *root;
    struct fetch_mark mark;
};

const struct mime_part *fetch_tree_find(const struct imap *imap,
                                        const struct fetch_message *message)
{
    const struct fetch_tree *tree = imap->fetched;

    return tree != NULL && tree->content_id == message->item.content_id &&
                   tree->database == message->database
               ? tree->root
               : NULL;
}

struct fetch_mark *fetch_tree_mark(struct imap *imap, const struct fetch_message *message)
{
    return fetch_tree_find(imap, message) == NULL ? NULL : &imap->fetched->mark;
}

void fetch_tree_keep(struct imap *imap, struct fetch_message *message)
{
    if (message->item.size < LARGE_MESSAGE || message->arena.total > TREE_MAX)
        return;
    fetch_tree_forget(imap);
    imap->fetched = mem_alloc(sizeof(*imap->fetched));
    *imap->fetched = (struct fetch_tree){
        message->database, message->item.content_id, message->arena, message->root, {0}};
    message->arena = (struct arena){0};
}

void fetch_tree_forget(struct imap *imap)
{
    if (imap->fetched == NULL)
        return;
    arena_reset(&imap->fetched->arena);
    free(imap->fetched);
    imap->fetched = NULL;
}
