/* MailboxName (RFC 5465 section 5.4): the names of all folders as the client knows them, compared with those
   that there are. So a folder that is renamed twice before anybody looks is told of once, with the name that
   the client knew, and one that came and went is not told of at all. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SLICE 128u /* folders of one snapshot */

void notify_names_release(struct notify_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->folders[i].name);
    free(names->folders);
    *names = (struct notify_names){0};
}

/* ---- what the client knows ---- */

static size_t position_of(const struct notify_names *names, uint32_t id)
{
    size_t low = 0;
    size_t high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (names->folders[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct notify_folder *find(const struct notify_names *names, uint32_t id)
{
    size_t at = position_of(names, id);

    return at < names->count && names->folders[at].id == id ? &names->folders[at] : NULL;
}

static struct notify_folder *put(struct notify_names *names, uint32_t id, uint32_t parent,
                                 const char *name)
{
    struct notify_folder *folder = find(names, id);

    if (folder == NULL) {
        size_t at = position_of(names, id);

        if (names->count == names->room) {
            names->room = names->room == 0 ? 16 : names->room * 2;
            names->folders = mem_grow(names->folders, names->room, sizeof(*names->folders));
        }
        folder = &names->folders[at];
        memmove(folder + 1, folder, (names->count - at) * sizeof(*folder));
        *folder = (struct notify_folder){.id = id};
        names->count++;
    }
    free(folder->name);
    folder->parent = parent;
    folder->name = mem_string(name);
    folder->is_gone = false;
    return folder;
}

static void drop_gone(struct notify_names *names)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (names->folders[i].is_gone)
            free(names->folders[i].name);
        else
            names->folders[kept++] = names->folders[i];
    }
    names->count = kept;
}

/* The path by which the client knows a folder. */
static struct str known_path(const struct notify_names *names, const struct notify_folder *folder,
                             struct arena *arena)
{
    const char *path = folder->name;

    for (unsigned depth = 0; depth < STORE_DEPTH_MAX && folder->parent != STORE_ROOT_FOLDER;
         depth++) {
        folder = find(names, folder->parent);
        if (folder == NULL)
            break;
        path = arena_printf(arena, "%s/%s", folder->name, path);
    }
    return str_of(path);
}

/* Its name stays while folders that are known below it may yet need it. */
static void forget(struct notify_names *names, uint32_t id)
{
    size_t at = position_of(names, id);

    if (at == names->count || names->folders[at].id != id)
        return;
    names->folders[at].is_gone = true;
    for (size_t i = 0; i < names->count; i++) {
        if (names->folders[i].parent == id)
            return;
    }
    free(names->folders[at].name);
    names->count--;
    memmove(names->folders + at, names->folders + at + 1,
            (names->count - at) * sizeof(*names->folders));
}

void notify_names_learn(struct notify_names *names, const struct store_op *op)
{
    struct notify_folder *folder;

    switch (op->kind) {
    case OP_FOLDER_CREATE:
        put(names, op->out.create.folder, op->in.create.parent, op->in.create.name);
        break;
    case OP_FOLDER_RENAME:
        put(names, op->folder, op->in.rename.parent, op->in.rename.name);
        break;
    case OP_FOLDER_DELETE:
        forget(names, op->folder);
        break;
    case OP_PROPERTY_SET:
        folder = op->folder != 0 ? find(names, op->folder) : NULL;
        if (folder != NULL && placeholder_is_property(op->in.property.property.name))
            folder->is_placeholder = op->in.property.property.length > 0;
        break;
    default:
        break;
    }
}

/* ---- telling ---- */

struct pass {
    struct command *command;
    struct notify_names *names;
    const struct notify_spec *spec; /* NULL: nothing is told */
    struct store_read *read;
    struct err *err;
    struct arena arena; /* of one folder */
};

static bool is_wanted(const struct pass *pass, struct str path)
{
    bool subscribed = subscription_has(pass->read, path);

    return (notify_events_of(pass->spec, path, subscribed) & NOTIFY_NAME) != 0;
}

static enum err_code tell(struct pass *pass, struct str path, struct str old_name)
{
    if (!is_wanted(pass, path) && (old_name.data == NULL || !is_wanted(pass, old_name)))
        return ERR_NONE;
    return list_tell_changed(pass->command, pass->read, path, old_name, pass->err);
}

/* Whether it has folders below it has changed as well. */
static enum err_code tell_parent(struct pass *pass, uint32_t parent)
{
    struct store_folder folder;
    struct str path;
    enum err_code code;

    if (parent == STORE_ROOT_FOLDER)
        return ERR_NONE;
    code = store_folder_get(pass->read, parent, &folder, pass->err);
    if (code == ERR_NONE)
        code = path_of(pass->read, &folder, &pass->arena, &path, pass->err);
    if (code == ERR_NONE)
        code = tell(pass, path, (struct str){0});
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code on_gone(struct pass *pass, struct notify_folder *folder)
{
    struct str path = known_path(pass->names, folder, &pass->arena);

    folder->is_gone = true;
    if (pass->spec == NULL)
        return ERR_NONE;
    if (tell(pass, path, (struct str){0}) != ERR_NONE)
        return pass->err->code;
    return tell_parent(pass, folder->parent);
}

static enum err_code on_new(struct pass *pass, const struct store_folder *folder,
                            bool is_placeholder)
{
    struct str path;

    if (pass->names->count >= NOTIFY_FOLDERS_MAX)
        return err_set(pass->err, ERR_LIMIT, "there are too many folders");
    put(pass->names, folder->id, folder->parent, folder->name)->is_placeholder = is_placeholder;
    if (pass->spec == NULL)
        return ERR_NONE;
    if (path_of(pass->read, folder, &pass->arena, &path, pass->err) != ERR_NONE ||
        tell(pass, path, (struct str){0}) != ERR_NONE)
        return pass->err->code;
    return tell_parent(pass, folder->parent);
}

/* What moved along with a folder above is known by that one's new name already. */
static enum err_code on_known(struct pass *pass, struct notify_folder *known,
                              const struct store_folder *folder, bool is_placeholder)
{
    bool renamed = known->parent != folder->parent || strcmp(known->name, folder->name) != 0;
    struct str old_name = {0};
    struct str path;

    if (!renamed && known->is_placeholder == is_placeholder)
        return ERR_NONE;
    if (renamed) {
        old_name = known_path(pass->names, known, &pass->arena);
        old_name = str_n(arena_copy(&pass->arena, old_name.data, old_name.length), old_name.length);
        put(pass->names, folder->id, folder->parent, folder->name);
    }
    known->is_placeholder = is_placeholder;
    if (pass->spec == NULL)
        return ERR_NONE;
    if (path_of(pass->read, folder, &pass->arena, &path, pass->err) != ERR_NONE)
        return pass->err->code;
    return tell(pass, path, old_name);
}

/* The first one behind the last folder that is no more, where the next that is there has the id before; NULL: there is
   none. */
static struct notify_folder *next_gone(const struct notify_names *names, uint32_t before)
{
    for (size_t i = position_of(names, names->at + 1);
         i < names->count && names->folders[i].id < before; i++) {
        if (!names->folders[i].is_gone)
            return &names->folders[i];
    }
    return NULL;
}

static enum err_code pass_folder(struct pass *pass, const struct store_folder *folder)
{
    struct notify_folder *known = find(pass->names, folder->id);
    bool is_placeholder = placeholder_is(pass->read, folder);

    if (folder->id == STORE_ROOT_FOLDER)
        return ERR_NONE;
    if (known == NULL || known->is_gone)
        return on_new(pass, folder, is_placeholder);
    return on_known(pass, known, folder, is_placeholder);
}

static void end_pass(struct notify_names *names)
{
    drop_gone(names);
    names->at = 0;
}

static enum err_code next(struct pass *pass, bool *done)
{
    struct notify_names *names = pass->names;
    struct store_folder folder;
    struct notify_folder *gone;
    enum err_code code = store_folder_after(pass->read, names->at, &folder, pass->err);
    bool is_last = code == ERR_NOT_FOUND;

    if (code != ERR_NONE && !is_last)
        return code;
    gone = next_gone(names, is_last ? UINT32_MAX : folder.id);
    *done = is_last && gone == NULL;
    if (*done) {
        end_pass(names);
        return ERR_NONE;
    }
    names->at = gone != NULL ? gone->id : folder.id;
    return gone != NULL ? on_gone(pass, gone) : pass_folder(pass, &folder);
}

enum err_code notify_names_pass(struct command *command, struct notify_names *names,
                                const struct notify_spec *spec, struct store_read *read, bool *done,
                                struct err *err)
{
    struct pass pass = {.command = command, .names = names, .spec = spec, .read = read, .err = err};
    enum err_code code = ERR_NONE;

    *done = false;
    for (unsigned i = 0; i < SLICE && code == ERR_NONE && !*done && command_has_room(command);
         i++) {
        code = next(&pass, done);
        arena_reset(&pass.arena);
    }
    return code;
}
