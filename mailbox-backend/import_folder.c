/* The folder that imported messages go to. */
#include "mailbox-backend/folder_ensure.h"
#include "mailbox-backend/import_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

static enum err_code run(const struct import *import, struct store_op *op, struct err *err)
{
    enum err_code code;

    op->mailbox = import->request->mailbox;
    code = store_run(op);
    return code == ERR_NONE ? code : err_set(err, code, "%s", op->err.text);
}

static enum err_code set_property(const struct import *import, uint32_t folder,
                                  const struct store_property *property, struct err *err)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .folder = folder};

    op.in.property.property = *property;
    return run(import, &op, err);
}

enum err_code import_select(struct import *import, const char *path, struct err *err)
{
    struct folder_wish wish = {.subscribe = !import->knows_subscriptions};
    struct arena arena = {0};
    enum err_code code = import_flush(import, err);

    if (code == ERR_NONE)
        code = path_normalise(&arena, str_of(path), &wish.path, err);
    if (code == ERR_NONE)
        code = folder_ensure(import->request->mailbox, &wish, &import->folder, NULL, err);
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
