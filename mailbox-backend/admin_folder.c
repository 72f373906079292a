/* folder list */
#include "mailbox-backend/admin.h"

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

static enum err_code list_all(struct admin_call *call, struct folder_walk *walk, struct err *err)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str path;
    enum err_code code;

    while ((code = folder_walk_next(walk, &arena, &folder, &path, err)) == ERR_NONE) {
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
    return admin_walk(call, list_all, err);
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
