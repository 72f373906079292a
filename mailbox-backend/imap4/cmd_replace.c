/* REPLACE and UID REPLACE (RFC 8508): a message is appended and another one expunged, both or neither. */
#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/old_name.h"

static enum step end(struct command *command)
{
    const struct append *append = command->data;

    old_name_tell_given(command, &append->place);
    untagged(command, "OK [%s] The message in its place", append_uid_code(command));
    command->tells_all = true;
    command->expunged = true;
    return command_ok(command, NULL); /* the update that follows tells EXISTS and EXPUNGE */
}

static enum step after_expunge(struct command *command)
{
    return command->op.err.code == ERR_NONE ? end(command)
                                            : command_fail(command, &command->op.err);
}

/* From mailbox to mailbox the new message is there before the old one goes: none is ever lost. */
static enum step after_replace(struct command *command)
{
    const struct append *append = command->data;

    if (!append_succeeded(command))
        return command_ended(command);
    if (!append->is_across)
        return end(command);
    command->mailbox = command->imap->view->mailbox;
    uidset_add(&command->uids, append->replaced_uid);
    command->op.kind = OP_EXPUNGE;
    command->op.folder = append->replaced_folder;
    command->op.uids = &command->uids;
    command->run = after_expunge;
    return command_submit(command);
}

static enum step submit(struct command *command)
{
    command->run = after_replace;
    return append_submit(command);
}

/* ---- the message to be replaced ---- */

/* Takes a seq-number: *number is 0 for "*". */
static bool take_number(struct parse *args, uint32_t *number)
{
    *number = 0;
    return (parse_skip(args, '*') || parse_nz_number(args, number)) && parse_space(args);
}

/* The uid of a number as it was given; 0: there is no such message. */
static uint32_t uid_of(const struct command *command, uint32_t number)
{
    const struct view *view = command->imap->view;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;

    if (number == 0)
        return uidset_last(&view->uids);
    if (by_uid)
        return uidset_has(&view->uids, number) ? number : 0;
    return view_uid(view, number);
}

static bool find_message(struct command *command, uint32_t uid)
{
    struct append *append = command->data;
    struct store_read *read;
    struct store_item item;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return false;
    append->replaced_folder = command->imap->view->folder;
    append->replaced_uid = uid;
    code = store_item_get(read, append->replaced_folder, uid, &item, &err);
    store_read_end(&read);
    if (code == ERR_NOT_FOUND)
        command_no(command, "EXPUNGEISSUED", "The message to be replaced is no more");
    else if (code != ERR_NONE)
        command_fail(command, &err);
    append->is_across = append->place.mailbox != command->imap->view->mailbox;
    append->replaced_size = code == ERR_NONE && !append->is_across ? item.size : 0;
    return code == ERR_NONE;
}

enum step cmd_replace(struct command *command)
{
    struct append *append = arena_alloc(&command->arena, sizeof(*append));
    uint32_t number;
    uint32_t uid;

    command->data = append;
    command->cleanup = append_cleanup;
    append->then = submit;
    if (!take_number(&command->args, &number))
        return command_bad_syntax(command);
    uid = uid_of(command, number);
    if (uid == 0 && (command->entry->flags & CMD_UID) == 0)
        return command_bad(command, "There is no message with such a sequence number");
    if (uid == 0)
        return command_no(command, "NONEXISTENT", "There is no message with such a uid");
    if (!command_take_place(command, &append->place) || !find_message(command, uid))
        return command_ended(command);
    return append_take(command);
}
