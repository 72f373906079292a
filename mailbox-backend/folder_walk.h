/* A walk over a mailbox's tree of folders, parents before children, that holds no snapshot between
   steps. */
#ifndef BACKEND_FOLDER_WALK_H
#define BACKEND_FOLDER_WALK_H

#include "mailbox-backend/mailbox/mailbox.h"

struct folder_walk {
    struct store_mailbox *mailbox;
    unsigned depth; /* levels below the root that are open */
    struct {
        uint32_t parent;
        char after[STORE_NAME_MAX + 1];
    } levels[STORE_DEPTH_MAX + 1];
};

/* The mailbox is still to be set. */
#define FOLDER_WALK                                                                                \
    {                                                                                              \
        .levels[0].parent = STORE_ROOT_FOLDER                                                      \
    }

/* The next folder, and its path from arena. ERR_NOT_FOUND at the end. */
enum err_code folder_walk_next(struct folder_walk *walk, struct arena *arena,
                               struct store_folder *folder, struct str *path, struct err *err);

#endif
