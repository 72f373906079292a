/* GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS (RFC 4314). */
#include <string.h>

#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/grants.h"
#include "mailbox-backend/mime/imap_string.h"

struct acl_command {
    struct place place;
    uint32_t folder;
    struct str identifier;  /* as it was given */
    struct acl_entry entry; /* whom it means, and the rights that were given */
    enum acl_change change;
    bool is_owner; /* who has every right, in no list */
};

/* ---- arguments ---- */

/* What is the owner's of a mailbox, and whose it is; a shared one is nobody's. */
static const struct store_guid *owner_of(const struct acl_command *acl)
{
    return acl->place.kind == PLACE_SHARED ? NULL : store_mailbox_guid(acl->place.mailbox);
}

static enum err_code find_user(struct command *command, struct str name, struct err *err)
{
    struct acl_command *acl = command->data;
    struct account account;
    enum err_code code = directory_find(session_backend(command->imap->session)->directory, name,
                                        &command->arena, &account, err);

    if (code == ERR_NOT_FOUND || code == ERR_INVALID || (code == ERR_NONE && account.is_shared))
        return err_set(err, ERR_INVALID, "There is no user of that name here");
    if (code != ERR_NONE)
        return code;
    acl->entry.guid = account.guid;
    acl->is_owner =
        owner_of(acl) != NULL && memcmp(owner_of(acl), &account.guid, sizeof(account.guid)) == 0;
    return ERR_NONE;
}

static enum err_code resolve(struct command *command, struct err *err)
{
    struct acl_command *acl = command->data;
    struct str name = acl->identifier;

    acl->entry.is_negative = name.length > 0 && name.data[0] == '-';
    if (acl->entry.is_negative)
        name = str_n(name.data + 1, name.length - 1);
    acl->entry.is_anyone = str_is(name, ACL_ANYONE);
    return acl->entry.is_anyone ? ERR_NONE : find_user(command, name, err);
}

/* "lrs", "+t" or "-e". */
static bool take_rights(struct command *command)
{
    struct acl_command *acl = command->data;
    struct parse *args = &command->args;
    const char *start = args->at;
    struct str text;

    if (!parse_space(args) || !parse_astring(args, &text))
        return false;
    acl->change = ACL_SET;
    if (text.length > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        acl->change = text.data[0] == '+' ? ACL_ADD : ACL_REMOVE;
        text = str_n(text.data + 1, text.length - 1);
    }
    return acl_rights_parse(text, &acl->entry.rights) ||
           parse_fail(args, start, "There is no such right");
}

static bool take_arguments(struct command *command, bool with_identifier, bool with_rights)
{
    struct acl_command *acl = arena_alloc(&command->arena, sizeof(*acl));
    struct parse *args = &command->args;
    struct str name;

    command->data = acl;
    if (!parse_astring(args, &name) ||
        (with_identifier && (!parse_space(args) || !parse_astring(args, &acl->identifier))) ||
        (with_rights && !take_rights(command)) || !parse_end(args)) {
        command_bad_syntax(command);
        return false;
    }
    return command_place(command, name, &acl->place);
}

/* ---- the folder ---- */

static enum err_code find(struct command *command, struct store_read *read, struct acl *list,
                          struct err *err)
{
    struct acl_command *acl = command->data;
    struct store_folder folder;
    enum err_code code = place_find(command, &acl->place, ON_NAMED, read, &folder, err);

    if (code != ERR_NONE)
        return code;
    acl->folder = folder.id;
    code = list == NULL ? ERR_NONE : acl_read(read, folder.id, list, err);
    return code == ERR_NONE && acl->identifier.data != NULL ? resolve(command, err) : code;
}

/* The folder, its list (may be NULL), and whom the identifier means. */
static bool look(struct command *command, struct acl *list)
{
    struct acl_command *acl = command->data;
    struct store_read *read;
    struct err err;
    enum err_code code;

    if (!place_read(command, &acl->place, &read))
        return false;
    code = find(command, read, list, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

/* ---- answers ---- */

static void write_text(struct command *command, struct str text)
{
    struct buf *out = command_output(command);

    if ((command->imap->enabled & ENABLED_UTF8) == 0)
        imap_string_write(out, text);
    else
        imap_utf8_string_write(out, text);
}

void my_rights_tell(struct command *command, struct str name, unsigned rights)
{
    struct buf *out = command_output(command);

    buf_text(out, "* MYRIGHTS ");
    mailbox_name_write(command, name);
    buf_byte(out, ' ');
    acl_rights_write(out, rights);
    buf_text(out, "\r\n");
}

enum step cmd_myrights(struct command *command)
{
    const struct acl_command *acl;

    if (!take_arguments(command, false, false) || !look(command, NULL))
        return command_ended(command);
    acl = command->data;
    my_rights_tell(command, acl->place.name, acl->place.rights);
    return command_ok(command, NULL);
}

static void write_entry(struct command *command, const char *sign, const char *name,
                        unsigned rights)
{
    struct buf *out = command_output(command);

    buf_byte(out, ' ');
    write_text(command, str_of(arena_printf(&command->arena, "%s%s", sign, name)));
    buf_byte(out, ' ');
    acl_rights_write(out, rights);
}

/* A user who was removed has no name any more; what they had comes back with them. */
static void write_user(struct command *command, const struct store_guid *guid, const char *sign,
                       unsigned rights)
{
    struct account account;

    if (directory_find_guid(session_backend(command->imap->session)->directory, guid,
                            &command->arena, &account, NULL) == ERR_NONE)
        write_entry(command, sign, account.name, rights);
}

enum step cmd_getacl(struct command *command)
{
    const struct acl_command *acl;
    struct acl list;

    if (!take_arguments(command, false, false) || !look(command, &list))
        return command_ended(command);
    acl = command->data;
    buf_text(command_output(command), "* ACL ");
    mailbox_name_write(command, acl->place.name);
    if (owner_of(acl) != NULL)
        write_user(command, owner_of(acl), "", RIGHTS_ALL);
    for (unsigned i = 0; i < list.count; i++) {
        const struct acl_entry *entry = &list.entries[i];
        const char *sign = entry->is_negative ? "-" : "";

        if (entry->is_anyone)
            write_entry(command, sign, ACL_ANYONE, entry->rights);
        else
            write_user(command, &entry->guid, sign, entry->rights);
    }
    buf_text(command_output(command), "\r\n");
    return command_ok(command, NULL);
}

enum step cmd_listrights(struct command *command)
{
    const struct acl_command *acl;
    struct buf *out = command_output(command);

    if (!take_arguments(command, true, false) || !look(command, NULL))
        return command_ended(command);
    acl = command->data;
    buf_text(out, "* LISTRIGHTS ");
    mailbox_name_write(command, acl->place.name);
    buf_byte(out, ' ');
    write_text(command, acl->identifier);
    buf_byte(out, ' ');
    if (acl->is_owner)
        acl_rights_write(out, RIGHTS_ALL);
    else
        buf_text(out, "\"\" l r s w i p k x t e c d a");
    buf_text(out, "\r\n");
    return command_ok(command, NULL);
}

/* ---- changes ---- */

/* On a worker, as it waits for the commit: so no two changes of a list are made of the same old one. */
static enum step change(struct command *command)
{
    const struct acl_command *acl = command->data;
    struct err err;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (grants_change(session_backend(command->imap->session)->grants, acl->place.mailbox,
                      acl->folder, &acl->entry, acl->change, &err) != ERR_NONE)
        return command_fail(command, &err);
    return command_ok(command, NULL);
}

static enum step begin_change(struct command *command)
{
    const struct acl_command *acl = command->data;

    if (!look(command, NULL))
        return command_ended(command);
    if (acl->is_owner && !acl->entry.is_negative &&
        (acl->change == ACL_ADD || (acl->change == ACL_SET && acl->entry.rights == RIGHTS_ALL)))
        return command_ok(command, NULL);
    if (acl->is_owner)
        return command_no(command, "CANNOT", "The owner of a mailbox has all rights to it");
    command->run = change;
    return change(command);
}

enum step cmd_setacl(struct command *command)
{
    if (!take_arguments(command, true, true))
        return command_ended(command);
    return begin_change(command);
}

/* As SETACL without rights. */
enum step cmd_deleteacl(struct command *command)
{
    struct acl_command *acl;

    if (!take_arguments(command, true, false))
        return command_ended(command);
    acl = command->data;
    acl->change = ACL_SET;
    return begin_change(command);
}
