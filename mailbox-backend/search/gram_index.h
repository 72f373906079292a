/* The search index: for mailboxes whose messages' texts are searched, which of the messages cannot have a text. Begun
   at a mailbox's first such search, then kept up to date behind the deliveries, by one thread of low priority.
   It only ever spares the reading of messages: what it does not know is read. */
#ifndef SEARCH_GRAM_INDEX_H
#define SEARCH_GRAM_INDEX_H

#include "mailbox-backend/search/gram_query.h"

struct gram_index;

/* The files are below the folder, which is made when the first is needed. Starts the thread. */
enum err_code gram_index_open(struct gram_index **index, const char *folder, struct err *err);

/* Ends the thread, lets go of all mailboxes. No query may be left. */
void gram_index_close(struct gram_index **index);

/* Begins a query, from a snapshot of the mailbox. NULL when there is nothing to ask yet; the mailbox's items are then
   read soon, as they are when many came since the last time. Reads the disk. Any thread. */
struct gram_query *gram_index_ask(struct gram_index *index, struct store_mailbox *mailbox,
                                  struct store_read *read);

/* Ends the query; a file that it found damaged is made anew. */
void gram_index_end(struct gram_index *index, struct store_mailbox *mailbox,
                    struct gram_query **query);

/* Waits until all that is to be read has been read: for tests and tools. */
void gram_index_settle(struct gram_index *index);

#endif
