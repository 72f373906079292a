#include "mailbox-backend/mailbox/mailbox.h"

#include <string.h>

/* Says that the default folders were made, so that a user who deletes one does not get it again. */
#define DEFAULTS_MADE "default-folders"

static const struct {
    const char *name;
    enum store_special_use use;
} default_folders[] = {
    {"INBOX",   USE_INBOX  }, /* the store makes this one */
    {"Drafts",  USE_DRAFTS },
    {"Sent",    USE_SENT   },
    {"Junk",    USE_JUNK   },
    {"Trash",   USE_TRASH  },
    {"Archive", USE_ARCHIVE},
};
#define FOLDERS (sizeof(default_folders) / sizeof(default_folders[0]))
#define OPERATIONS (2 * FOLDERS + 1)

/* ---- several operations in one transaction, waited for; what is there already is as good ---- */

static enum err_code run_all(struct store_op *operations, size_t count, struct err *err)
{
    struct store_op *list[OPERATIONS];

    for (size_t i = 0; i < count; i++)
        list[i] = &operations[i];
    store_run_all(list, count);
    for (size_t i = 0; i < count; i++) {
        if (operations[i].err.code != ERR_NONE && operations[i].err.code != ERR_EXISTS)
            return err_set(err, operations[i].err.code, "%s", operations[i].err.text);
    }
    return ERR_NONE;
}

/* ---- default folders ---- */

static void add_create(struct store_op *op, const char *name, enum store_special_use use)
{
    op->kind = OP_FOLDER_CREATE;
    op->in.create.parent = STORE_ROOT_FOLDER;
    op->in.create.name = name;
    op->in.create.use = use;
    op->in.create.class = CLASS_MAIL;
}

static enum err_code make_defaults(struct store_mailbox *mailbox, struct err *err)
{
    struct store_op operations[OPERATIONS] = {0};
    struct arena arena = {0};
    size_t count = 0;
    enum err_code code;

    for (size_t i = 0; i < FOLDERS; i++) {
        const char *name = default_folders[i].name;

        if (default_folders[i].use != USE_INBOX)
            add_create(&operations[count++], name, default_folders[i].use);
        operations[count].kind = OP_PROPERTY_SET;
        subscription_property(&arena, str_of(name), true,
                              &operations[count++].in.property.property);
    }
    operations[count].kind = OP_PROPERTY_SET;
    operations[count++].in.property.property = (struct store_property){DEFAULTS_MADE, "1", 1};
    for (size_t i = 0; i < count; i++)
        operations[i].mailbox = mailbox;
    code = run_all(operations, count, err);
    arena_reset(&arena);
    return code;
}

static enum err_code has_defaults(struct store_mailbox *mailbox, bool *has, struct err *err)
{
    struct store_read *read;
    uint8_t value[1];
    size_t length;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_property_get(read, 0, 0, DEFAULTS_MADE, value, sizeof(value), &length, err);
    store_read_end(&read);
    *has = code == ERR_NONE;
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* One transaction, so a crash leaves nothing half done. Where two sessions are the first at the
   same time, the one that comes second finds the folders there. */
static enum err_code ensure_defaults(struct store_mailbox *mailbox, struct err *err)
{
    bool has;
    enum err_code code = has_defaults(mailbox, &has, err);

    return code != ERR_NONE || has ? code : make_defaults(mailbox, err);
}

enum err_code mailbox_open(struct store *store, const struct account *account,
                           struct store_mailbox **mailbox, struct err *err)
{
    enum err_code code = store_mailbox_open(store, &account->guid, true, mailbox, NULL, err);

    if (code != ERR_NONE)
        return code;
    code = ensure_defaults(*mailbox, err);
    if (code != ERR_NONE)
        store_mailbox_unref(mailbox);
    return code;
}

bool mailbox_is_made(struct store *store, const struct account *account)
{
    struct store_mailbox *mailbox;
    bool made = false;

    if (store_mailbox_open(store, &account->guid, false, &mailbox, NULL, NULL) != ERR_NONE)
        return false;
    if (has_defaults(mailbox, &made, NULL) != ERR_NONE)
        made = false;
    store_mailbox_unref(&mailbox);
    return made;
}
