#include "mailbox-backend/folder_walk.h"

#include <string.h>

/* ERR_NOT_FOUND at the end. */
static enum err_code step(struct folder_walk *walk, struct store_read *read,
                          struct store_folder *folder, struct err *err)
{
    for (;;) {
        enum err_code code = store_folder_next(read, walk->levels[walk->depth].parent,
                                               walk->levels[walk->depth].after, folder, err);

        if (code == ERR_NOT_FOUND && walk->depth > 0) {
            walk->depth--;
            continue;
        }
        if (code != ERR_NONE)
            return code;
        strcpy(walk->levels[walk->depth].after, folder->name);
        if (folder->has_children && walk->depth < STORE_DEPTH_MAX) {
            walk->depth++;
            walk->levels[walk->depth].parent = folder->id;
            walk->levels[walk->depth].after[0] = '\0';
        }
        return ERR_NONE;
    }
}

enum err_code folder_walk_next(struct folder_walk *walk, struct arena *arena,
                               struct store_folder *folder, struct str *path, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(walk->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = step(walk, read, folder, err);
    if (code == ERR_NONE)
        code = path_of(read, folder, arena, path, err);
    store_read_end(&read);
    return code;
}
