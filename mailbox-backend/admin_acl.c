/* acl list|set|remove */
#include <string.h>

#include "mailbox-backend/admin.h"
#include "mailbox-backend/mailbox/grants.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* ---- showing ---- */

/* The name that an entry goes by; for a user who is known no more there is none. */
static const char *name_of(struct admin_call *call, const struct acl_entry *entry)
{
    const char *sign = entry->is_negative ? "-" : "";
    struct account account;

    if (entry->is_anyone)
        return arena_printf(admin_arena(call), "%s" ACL_ANYONE, sign);
    if (directory_find_guid(admin_backend(call)->directory, &entry->guid, admin_arena(call),
                            &account, NULL) == ERR_NONE)
        return arena_printf(admin_arena(call), "%s%s", sign, account.name);
    return arena_printf(admin_arena(call), "%s(removed user)", sign);
}

static enum err_code put_list(struct admin_call *call, const char *path, const struct acl *acl,
                              struct err *err)
{
    enum err_code code = ERR_NONE;

    for (unsigned i = 0; i < acl->count && code == ERR_NONE; i++) {
        struct buf rights = {0};

        acl_rights_write(&rights, acl->entries[i].rights);
        buf_byte(&rights, '\0');
        admin_put_text(call, "folder", path);
        admin_put_text(call, "identifier", name_of(call, &acl->entries[i]));
        admin_put_text(call, "rights", (const char *)buf_bytes(&rights));
        code = admin_row(call, err);
        buf_release(&rights);
    }
    return code;
}

static enum err_code put_folder(struct admin_call *call, struct store_mailbox *mailbox,
                                uint32_t folder, const char *path, struct err *err)
{
    struct store_read *read;
    struct acl acl;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = acl_read(read, folder, &acl, err);
    store_read_end(&read);
    return code == ERR_NONE ? put_list(call, path, &acl, err) : code;
}

static enum err_code list_all(struct admin_call *call, struct folder_walk *walk, struct err *err)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str path;
    enum err_code code = put_folder(call, walk->mailbox, STORE_ROOT_FOLDER, "/", err);

    while (code == ERR_NONE &&
           (code = folder_walk_next(walk, &arena, &folder, &path, err)) == ERR_NONE) {
        code = put_folder(call, walk->mailbox, folder.id,
                          arena_copy(&arena, path.data, path.length), err);
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    return admin_walk(call, list_all, err);
}

/* ---- changing ---- */

/* The second name: a path, or "/" for what is above all folders. */
static enum err_code find_folder(struct admin_call *call, struct store_mailbox *mailbox,
                                 uint32_t *id, struct err *err)
{
    const char *given = admin_name(call, 1);
    struct store_folder folder = {.id = STORE_ROOT_FOLDER};
    struct store_read *read;
    struct str path;
    enum err_code code = ERR_NONE;

    if (strcmp(given, "/") != 0) {
        if (path_normalise(admin_arena(call), str_of(given), &path, err) != ERR_NONE ||
            store_read_begin(mailbox, &read, err) != ERR_NONE)
            return err->code;
        code = path_find(read, path, &folder, err);
        store_read_end(&read);
    }
    *id = folder.id;
    return code == ERR_NOT_FOUND ? err_set(err, code, "there is no folder %s", given) : code;
}

/* The third name: whom it is about. */
static enum err_code find_identifier(struct admin_call *call, const struct account *owner,
                                     struct acl_entry *entry, struct err *err)
{
    const char *name = admin_name(call, 2);
    struct account account;
    enum err_code code;

    entry->is_negative = name[0] == '-';
    name += entry->is_negative;
    entry->is_anyone = strcmp(name, ACL_ANYONE) == 0;
    if (entry->is_anyone)
        return ERR_NONE;
    code = directory_find(admin_backend(call)->directory, str_of(name), admin_arena(call), &account,
                          err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, code, "no user %s", name);
    if (code != ERR_NONE)
        return code;
    if (account.is_shared)
        return err_set(err, ERR_INVALID, "%s is a shared mailbox: nobody logs in with it", name);
    if (memcmp(&account.guid, &owner->guid, sizeof(account.guid)) == 0)
        return err_set(err, ERR_INVALID, "%s owns the mailbox, and has all rights to it", name);
    entry->guid = account.guid;
    return ERR_NONE;
}

static enum err_code change(struct admin_call *call, enum acl_change how, unsigned rights,
                            struct err *err)
{
    struct backend *backend = admin_backend(call);
    struct acl_entry entry = {.rights = rights};
    struct store_mailbox *mailbox;
    struct account account;
    uint32_t folder = STORE_ROOT_FOLDER;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code == ERR_NONE)
        code = find_identifier(call, &account, &entry, err);
    if (code == ERR_NONE)
        code = mailbox_open(backend->store, &account, &mailbox, err);
    if (code != ERR_NONE)
        return code;
    code = find_folder(call, mailbox, &folder, err);
    if (code == ERR_NONE)
        code = grants_change(backend->grants, mailbox, folder, &entry, how, err);
    store_mailbox_unref(&mailbox);
    return code;
}

static enum err_code run_set(struct admin_call *call, struct err *err)
{
    const char *text = admin_name(call, 3);
    enum acl_change how = ACL_SET;
    unsigned rights;
    enum err_code code;

    if (text[0] == '+' || text[0] == '-')
        how = *text++ == '+' ? ACL_ADD : ACL_REMOVE;
    if (!acl_rights_parse(str_of(text), &rights))
        return err_set(err, ERR_INVALID, "%s: rights are letters of lrswipkxtecda", text);
    code = change(call, how, rights, err);
    if (code == ERR_NONE)
        admin_say(call, "the rights of %s are changed, for open sessions too", admin_name(call, 2));
    return code;
}

static enum err_code run_remove(struct admin_call *call, struct err *err)
{
    enum err_code code = change(call, ACL_SET, 0, err);

    if (code == ERR_NONE)
        admin_say(call, "%s is not in the list", admin_name(call, 2));
    return code;
}

/* ---- the table ---- */

#define PARTS (BACKEND_DIRECTORY | BACKEND_STORE)

const struct admin_command backend_acl_commands[] = {
    {
     .noun = "acl",
     .verb = "list",
     .arguments = "MAILBOX",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = PARTS,
     .help = "who else may do what to the folders of a mailbox",
     .run = run_list,
     },
    {
     .noun = "acl",
     .verb = "set",
     .arguments = "MAILBOX FOLDER IDENTIFIER RIGHTS",
     .least = 4,
     .most = 4,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES,
     .needs = PARTS,
     .help = "give USER, anyone or -USER rights to a folder: lrswipkxtea, or +RIGHTS, -RIGHTS",
     .run = run_set,
     },
    {
     .noun = "acl",
     .verb = "remove",
     .arguments = "MAILBOX FOLDER IDENTIFIER",
     .least = 3,
     .most = 3,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES,
     .needs = PARTS,
     .help = "take USER, anyone or -USER off a folder's list",
     .run = run_remove,
     },
    {0  },
};
