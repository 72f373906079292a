/* RENAME (RFC 3501 section 6.3.5). Folders below move along by themselves, as they hang on their
   parent; INBOX keeps them, and stays: only its messages go. */
#include <string.h>

#include "mailbox-backend/imap4/levels.h"
#include "mailbox-backend/imap4/metadata.h"
#include "mailbox-backend/imap4/old_name.h"
#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/mailbox.h"

struct renaming {
    struct levels_making parents; /* of the target */
    struct place source;
    struct str given; /* the source as the client wrote it */
    struct place target;
    const char *name;                 /* the target's last level */
    uint32_t folder;                  /* the source */
    uint32_t folder_made;             /* INBOX's messages go there */
    struct metadata_walk annotations; /* of INBOX, that are copied */
};

static void clean_up(struct command *command)
{
    struct renaming *renaming = command->data;

    metadata_walk_release(&renaming->annotations);
}

static enum step end_rename(struct command *command)
{
    const struct renaming *renaming = command->data;

    if (command->op.err.code == ERR_NONE &&
        (old_name_differs(renaming->given, renaming->source.name) ||
         old_name_differs(command->given, renaming->target.name)))
        old_name_tell(command, renaming->given, &renaming->target);
    return command_op_done(command);
}

static enum step move_inbox(struct command *command, uint32_t target)
{
    command_op_release(&command->op);
    uidset_add_range(&command->uids, 1, UINT32_MAX - 1);
    command->op.kind = OP_MOVE;
    command->op.folder = STORE_INBOX_FOLDER;
    command->op.uids = &command->uids;
    command->op.in.copy.target = target;
    command->run = end_rename;
    return command_submit(command);
}

/* RFC 5464 section 4.1: INBOX keeps its annotations, and the new folder gets them. */
static enum step copy_annotations(struct command *command)
{
    struct renaming *renaming = command->data;
    enum step step;

    return metadata_pass_on(command, &renaming->annotations, STORE_INBOX_FOLDER,
                            renaming->folder_made, &step)
               ? step
               : move_inbox(command, renaming->folder_made);
}

static enum step after_create(struct command *command)
{
    struct renaming *renaming = command->data;

    if (command->op.over_quota)
        return quota_exceeded(command);
    renaming->folder_made = command->op.out.create.folder;
    command->run = copy_annotations;
    return copy_annotations(command);
}

static enum step create_for_inbox(struct command *command, uint32_t parent)
{
    const struct renaming *renaming = command->data;
    struct quota quota;

    command->op.kind = OP_FOLDER_CREATE;
    command->op.in.create.parent = parent;
    command->op.in.create.name = renaming->name;
    command->op.in.create.class = CLASS_MAIL;
    quota_of(command->imap, command->mailbox, &quota);
    command->op.in.create.quota_folders = quota.folders;
    command->run = after_create;
    return command_submit(command);
}

static enum step rename_to(struct command *command, uint32_t parent)
{
    const struct renaming *renaming = command->data;

    if (renaming->folder == STORE_INBOX_FOLDER)
        return create_for_inbox(command, parent);
    command->op.kind = OP_FOLDER_RENAME;
    command->op.folder = renaming->folder;
    command->op.in.rename.parent = parent;
    command->op.in.rename.name = renaming->name;
    command->run = end_rename;
    return command_submit(command);
}

/* ---- checks ---- */

static bool is_below(struct str path, struct str ancestor)
{
    return path.length > ancestor.length && path.data[ancestor.length] == '/' &&
           memcmp(path.data, ancestor.data, ancestor.length) == 0;
}

/* Else folders below would get paths that no command can name any more. */
static enum err_code check_paths_below(const struct renaming *renaming, struct store_read *read,
                                       struct err *err)
{
    size_t below;

    if (renaming->folder == STORE_INBOX_FOLDER ||
        renaming->target.path.length <= renaming->source.path.length)
        return ERR_NONE;
    if (path_length_below(read, renaming->folder, &below, err) != ERR_NONE)
        return err->code;
    if (renaming->target.path.length + below > PATH_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "The path of a mailbox below would be longer than %d bytes",
                       PATH_MAX_BYTES);
    return ERR_NONE;
}

static enum err_code find_source(struct command *command, struct store_read *read, struct err *err)
{
    struct renaming *renaming = command->data;
    struct store_folder folder;
    enum err_code code = place_find(command, &renaming->source, ON_NAMED, read, &folder, err);

    if (code != ERR_NONE)
        return code;
    /* Not before: whether there is such a mailbox is for those who see the folder. */
    if (renaming->source.mailbox != renaming->target.mailbox)
        return err_set(err, ERR_INVALID, "A mailbox cannot be moved to another user");
    renaming->folder = folder.id;
    if (folder.id == STORE_INBOX_FOLDER && renaming->source.kind != PLACE_OWN)
        return err_set(err, ERR_INVALID, "The INBOX of others cannot be renamed");
    code = path_find(read, renaming->target.path, &folder, err);
    if (code == ERR_NONE && renaming->target.kind != PLACE_OWN &&
        place_rights(command, read, folder.id, &renaming->target.rights, err) != ERR_NONE)
        return err->code;
    if (code == ERR_NONE && (renaming->target.rights & RIGHT_LOOKUP) == 0)
        return err_set(err, ERR_DENIED, "You have no right to make that mailbox");
    if (code == ERR_NONE)
        return err_set(err, ERR_EXISTS, "There is a mailbox of that name already");
    return code == ERR_NOT_FOUND ? check_paths_below(renaming, read, err) : code;
}

/* Splits the target into the path of its parent and its last level. */
static void split_target(struct command *command, struct renaming *renaming)
{
    struct str target = renaming->target.path;
    const char *slash = memrchr(target.data, '/', target.length);
    const char *name = slash != NULL ? slash + 1 : target.data;

    renaming->parents.place = renaming->target;
    renaming->parents.is_for_rename = true;
    renaming->parents.place.path =
        str_n(target.data, slash != NULL ? (size_t)(slash - target.data) : 0);
    renaming->name =
        arena_copy(&command->arena, name, (size_t)(target.data + target.length - name));
    renaming->parents.then = rename_to;
}

static enum step begin(struct command *command)
{
    struct renaming *renaming = command->data;
    struct store_read *read;
    struct err err;
    enum err_code code;

    if (!place_read(command, &renaming->source, &read))
        return command_ended(command);
    code = find_source(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (renaming->folder != STORE_INBOX_FOLDER &&
        is_below(renaming->target.path, renaming->source.path))
        return command_no(command, "CANNOT", "A mailbox cannot be moved below itself");
    split_target(command, renaming);
    return levels_make(command);
}

enum step cmd_rename(struct command *command)
{
    struct renaming *renaming = arena_alloc(&command->arena, sizeof(*renaming));

    if (!command_take_place(command, &renaming->source))
        return command_ended(command);
    renaming->given = command->given;
    if (!parse_space(&command->args))
        return command_bad_syntax(command);
    if (!command_take_place(command, &renaming->target))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    command->data = renaming;
    command->cleanup = clean_up;
    return begin(command);
}
