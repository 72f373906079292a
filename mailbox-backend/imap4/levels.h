/* The making of folders, shared by CREATE and RENAME. */
#ifndef IMAP4_LEVELS_H
#define IMAP4_LEVELS_H

#include "mailbox-backend/imap4/imap4.h"

/* command->data begins with this while levels are made. */
struct levels_making {
    struct str path;            /* normalised; "" for the root */
    enum store_special_use use; /* of the last level, where it is made */
    /* Where it goes on when every level is there: folder is the last one. */
    enum step (*then)(struct command *command, uint32_t folder);
    bool made;           /* the last level was made by us */
    bool is_placeholder; /* the last level is one */
};

/* Makes those levels of the path that are missing, one operation each. */
enum step levels_make(struct command *command);

#endif
