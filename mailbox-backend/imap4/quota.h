/* What the owner of a mailbox may have in it (RFC 9208). Looked up anew for each command: an administrator
   may change it while sessions are open. */
#ifndef IMAP4_QUOTA_H
#define IMAP4_QUOTA_H

#include "mailbox-backend/imap4/imap4.h"

struct quota {
    uint64_t bytes, messages, folders; /* 0: no limit */
};

/* While the directory cannot say, an account's own quota is what it was at the login. */
void quota_of(const struct imap *imap, const struct store_mailbox *mailbox, struct quota *quota);

/* The end of a command that would exceed it: NO [OVERQUOTA]. */
enum step quota_exceeded(struct command *command);

/* How many folders the mailbox may have: never 0. */
uint64_t quota_folders_most(const struct quota *quota);

/* Whoever logged in may act as any user, and did so by a credential that is good for all of the
   account: such a session may use SETQUOTA. Asks the directory. */
bool quota_is_administrator(const struct imap *imap);

#endif
