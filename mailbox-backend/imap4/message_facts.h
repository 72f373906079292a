/* What SORT and THREAD want to know of a message besides its record: its envelope, as kept or made from
   its header, and its references. */
#ifndef IMAP4_MESSAGE_FACTS_H
#define IMAP4_MESSAGE_FACTS_H

#include "mailbox-backend/imap4/search_run.h"

/* Bytes of a header that are looked into; what lies behind counts as absent. */
#define MESSAGE_HEADER_MAX ((size_t)2 << 20)

struct message_facts {
    struct search_envelope envelope;
    struct str references; /* the value of References, folded as it is; empty: there is none */
};

/* All of it is the arena's. A message that has been expunged has empty facts. For workers: reads. */
enum err_code message_facts_read(struct command *command, const struct store_item *item,
                                 bool with_references, struct arena *arena,
                                 struct message_facts *facts, struct err *err);

/* The sent date (RFC 5256 section 2.2): of the envelope, else when it arrived. */
int64_t message_facts_date(const struct message_facts *facts, const struct store_item *item);

#endif
