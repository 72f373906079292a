/* Which items cannot have a text. */
#ifndef SEARCH_GRAM_QUERY_H
#define SEARCH_GRAM_QUERY_H

#include "mailbox-backend/mime/text_match.h"
#include "mailbox-backend/search/gram_file.h"

#define GRAM_NEEDLES_MOST 16u

/* A query into one mailbox's file, for several needles at once. For one thread at a time. Holds up to 650 KB, and 40
   bytes for each block of the file. */
struct gram_query;

/* Takes the file over. */
struct gram_query *gram_query_create(struct gram_file *file);
void gram_query_destroy(struct gram_query **query);

/* Adds a needle, folded as it is in match; *number is then its own. False when the query cannot help with it: the
   needle is too short, or one too many. Before the first gram_query_rules_out(). */
bool gram_query_add(struct gram_query *query, const struct text_match *match, unsigned *number);

/* True when the item's text surely does not have the needle. False says nothing: the item is in no
   block, or may have it. */
bool gram_query_rules_out(struct gram_query *query, unsigned number, uint64_t item_id);

/* A block was found damaged: the file should be made anew. */
bool gram_query_is_damaged(const struct gram_query *query);

#endif
