/* How many messages one command may work on (MESSAGELIMIT and SAVELIMIT, RFC 9738): the settings message_limit and
   save_limit, 0 meaning as many as there are. */
#ifndef IMAP4_MESSAGE_LIMIT_H
#define IMAP4_MESSAGE_LIMIT_H

#include "mailbox-backend/imap4/imap4.h"

/* UINT64_MAX: there is no limit. Of COPY and APPEND, save_limit counts where message_limit is not set. */
uint64_t message_limit(const struct imap *imap);
uint64_t message_limit_of_saving(const struct imap *imap);

/* Leaves of uids no more than the highest ones allowed. What was left out is told at the end of the command: its tagged line
   says which was the lowest one left. */
void message_limit_cut(struct command *command, struct uidset *uids);

/* For a command that does all or nothing and is about that many: false when it was answered NO. lowest is the uid up
   to which it could have gone, or 0. */
bool message_limit_allows(struct command *command, uint64_t count, uint64_t limit, uint32_t lowest);

/* The lowest of the highest uids allowed by limit, of more than that. */
uint32_t message_limit_lowest(const struct uidset *uids, uint64_t limit);

/* At the end of a command, before its tagged line: has that line tell what was left out; or, where the line has a code of its
   own or is the handler's, tells it by an untagged NO (section 3.1). */
void message_limit_end(struct command *command, bool tagged);

#endif
