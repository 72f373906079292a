/* Taking away what the backup does not have. All of it becomes recoverable. */
#include "mailbox-backend/folder_walk.h"
#include "mailbox-backend/restore_private.h"

enum err_code restore_expunge(struct restoring *restoring, const uint32_t *uids, size_t count,
                              struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct store_op op = {.kind = OP_EXPUNGE, .mailbox = request->to, .folder = restoring->to};
    struct uidset set = {0};
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count; i++)
        uidset_add(&set, uids[i]);
    op.uids = &set;
    if (request->dry_run) {
        restoring->folder.counts.removed += count;
    } else if (count > 0) {
        code = store_run(&op);
        if (code != ERR_NONE)
            err_set(err, code, "%s", op.err.text);
        restoring->folder.counts.removed += uidset_size(&op.out.expunge.removed);
        uidset_release(&op.out.expunge.removed);
    }
    uidset_release(&set);
    return code;
}

/* What the backup knows of a path. */
struct known {
    bool is_there, is_subscribed;
};

static enum err_code look_up(const struct restore_request *request, struct str path,
                             struct known *known, struct err *err)
{
    struct store_folder folder;
    struct store_read *read;
    enum err_code code = store_read_begin(request->from, &read, err);

    if (code != ERR_NONE)
        return code;
    code = path_find(read, path, &folder, err);
    known->is_there = code == ERR_NONE;
    known->is_subscribed = subscription_has(read, path);
    store_read_end(&read);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code unsubscribe(const struct restore_request *request, struct str path,
                                 struct arena *arena, struct err *err)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = request->to};

    subscription_property(arena, path, false, &op.in.property.property);
    return store_run(&op) == ERR_NONE ? ERR_NONE : err_set(err, op.err.code, "%s", op.err.text);
}

static enum err_code delete_folder(struct restoring *restoring, const struct store_folder *folder,
                                   struct str path, bool keep_subscription, struct arena *arena,
                                   struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct store_op op = {.kind = OP_FOLDER_DELETE, .mailbox = request->to, .folder = folder->id};
    enum err_code code = ERR_NONE;

    if (!request->dry_run && store_run(&op) != ERR_NONE)
        return err_set(err, op.err.code, "%.*s: %s", (int)path.length, path.data, op.err.text);
    if (!request->dry_run && !keep_subscription)
        code = unsubscribe(request, path, arena, err);
    if (code != ERR_NONE)
        return code;
    restoring->folder.to = arena_copy(arena, path.data, path.length);
    restoring->folder.counts.removed = folder->messages;
    return restore_tell(restoring, err);
}

/* Only folders without others below: the next pass has the ones above. A dry run has them all at
   once. */
static enum err_code pass(struct restoring *restoring, uint64_t *deleted, struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct folder_walk walk = FOLDER_WALK;
    struct store_folder folder;
    struct arena arena = {0};
    struct str path;
    struct known known;
    enum err_code code = ERR_NONE;

    walk.mailbox = request->to;
    while (code == ERR_NONE &&
           (code = folder_walk_next(&walk, &arena, &folder, &path, err)) == ERR_NONE) {
        if (restore_covers(request, path) && (request->dry_run || !folder.has_children) &&
            (code = look_up(request, path, &known, err)) == ERR_NONE && !known.is_there) {
            code = delete_folder(restoring, &folder, path, known.is_subscribed, &arena, err);
            ++*deleted;
        }
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code restore_delete_folders(struct restoring *restoring, struct err *err)
{
    uint64_t deleted = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && deleted > 0) {
        deleted = 0;
        code = pass(restoring, &deleted, err);
        if (restoring->request->dry_run)
            break;
    }
    return code;
}
