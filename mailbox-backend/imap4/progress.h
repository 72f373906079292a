/* Tells a client how far a long command is (INPROGRESS, RFC 9585), so that neither it nor what stands
   on the way gives the connection up. */
#ifndef IMAP4_PROGRESS_H
#define IMAP4_PROGRESS_H

#include "mailbox-backend/imap4/imap4.h"

/* Embed it. */
struct progress {
    uint64_t told; /* monotonic milliseconds */
    uint64_t done; /* of the things that are gone through */
    uint64_t goal; /* how many they are; it does not change */
};

void progress_begin(struct progress *progress, uint64_t goal);

/* Tells, if the time has come (the setting progress_interval), where an untagged response may stand now. */
void progress_tell(struct command *command, struct progress *progress);

#endif
