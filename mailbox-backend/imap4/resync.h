/* The QRESYNC parameter of SELECT and EXAMINE (RFC 7162 section 3.2.5). */
#ifndef IMAP4_RESYNC_H
#define IMAP4_RESYNC_H

#include "mailbox-backend/imap4/imap4.h"

/* What the client knows of the folder. */
struct resync {
    bool asked;
    uint32_t uid_validity;
    uint64_t modseq;
    struct sequence_set known;     /* uids; without ranges: all */
    struct sequence_set sequences; /* numbers of a few messages … */
    struct sequence_set uids;      /* … and their uids, as many; both ascending */
};

/* Takes what is behind "QRESYNC". */
bool resync_take(struct parse *parse, struct resync *resync);

/* The folder has just been selected in the snapshot: goes on with VANISHED (EARLIER) and FETCH of what
   changed since, and ends the command by OK with code. Takes over command->data, uids and run. */
enum step resync_begin(struct command *command, struct store_read *read,
                       const struct resync *resync, const char *code);

#endif
