/* The beginning of what a message says, in one line of plain text (RFC 8970). */
#ifndef MAILBOX_BACKEND_MIME_PREVIEW_H
#define MAILBOX_BACKEND_MIME_PREVIEW_H

#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/html_text.h"
#include "mailbox-backend/mime/part.h"
#include "mailbox-backend/mime/transfer.h"

/* Characters of Unicode that a preview has at most (RFC 8970 section 3.3). */
#define MIME_PREVIEW_CHARACTERS 200u

/* The first part, from part on in the message's order, that a preview can be made of: text/plain or
   text/html in an encoding that is known, neither an attachment nor in a message inside. NULL: there is none. part
   may be NULL. */
const struct mime_part *mime_preview_part(const struct mime_part *part);

/* Embed it. */
struct mime_preview {
    char text[4 * MIME_PREVIEW_CHARACTERS]; /* valid UTF-8 without control characters */
    size_t length;

    /* Its own. */
    unsigned characters;
    bool space; /* white space has come since the last character */
    bool is_html;
    bool open;
    struct transfer_stream transfer;
    struct charset_stream charset;
    struct html_text html;
    struct buf decoded, converted, plain;
};

/* Begins with a part that mime_preview_part() gave. mime_preview_end() must follow. */
void mime_preview_begin(struct mime_preview *preview, const struct mime_part *part);

/* The next bytes of the part's body; true when the preview is whole. Holds some four times length. */
bool mime_preview_feed(struct mime_preview *preview, const void *data, size_t length);

/* Ends it, however far it has come; text and length stay. Does nothing to what is {0} or was ended. */
void mime_preview_end(struct mime_preview *preview);

#endif
