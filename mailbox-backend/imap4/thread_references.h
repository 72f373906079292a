/* Which ids of a message's References and In-Reply-To THREAD links: bounded, so that what a folder's
   threads take is bounded by the number of its messages, whatever these say. */
#ifndef IMAP4_THREAD_REFERENCES_H
#define IMAP4_THREAD_REFERENCES_H

#include "mailbox-backend/imap4/thread.h"

/* Of more ids the first, which is the thread's, and the last: the nearest of the messages answered. */
#define THREAD_REFERENCES_MAX ((size_t)50)

/* Bytes of a field at its start and at its end that are looked into. */
#define THREAD_REFERENCES_BYTES ((size_t)64 << 10)

/* Adds the references of the message that was begun: the valid ids of References, as it is in the header;
   where there are none, the first of In-Reply-To. False when there is no memory left. */
bool thread_references_add(struct threads *threads, struct str references, struct str in_reply_to);

#endif
