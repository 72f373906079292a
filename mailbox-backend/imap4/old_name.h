/* OLDNAME (RFC 9051 section 6.3.9.7): a client that gave a mailbox name in another than its normal form
   is told by LIST which name that became. */
#ifndef IMAP4_OLD_NAME_H
#define IMAP4_OLD_NAME_H

#include "mailbox-backend/imap4/place.h"

/* Whether a name as it was given in UTF-8 differs from the path that it became. INBOX in another case is
   the same name, and so is one with the "/" behind it that CREATE allows. */
bool old_name_differs(struct str given, struct str path);

/* In IMAP4rev2, tells of a place as it is now, with given as its OLDNAME. Where the store cannot be read it is
   left out: the command has been done all the same. */
void old_name_tell(struct command *command, struct str given, const struct place *place);

/* The same, where command->given differs from the place's name. */
void old_name_tell_given(struct command *command, const struct place *place);

#endif
