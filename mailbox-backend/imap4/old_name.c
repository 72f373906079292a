#include "mailbox-backend/imap4/old_name.h"

#include "mailbox-backend/imap4/list.h"

bool old_name_differs(struct str given, struct str path)
{
    if (given.length > 1 && given.data[given.length - 1] == '/')
        given.length--;
    if (str_is(path, "INBOX"))
        return !str_is_nocase(given, "INBOX");
    return !str_equal(given, path);
}

void old_name_tell(struct command *command, struct str given, const struct place *place)
{
    struct store_read *read;
    struct err err;

    if (!imap_is_rev2(command->imap) || store_read_begin(place->mailbox, &read, &err) != ERR_NONE)
        return;
    list_tell_one(command, read, place, given, &err);
    store_read_end(&read);
}

void old_name_tell_given(struct command *command, const struct place *place)
{
    if (old_name_differs(command->given, place->name))
        old_name_tell(command, command->given, place);
}
