/* SEARCH's HEADER, BODY and TEXT keys, decided over the decoded text of a message that is read in
   pieces: header fields RFC 2047 decoded, text and message leaves transfer-decoded and converted
   to UTF-8; names of attachments RFC 2231 decoded. Other bodies, preambles and epilogues are not
   searched. */
#ifndef MAILBOX_BACKEND_MIME_SEARCH_TEXT_H
#define MAILBOX_BACKEND_MIME_SEARCH_TEXT_H

#include "common/arena.h"
#include "mailbox-backend/mime/part.h"
#include "mailbox-backend/mime/text_match.h"

enum mime_search_scope {
    MIME_SEARCH_FIELD, /* the value of one field of the message's own header */
    MIME_SEARCH_BODY,  /* bodies, and the headers of parts and of messages inside */
    MIME_SEARCH_TEXT   /* the same and the message's own header */
};

struct mime_search_key {
    enum mime_search_scope scope;
    struct str field;        /* for MIME_SEARCH_FIELD */
    struct text_match match; /* match.found is the answer */
};

struct mime_search;

/* Who wants all that the keys could be looked for in: the text of MIME_SEARCH_TEXT. */
struct mime_search_tap {
    void (*text)(void *context, const void *data, size_t length); /* UTF-8 */
    void (*seam)(void *context); /* one text ends, and another begins */
    void *context;
};

/* Begins a search for count keys (whose match is initialised and not yet fed) in the message with the tree root.
   keys and root must outlive the search; memory comes from the arena and is bounded. Every search
   that was begun must be ended. */
struct mime_search *mime_search_begin(struct arena *arena, const struct mime_part *root,
                                      struct mime_search_key *keys, unsigned count);

/* Gives all text to tap (which must outlive the search) as well. The search then goes on to the end. */
void mime_search_give(struct mime_search *search, const struct mime_search_tap *tap);

/* How many bytes of the message, from its beginning, the keys need: its header when all of them are
   MIME_SEARCH_FIELD, else all. */
uint64_t mime_search_need(const struct mime_search *search);

/* The next raw bytes of the message. Returns true when every key has been found: no more is needed. */
bool mime_search_feed(struct mime_search *search, const void *data, size_t length);

/* Ends the message; the keys hold the answers. Leaves *search NULL. */
void mime_search_end(struct mime_search **search);

#endif
