/* The tree of THREAD as text (RFC 5256 section 4), in small pieces. */
#ifndef IMAP4_THREAD_ANSWER_H
#define IMAP4_THREAD_ANSWER_H

#include "common/buf.h"
#include "mailbox-backend/imap4/thread.h"

struct thread_answer {
    uint32_t at; /* the node to be told next, first the tree's top; THREAD_NONE: all is told */
    bool told;   /* it has been, with all below it: its list may end */
};

/* Writes at most one number and two other characters. number is what a message not told yet is called: its
   sequence number or uid. */
void thread_answer_write(struct thread_answer *answer, const struct threads *threads,
                         uint32_t number, struct buf *out);

#endif
