/* The rights to another's folder that is selected. They are read anew for every command, so that what its
   owner changes holds from the next command on (RFC 4314 section 5.1.1). */
#include "mailbox-backend/imap4/place.h"

/* ERR_NOT_FOUND: the folder is no more. */
static enum err_code read_rights(struct command *command, unsigned *rights, struct err *err)
{
    const struct view *view = command->imap->view;
    struct store_read *read;
    struct store_folder folder;
    enum err_code code = store_read_begin(view->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_folder_get(read, view->folder, &folder, err);
    if (code == ERR_NONE)
        code = place_rights(command, read, view->folder, rights, err);
    store_read_end(&read);
    return code;
}

/* A user who was removed gives nothing, though the mailbox is kept for a while. */
static bool has_owner(const struct command *command)
{
    struct arena arena = {0}; /* the command may be an IDLE of hours */
    struct account owner;
    enum err_code code =
        directory_find_guid(session_backend(command->imap->session)->directory,
                            store_mailbox_guid(command->imap->view->mailbox), &arena, &owner, NULL);

    arena_reset(&arena);
    return code != ERR_NOT_FOUND;
}

/* What a folder that is no more needs, the command finds out by itself, as in one's own mailbox. While the list cannot
   be read nothing may be done. */
enum err_code selected_refresh(struct command *command, struct err *err)
{
    struct imap *imap = command->imap;
    unsigned rights = 0;
    enum err_code code;
    bool changed;

    if (imap->view == NULL || !imap->selected.is_foreign)
        return ERR_NONE;
    code = read_rights(command, &rights, err);
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE || (rights & RIGHT_LOOKUP) == 0 || !has_owner(command))
        rights = 0;
    changed = rights_flags(rights) != rights_flags(imap->selected.rights);
    imap->selected.rights = rights;
    if (changed && !imap->read_only)
        flags_tell(command);
    return code;
}

/* Whatever needs nothing of the folder goes on even where its database is away: LOGOUT, SELECT of another. */
bool selected_check(struct command *command)
{
    struct err err;
    enum err_code code = selected_refresh(command, &err);

    if (command->imap->view == NULL || !command->imap->selected.is_foreign ||
        (command->entry->states & STATE_AUTH) != 0 ||
        rights_lacking(command->entry, ON_SELECTED, command->imap->selected.rights) == 0)
        return true;
    if (code != ERR_NONE)
        command_fail(command, &err);
    else
        command_no(command, "NOPERM", "You have no right to do that here");
    return false;
}
