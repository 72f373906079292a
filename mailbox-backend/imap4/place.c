#include "mailbox-backend/imap4/place.h"

#include <string.h>

#include "mailbox-backend/mailbox/grants.h"
#include "mailbox-backend/mailbox/mailbox.h"

static const char *const namespaces[] = {
    [PLACE_OWN] = NULL,
    [PLACE_OTHER_USER] = "Other Users",
    [PLACE_SHARED] = "Shared Folders",
};

const char *place_namespace(enum place_kind kind)
{
    return namespaces[kind];
}

/* ---- from a name to a mailbox ---- */

/* Takes the first level off. */
static struct str take_level(struct str *path)
{
    const char *slash = memchr(path->data, '/', path->length);
    struct str level =
        str_n(path->data, slash != NULL ? (size_t)(slash - path->data) : path->length);
    size_t taken = level.length + (slash != NULL);

    *path = str_n(path->data + taken, path->length - taken);
    return level;
}

static enum place_kind kind_of(struct str top)
{
    if (str_is(top, namespaces[PLACE_OTHER_USER]))
        return PLACE_OTHER_USER;
    return str_is(top, namespaces[PLACE_SHARED]) ? PLACE_SHARED : PLACE_OWN;
}

enum err_code place_is_hidden(const struct imap *imap, enum place_kind kind, bool *hidden,
                              struct err *err)
{
    struct store_read *read;
    struct store_folder folder;
    enum err_code code = store_read_begin(imap->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_folder_find(read, STORE_ROOT_FOLDER, str_of(namespaces[kind]), &folder, err);
    store_read_end(&read);
    *hidden = code == ERR_NONE;
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static void borrow(struct command *command, struct store_mailbox *mailbox)
{
    struct borrowed *borrowed = arena_alloc(&command->arena, sizeof(*borrowed));

    borrowed->mailbox = mailbox;
    borrowed->next = command->borrowed;
    command->borrowed = borrowed;
}

/* One's own folders are not to be had a second time. */
static bool is_of_kind(const struct imap *imap, const struct account *owner, enum place_kind kind)
{
    const struct account *user = session_account(imap->session);

    return owner->is_shared == (kind == PLACE_SHARED) &&
           memcmp(&owner->guid, &user->guid, sizeof(owner->guid)) != 0;
}

static enum err_code find_owner(const struct imap *imap, struct str login, struct arena *arena,
                                struct place *place, struct err *err)
{
    const struct backend *backend = session_backend(imap->session);
    struct account owner = {0};
    enum err_code code = directory_find(backend->directory, login, arena, &owner, err);

    if (code == ERR_NOT_FOUND || code == ERR_INVALID)
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    if (!is_of_kind(imap, &owner, place->kind))
        return ERR_NONE;
    place->name = str_of(arena_printf(arena, "%s/%s%s%.*s", namespaces[place->kind], owner.name,
                                      place->path.length > 0 ? "/" : "", (int)place->path.length,
                                      place->path.data));
    code = store_mailbox_open(backend->store, &owner.guid, false, &place->mailbox, NULL, err);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code leave_own(const struct imap *imap, struct str behind, struct arena *arena,
                               struct place *place, struct err *err)
{
    struct str login = take_level(&behind);

    place->mailbox = NULL;
    place->rights = 0;
    place->path = behind;
    if (behind.length > 0 &&
        path_normalise(arena, behind, &place->path, err) != ERR_NONE) /* INBOX */
        return err->code;
    return login.length > 0 ? find_owner(imap, login, arena, place, err) : ERR_NONE;
}

enum err_code place_look(const struct imap *imap, struct str name, struct arena *arena,
                         struct place *place, struct err *err)
{
    struct str behind = name;
    struct str top = take_level(&behind);
    enum place_kind kind = kind_of(top);
    bool hidden = false;

    *place = (struct place){
        .name = name,
        .path = name,
        .mailbox = imap->mailbox,
        .rights = RIGHTS_ALL,
    };
    if (kind == PLACE_OWN)
        return ERR_NONE;
    if (place_is_hidden(imap, kind, &hidden, err) != ERR_NONE)
        return err->code;
    place->kind = hidden ? PLACE_OWN : kind;
    return hidden ? ERR_NONE : leave_own(imap, behind, arena, place, err);
}

void place_leave(struct place *place)
{
    if (place->kind != PLACE_OWN)
        store_mailbox_unref(&place->mailbox);
}

enum err_code place_of(struct command *command, struct str name, struct place *place,
                       struct err *err)
{
    enum err_code code = place_look(command->imap, name, &command->arena, place, err);

    if (code == ERR_NONE && place->kind != PLACE_OWN && place->mailbox != NULL)
        borrow(command, place->mailbox);
    return code;
}

bool command_place(struct command *command, struct str name, struct place *place)
{
    struct str path;
    struct err err;

    if (!command_normal_name(command, name, &path))
        return false;
    if (place_of(command, path, place, &err) == ERR_NONE)
        return true;
    command_fail(command, &err);
    return false;
}

bool command_take_place(struct command *command, struct place *place)
{
    struct str name;

    if (parse_astring(&command->args, &name))
        return command_place(command, name, place);
    command_bad_syntax(command);
    return false;
}

/* ---- from a mailbox to a folder ---- */

static enum err_code not_there(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such folder");
}

bool place_read(struct command *command, const struct place *place, struct store_read **read)
{
    struct err err;

    if (place->mailbox == NULL) {
        not_there(&err);
        command_fail(command, &err);
        return false;
    }
    command->mailbox = place->mailbox;
    return command_read(command, read);
}

enum err_code place_rights(const struct command *command, struct store_read *read, uint32_t folder,
                           unsigned *rights, struct err *err)
{
    struct acl acl;
    enum err_code code = acl_read(read, folder, &acl, err);

    *rights =
        code == ERR_NONE ? acl_rights(&acl, &session_account(command->imap->session)->guid) : 0;
    return code;
}

enum err_code place_find(const struct command *command, struct place *place, enum rights_on on,
                         struct store_read *read, struct store_folder *folder, struct err *err)
{
    enum err_code code = path_find(read, place->path, folder, err);

    if (place->kind == PLACE_OWN || code != ERR_NONE)
        return code;
    code = place_rights(command, read, folder->id, &place->rights, err);
    if (code != ERR_NONE)
        return code;
    if (folder->id == STORE_ROOT_FOLDER || (place->rights & RIGHT_LOOKUP) == 0)
        return not_there(err);
    if (rights_lacking(command->entry, on, place->rights) != 0)
        return err_set(err, ERR_DENIED, "You have no right to do that here");
    return ERR_NONE;
}

/* ---- what there is of others ---- */

enum err_code place_next_owner(const struct imap *imap, enum place_kind kind,
                               struct store_guid *guid, struct arena *arena, struct account *owner,
                               struct err *err)
{
    const struct backend *backend = session_backend(imap->session);
    const struct store_guid *user = &session_account(imap->session)->guid;
    enum err_code code;

    while ((code = grants_next(backend->grants, user, guid, err)) == ERR_NONE) {
        code = directory_find_guid(backend->directory, guid, arena, owner, err);
        if (code == ERR_NONE && is_of_kind(imap, owner, kind))
            return ERR_NONE;
        if (code != ERR_NONE && code != ERR_NOT_FOUND) /* a user who was removed gives nothing */
            break;
    }
    return code;
}

/* Of one level. */
static enum err_code look_at_children(const struct command *command, struct store_read *read,
                                      uint32_t parent, bool *has, struct err *err)
{
    char after[STORE_NAME_MAX + 1] = "";
    struct store_folder folder;
    enum err_code code = ERR_NONE;

    while (!*has && (code = store_folder_next(read, parent, after, &folder, err)) == ERR_NONE) {
        unsigned rights;

        memcpy(after, folder.name, sizeof(after));
        if (place_rights(command, read, folder.id, &rights, err) != ERR_NONE)
            return err->code;
        *has = (rights & RIGHT_LOOKUP) != 0;
        if (!*has && folder.has_children)
            code = look_at_children(command, read, folder.id, has, err);
        if (code != ERR_NONE)
            return code;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code place_has_visible(const struct command *command, struct store_read *read,
                                uint32_t folder, bool *has, struct err *err)
{
    *has = false;
    return look_at_children(command, read, folder, has, err);
}
