#include "mailbox-backend/folder_ensure.h"

#include <string.h>

static enum err_code run(struct store_mailbox *mailbox, struct store_op *op, struct err *err)
{
    op->mailbox = mailbox;
    if (store_run(op) != ERR_NONE)
        err_set(err, op->err.code, "%s", op->err.text);
    return op->err.code;
}

/* What there is of a path. */
struct look {
    struct store_folder folder; /* it, or its deepest ancestor */
    struct str rest;            /* what is missing behind that */
    bool is_placeholder;
    bool use_is_free;
};

static enum err_code look(struct store_mailbox *mailbox, const struct folder_wish *wish,
                          struct look *found, struct err *err)
{
    struct store_folder other;
    struct store_read *read;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    *found = (struct look){.rest = str_n(wish->path.data, 0)};
    code = path_find(read, wish->path, &found->folder, err);
    if (code == ERR_NOT_FOUND)
        code = path_find_ancestor(read, wish->path, &found->folder, &found->rest, err);
    else if (code == ERR_NONE)
        found->is_placeholder = placeholder_is(read, &found->folder);
    found->use_is_free = wish->use != USE_NONE && wish->use != USE_INBOX &&
                         store_folder_by_use(read, wish->use, &other, NULL) == ERR_NOT_FOUND;
    store_read_end(&read);
    return code;
}

/* Makes the first level that is missing. Somebody else may make it at the same time. */
static enum err_code make_level(struct store_mailbox *mailbox, const struct folder_wish *wish,
                                const struct look *found, struct arena *arena, struct err *err)
{
    struct str rest = found->rest;
    const char *slash = memchr(rest.data, '/', rest.length);
    size_t length = slash == NULL ? rest.length : (size_t)(slash - rest.data);
    struct store_op op = {.kind = OP_FOLDER_CREATE};
    enum err_code code;

    op.in.create.parent = found->folder.id;
    op.in.create.name = arena_copy(arena, rest.data, length);
    op.in.create.use = slash == NULL && found->use_is_free ? wish->use : USE_NONE;
    op.in.create.class = CLASS_MAIL;
    code = run(mailbox, &op, err);
    return code == ERR_EXISTS ? ERR_NONE : code;
}

static enum err_code set_property(struct store_mailbox *mailbox, uint32_t folder,
                                  const struct store_property *property, struct err *err)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .folder = folder};

    op.in.property.property = *property;
    return run(mailbox, &op, err);
}

static enum err_code make(struct store_mailbox *mailbox, const struct folder_wish *wish,
                          struct arena *arena, uint32_t *folder, bool *was_made, struct err *err)
{
    struct store_property property;
    struct look found = {0};
    enum err_code code;

    while ((code = look(mailbox, wish, &found, err)) == ERR_NONE && found.rest.length > 0) {
        *was_made = true;
        if ((code = make_level(mailbox, wish, &found, arena, err)) != ERR_NONE)
            return code;
    }
    if (code == ERR_NONE && found.is_placeholder) {
        placeholder_property(false, &property);
        code = set_property(mailbox, found.folder.id, &property, err);
    }
    if (code == ERR_NONE && *was_made && wish->subscribe) {
        subscription_property(arena, wish->path, true, &property);
        code = set_property(mailbox, 0, &property, err);
    }
    *folder = found.folder.id;
    return code;
}

enum err_code folder_ensure(struct store_mailbox *mailbox, const struct folder_wish *wish,
                            uint32_t *folder, bool *was_made, struct err *err)
{
    struct arena arena = {0};
    bool made = false;
    enum err_code code = make(mailbox, wish, &arena, folder, &made, err);

    if (was_made != NULL)
        *was_made = made;
    arena_reset(&arena);
    return code;
}
