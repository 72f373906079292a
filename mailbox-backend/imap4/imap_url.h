/* URLs of messages and their parts (RFC 5092), as CATENATE takes them: relative to this server and its user. Pure:
   whether there is such a message is not asked. */
#ifndef IMAP4_IMAP_URL_H
#define IMAP4_IMAP_URL_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "mailbox-backend/mime/section.h"

/* "/Drafts;UIDVALIDITY=3/;UID=20/;SECTION=1.2/;PARTIAL=0.1024" */
struct imap_url {
    struct str mailbox;    /* UTF-8 as decoded, of at least one byte; {NULL, 0}: the selected one */
    uint32_t uid_validity; /* 0: any */
    uint32_t uid;
    struct mime_section section; /* the whole message where none is named */
    bool partial;
    uint64_t origin, length; /* of a partial one: below 2^63 */
};

/* Reads "/mailbox…/;UID=…", or ";UID=…", which is of the selected mailbox (RFC 5092 section 9.1); other relative
   paths are not to be accepted (section 7.2), and those with a server are not this session's (RFC 4469 section 3).
   What url points to is the arena's. ERR_INVALID says what is wrong. */
enum err_code imap_url_parse(struct arena *arena, struct str text, struct imap_url *url,
                             struct err *err);

/* Appends the URL as a response code may repeat it: what url-resp-text cannot hold, "]" and what is not printable
   ASCII, is percent-encoded (RFC 4469 section 5). */
void imap_url_write_safe(struct str text, struct buf *out);

#endif
