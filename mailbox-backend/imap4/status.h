/* STATUS items, as STATUS and LIST (RFC 5819) tell them. */
#ifndef IMAP4_STATUS_H
#define IMAP4_STATUS_H

#include "mailbox-backend/imap4/imap4.h"

/* Takes "(MESSAGES …)"; asked: a bit for each item. */
bool status_take_items(struct parse *parse, unsigned *asked);

/* What is asked for may be found only by going through the folder: for workers. */
bool status_is_long(unsigned asked);
/* The bits of MESSAGES, UIDNEXT and UIDVALIDITY, and of two more where they are wanted. */
unsigned status_basic_items(bool with_unseen, bool with_modseq);

/* To be called before the first answer: asking for HIGHESTMODSEQ enables CONDSTORE. */
void status_begin(struct command *command, unsigned asked);

/* Appends the response for a folder, which is no placeholder. */
enum err_code status_tell(struct command *command, struct store_read *read,
                          const struct store_folder *folder, struct str path, unsigned asked,
                          struct err *err);

#endif
