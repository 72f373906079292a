/* What the readers of a response's parts share: a part of imap_response.h. */
#ifndef REMOTE_IMAP_READING_H
#define REMOTE_IMAP_READING_H

#include "mailbox-backend/remote/imap_response.h"

/* Reading one response. */
struct imap_reading {
    struct imap_scan *scan;
    const struct imap_listener *listener; /* or NULL */
    struct err *err;
};

enum err_code imap_tell(const struct imap_reading *reading, const struct imap_event *event);
enum err_code imap_tell_number(const struct imap_reading *reading, enum imap_event_kind kind,
                               uint64_t number);

/* The rest of the line, with its literals. */
enum err_code imap_end_line(const struct imap_reading *reading);

/* Takes spaces; *more is false at the line's end. */
enum err_code imap_next_value(const struct imap_reading *reading, bool *more);

/* A word that a number follows (MESSAGES, UIDNEXT …): which, or -1; and that number, told. */
int imap_find_number(const char *word);
enum err_code imap_read_named_number(const struct imap_reading *reading, int which);

/* Untagged data behind its word, to the line's end. */
enum err_code imap_read_list(const struct imap_reading *reading);
enum err_code imap_read_lsub(const struct imap_reading *reading);
enum err_code imap_read_namespace(const struct imap_reading *reading);
enum err_code imap_read_status(const struct imap_reading *reading);
enum err_code imap_read_search(const struct imap_reading *reading);
enum err_code imap_read_esearch(const struct imap_reading *reading);

#endif
