/* HTML to plain text, in pieces of any size: for looking at, not for showing a page. Tags and comments
   go, of style, script and title the content as well; what begins or ends a line or a cell becomes a space; entities become
   characters. Any bytes are HTML. */
#ifndef MAILBOX_BACKEND_MIME_HTML_TEXT_H
#define MAILBOX_BACKEND_MIME_HTML_TEXT_H

#include "common/buf.h"
#include "common/str.h"

/* Embed it; {0} is the beginning of a text. The members are its own. */
struct html_text {
    int state;
    bool equals;       /* an attribute's value comes next */
    char quote;        /* of the attribute value being passed over */
    unsigned dashes;   /* newest ones, in a comment */
    const char *inert; /* the element whose content is passed over, or NULL */
    bool closes;       /* the tag being read is an end tag */
    size_t length;
    char name
        [16]; /* of the tag or entity being read: lower case for a tag, as written for an entity */
};

/* Appends the text of the next bytes (UTF-8) to out, at most length + 20 bytes. */
void html_text_feed(struct html_text *html, const void *data, size_t length, struct buf *out);

/* What a character reference stands for ("amp", "#8364", "#x20ac"; without "&" and ";"); 0: not known. Known
   are those of HTML 2.0 to 3.2 and some that mail has often. */
uint32_t html_entity(struct str name);

#endif
