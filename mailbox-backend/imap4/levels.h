/* The making of folders, shared by CREATE and RENAME. */
#ifndef IMAP4_LEVELS_H
#define IMAP4_LEVELS_H

#include "mailbox-backend/imap4/place.h"

/* command->data begins with this while levels are made. */
struct levels_making {
    struct place place;         /* path "" for the top; its mailbox is command->mailbox */
    enum store_special_use use; /* of the last level, where it is made */
    /* Where it goes on when every level is there: folder is the last one. */
    enum step (*then)(struct command *command, uint32_t folder);
    bool is_for_rename;              /* the last level is to be the parent of one more */
    bool made;                       /* the last level was made by us */
    bool is_placeholder;             /* the last level is one */
    struct store_property inherited; /* of the level that is being made: its parent's ACL */
};

/* Makes those levels of the path that are missing, one operation each; each has the ACL of the one above it (RFC 4314
   section 4), where that has one. In another's mailbox only with the right to. */
enum step levels_make(struct command *command);

#endif
