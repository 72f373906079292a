/* What SORT sorts by (RFC 5256, and DISPLAYFROM and DISPLAYTO of RFC 5957): of each message one key is made of all
   criteria, such that keys in the order of their bytes are messages in the order asked for. */
#ifndef IMAP4_SORT_KEY_H
#define IMAP4_SORT_KEY_H

#include "mailbox-backend/imap4/message_facts.h"
#include "mailbox-backend/imap4/parse.h"

enum sort_criterion {
    SORT_ARRIVAL,
    SORT_CC,
    SORT_DATE,
    SORT_FROM,
    SORT_SIZE,
    SORT_SUBJECT,
    SORT_TO,
    SORT_DISPLAYFROM,
    SORT_DISPLAYTO,
    SORT_CRITERIA
};

/* Embed it; {0} before it is read. */
struct sort_order {
    enum sort_criterion
        criteria[SORT_CRITERIA]; /* each once: another time it makes no difference */
    bool reversed[SORT_CRITERIA];
    unsigned count;
    bool needs_envelope; /* message_facts_read() is needed for a key */
};

/* Takes "(REVERSE DATE …)". */
bool sort_order_take(struct parse *args, struct sort_order *order);

/* Appends the key of a message to key; arena is for the moment. */
void sort_key_make(const struct sort_order *order, const struct store_item *item,
                   const struct message_facts *facts, struct arena *arena, struct buf *key);

#endif
