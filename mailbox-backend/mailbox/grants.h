/* Who gave whom something: an index over all folders' access control lists, by which the folders of
   others that a user may see are found without opening every mailbox. It is kept in memory and made from
   the lists themselves when it is first asked, so that a crash, a restore or a rebuild cannot make it
   wrong. It says too much at most: what a user may really do the folder's own list says. Any thread. */
#ifndef MAILBOX_GRANTS_H
#define MAILBOX_GRANTS_H

#include "mailbox-backend/mailbox/acl.h"

struct grants;

struct grants *grants_create(struct store *store);
void grants_destroy(struct grants **grants);

/* They are known, and so few that going through all of them is quick: it may be done on a loop. */
bool grants_are_few(struct grants *grants);

/* The next owner, behind *owner in the order of GUIDs ({0} at first), some folder of whose mailbox gives the user or
   anyone something. Not the user. ERR_NOT_FOUND at the end. */
enum err_code grants_next(struct grants *grants, const struct store_guid *user,
                          struct store_guid *owner, struct err *err);

/* Changes one entry of a folder's list (acl_change()), durably; one change at a time. Waits for the commit: worker
   threads and tools only. ERR_LIMIT, and what the store says. */
enum err_code grants_change(struct grants *grants, struct store_mailbox *mailbox, uint32_t folder,
                            const struct acl_entry *what, enum acl_change change, struct err *err);

/* Lists may have come in other ways: a database was mounted, a backup brought back. */
void grants_forget(struct grants *grants);

#endif
