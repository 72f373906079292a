/* What stands in the parentheses of a FETCH response: a part of imap_response.h. */
#ifndef REMOTE_IMAP_FETCH_H
#define REMOTE_IMAP_FETCH_H

#include "mailbox-backend/remote/imap_response.h"

/* From the space before the parenthesis on; tells IMAP_BODY as bytes come, and IMAP_FETCH at the end. */
enum err_code imap_fetch_read(struct imap_scan *scan, const struct imap_listener *listener,
                              struct err *err);

#endif
