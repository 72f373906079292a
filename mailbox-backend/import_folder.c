/* The folder that imported messages go to. */
#include <string.h>

#include "mailbox-backend/import_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

static enum err_code run(const struct import *import, struct store_op *op, struct err *err)
{
    enum err_code code;

    op->mailbox = import->request->mailbox;
    code = store_run(op);
    return code == ERR_NONE ? code : err_set(err, code, "%s", op->err.text);
}

/* Makes the first level of rest below parent. Somebody else may make it at the same time. */
static enum err_code make_level(const struct import *import, uint32_t parent, struct str rest,
                                struct arena *arena, struct err *err)
{
    const char *slash = memchr(rest.data, '/', rest.length);
    size_t length = slash == NULL ? rest.length : (size_t)(slash - rest.data);
    struct store_op op = {.kind = OP_FOLDER_CREATE};
    enum err_code code;

    op.in.create.parent = parent;
    op.in.create.name = arena_copy(arena, rest.data, length);
    op.in.create.class = CLASS_MAIL;
    code = run(import, &op, err);
    return code == ERR_EXISTS ? ERR_NONE : code;
}

static enum err_code set_property(const struct import *import, uint32_t folder,
                                  const struct store_property *property, struct err *err)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .folder = folder};

    op.in.property.property = *property;
    return run(import, &op, err);
}

/* Whether the folder of path is there; if not, what is missing behind its deepest ancestor. */
static enum err_code look(const struct import *import, struct str path, struct store_folder *folder,
                          struct str *rest, bool *is_placeholder, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(import->request->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    *rest = str_n(path.data, 0);
    *is_placeholder = false;
    code = path_find(read, path, folder, err);
    if (code == ERR_NOT_FOUND)
        code = path_find_ancestor(read, path, folder, rest, err);
    else if (code == ERR_NONE)
        *is_placeholder = placeholder_is(read, folder);
    store_read_end(&read);
    return code;
}

/* Makes the levels that are missing, one after another, and subscribes the last. */
static enum err_code ensure(struct import *import, struct str path, struct arena *arena,
                            struct err *err)
{
    struct store_property property;
    struct store_folder folder;
    struct str rest;
    bool is_placeholder, was_made = false;
    enum err_code code;

    while ((code = look(import, path, &folder, &rest, &is_placeholder, err)) == ERR_NONE &&
           rest.length > 0) {
        was_made = true;
        if ((code = make_level(import, folder.id, rest, arena, err)) != ERR_NONE)
            return code;
    }
    if (code == ERR_NONE && is_placeholder) {
        placeholder_property(false, &property);
        code = set_property(import, folder.id, &property, err);
    }
    if (code == ERR_NONE && was_made && !import->knows_subscriptions) {
        subscription_property(arena, path, true, &property);
        code = set_property(import, 0, &property, err);
    }
    if (code == ERR_NONE)
        import->folder = folder.id;
    return code;
}

enum err_code import_select(struct import *import, const char *path, struct err *err)
{
    struct arena arena = {0};
    struct str normal;
    enum err_code code = import_flush(import, err);

    if (code == ERR_NONE)
        code = path_normalise(&arena, str_of(path), &normal, err);
    if (code == ERR_NONE)
        code = ensure(import, normal, &arena, err);
    if (code == ERR_NONE)
        import->result->folders++;
    import->keeps_uids = false;
    arena_reset(&arena);
    return code;
}

enum err_code import_adopt(struct import *import, uint32_t uid_validity, uint32_t uid_next,
                           struct err *err)
{
    struct store_op op = {.kind = OP_FOLDER_ADOPT, .folder = import->folder};
    enum err_code code = import_flush(import, err);

    if (code != ERR_NONE)
        return code;
    op.in.adopt.uid_validity = uid_validity;
    op.in.adopt.uid_next = uid_next;
    code = run(import, &op, err);
    import->keeps_uids = code == ERR_NONE;
    import->uid_validity = uid_validity;
    if (code != ERR_EXISTS)
        return code;
    import->result->renumbered++;
    return ERR_NONE;
}

enum err_code import_subscribe(struct import *import, const char *path, struct err *err)
{
    struct store_property property;
    struct arena arena = {0};
    struct str normal;
    enum err_code code = path_normalise(&arena, str_of(path), &normal, err);

    import->knows_subscriptions = true;
    if (code == ERR_NONE) {
        subscription_property(&arena, normal, true, &property);
        code = set_property(import, 0, &property, err);
    }
    arena_reset(&arena);
    return code == ERR_INVALID ? ERR_NONE : code;
}
