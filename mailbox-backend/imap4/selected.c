/* The rights to another's folder that is selected. They are read anew for every command, so that what its
   owner changes holds from the next command on (RFC 4314 section 5.1.1). */
#include "mailbox-backend/imap4/place.h"

static enum err_code read_rights(struct command *command, unsigned *rights, struct err *err)
{
    const struct view *view = command->imap->view;
    struct store_read *read;
    enum err_code code = store_read_begin(view->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = place_rights(command, read, view->folder, rights, err);
    store_read_end(&read);
    return code;
}

enum err_code selected_refresh(struct command *command, struct err *err)
{
    struct imap *imap = command->imap;
    unsigned rights;
    bool changed;

    if (imap->view == NULL || !imap->selected.is_foreign)
        return ERR_NONE;
    if (read_rights(command, &rights, err) != ERR_NONE)
        return err->code;
    if ((rights & RIGHT_LOOKUP) == 0)
        rights = 0;
    changed = rights_flags(rights) != rights_flags(imap->selected.rights);
    imap->selected.rights = rights;
    if (changed && !imap->read_only)
        flags_tell(command);
    return ERR_NONE;
}

bool selected_check(struct command *command)
{
    struct err err;

    if (selected_refresh(command, &err) != ERR_NONE) {
        command_fail(command, &err);
        return false;
    }
    if (command->imap->view == NULL || !command->imap->selected.is_foreign ||
        (command->entry->states & STATE_AUTH) != 0 ||
        rights_lacking(command->entry, ON_SELECTED, command->imap->selected.rights) == 0)
        return true;
    command_no(command, "NOPERM", "You have no right to do that here");
    return false;
}
