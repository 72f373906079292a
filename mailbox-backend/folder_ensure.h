/* Making a folder with the levels above it, for tools that bring messages into a mailbox. */
#ifndef BACKEND_FOLDER_ENSURE_H
#define BACKEND_FOLDER_ENSURE_H

#include "mailbox-backend/mailbox/mailbox.h"

struct folder_wish {
    struct str path;            /* normalised */
    bool subscribe;             /* when it is made */
    enum store_special_use use; /* when it is made, and no other folder has it */
};

/* Finds the folder, or makes it with the levels that are missing; a placeholder becomes a true folder.
   *was_made tells (may be NULL). Waits for commits: worker threads only. */
enum err_code folder_ensure(struct store_mailbox *mailbox, const struct folder_wish *wish,
                            uint32_t *folder, bool *was_made, struct err *err);

#endif
