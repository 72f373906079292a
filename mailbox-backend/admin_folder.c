/* folder list */
#include <string.h>

#include "mailbox-backend/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* A walk over the tree of folders, parents before children, that holds no snapshot between steps. */
struct walk {
    struct store_mailbox *mailbox;
    unsigned depth; /* levels below the root that are open */
    struct {
        uint32_t parent;
        char after[STORE_NAME_MAX + 1];
    } levels[STORE_DEPTH_MAX + 1];
};

/* ERR_NOT_FOUND at the end. */
static enum err_code step(struct walk *walk, struct store_read *read, struct store_folder *folder,
                          struct err *err)
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

static enum err_code next(struct walk *walk, struct arena *arena, struct store_folder *folder,
                          struct str *path, struct err *err)
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

static const char *use_name(enum store_special_use use)
{
    static const char *const names[] = {
        [USE_NONE] = "",     [USE_INBOX] = "inbox", [USE_DRAFTS] = "drafts",   [USE_SENT] = "sent",
        [USE_JUNK] = "junk", [USE_TRASH] = "trash", [USE_ARCHIVE] = "archive",
    };

    return use < sizeof(names) / sizeof(names[0]) ? names[use] : "other";
}

static enum err_code put_folder(struct admin_call *call, const struct store_folder *folder,
                                const char *path, struct err *err)
{
    admin_put_text(call, "folder", path);
    admin_put_number(call, "messages", folder->messages);
    admin_put_number(call, "unseen", folder->unseen);
    admin_put_bytes(call, "bytes", folder->bytes);
    admin_put_text(call, "use", use_name(folder->use));
    admin_put_number(call, "id", folder->id);
    admin_put_number(call, "uid-validity", folder->uid_validity);
    admin_put_number(call, "uid-next", folder->uid_next);
    return admin_row(call, err);
}

static enum err_code list_all(struct admin_call *call, struct walk *walk, struct err *err)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str path;
    enum err_code code;

    while ((code = next(walk, &arena, &folder, &path, err)) == ERR_NONE) {
        code = put_folder(call, &folder, arena_copy(&arena, path.data, path.length), err);
        arena_reset(&arena);
        if (code != ERR_NONE)
            return code;
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    struct walk walk = {.levels[0].parent = STORE_ROOT_FOLDER};
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code == ERR_NONE)
        code = admin_open_mailbox(call, &account, &walk.mailbox, err);
    if (code != ERR_NONE || walk.mailbox == NULL)
        return code;
    code = list_all(call, &walk, err);
    store_mailbox_unref(&walk.mailbox);
    return code;
}

const struct admin_command backend_folder_commands[] = {
    {
     .noun = "folder",
     .verb = "list",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .help = "the folders of a user's mailbox, with counts and sizes",
     .run = run_list,
     },
    {0},
};
