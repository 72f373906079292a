/* Codes into LMTP's words: RFC 5321 section 4.2, enhanced status codes of RFC 3463 and 5248. */
#include "mailbox-backend/lmtp/lmtp.h"

void lmtp_reply(struct session *session, const char *text)
{
    struct buf *out = session_output(session);

    buf_text(out, text);
    buf_text(out, "\r\n");
}

const char *lmtp_content_reply(const struct err *err, uint64_t size, uint64_t limit)
{
    switch (err->code) {
    case ERR_LIMIT:
        /* Else it is the memory for content on its way in, of which there will be more. */
        return size > limit ? "552 5.3.4 message is too big"
                            : "452 4.3.1 too much mail on its way in, try again later";
    case ERR_UNAVAILABLE:
        return "452 4.3.1 mail storage is unavailable, try again later";
    default:
        return "451 4.3.0 message could not be stored, try again later";
    }
}

const char *lmtp_store_reply(const struct err *err)
{
    switch (err->code) {
    case ERR_NONE:
        return "250 2.0.0 delivered";
    case ERR_LIMIT:
        return "552 5.2.2 mailbox is full";
    case ERR_NOT_FOUND:
        return "550 5.2.1 mailbox was removed";
    case ERR_UNAVAILABLE:
        return "452 4.3.1 mail storage is unavailable, try again later";
    default:
        return "451 4.3.0 message could not be stored, try again later";
    }
}

const char *lmtp_recipient_reply(const struct err *err)
{
    switch (err->code) {
    case ERR_NOT_FOUND:
    case ERR_INVALID: /* no possible name */
        return "550 5.1.1 no such user here";
    case ERR_DENIED:
        return "550 5.2.1 mailbox does not take mail";
    case ERR_LIMIT:
        return "552 5.2.2 mailbox is full";
    default:
        return "451 4.3.0 mailbox is unavailable, try again later";
    }
}
