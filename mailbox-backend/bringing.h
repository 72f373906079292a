/* Commands that bring into a mailbox what it has not: one at a time works on one, for two would each find
   the same messages missing, and bring them twice. Any thread. */
#ifndef BACKEND_BRINGING_H
#define BACKEND_BRINGING_H

#include "mailbox-backend/store/store.h"

/* Embed it; it stays in place from begin to end. */
struct bringing {
    const struct store_mailbox *mailbox;
    struct bringing *next;
};

/* ERR_EXISTS while another is under way; then there is nothing to end. mailbox is held by the caller. */
enum err_code bringing_begin(struct bringing *own, const struct store_mailbox *mailbox,
                             struct err *err);
void bringing_end(const struct bringing *own);

#endif
