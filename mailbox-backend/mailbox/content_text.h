/* What a stored message says, read in pieces: its tree, and its decoded text. */
#ifndef MAILBOX_CONTENT_TEXT_H
#define MAILBOX_CONTENT_TEXT_H

#include "mailbox-backend/mime/search_text.h"
#include "mailbox-backend/store/store.h"

/* The tree of the message, in arena. header_only: reads no further than to the end of the message's own
   header, and the tree tells no more than that. */
enum err_code content_tree(struct store_content *content, struct arena *arena, bool header_only,
                           const struct mime_part **root, struct err *err);

/* Feeds the search with the message until it needs no more. It is still to be ended. */
enum err_code content_search(struct store_content *content, struct mime_search *search,
                             struct err *err);

#endif
