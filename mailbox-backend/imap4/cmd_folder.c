/* CREATE (with USE: RFC 6154 section 3) and DELETE (RFC 3501 sections 6.3.3, 6.3.4), and the making of missing levels for
   RENAME. */
#include "mailbox-backend/imap4/levels.h"

#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/metadata.h"
#include "mailbox-backend/imap4/object_id.h"
#include "mailbox-backend/imap4/old_name.h"
#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* ---- levels ---- */

static void begin_create(struct command *command, uint32_t parent, struct str rest,
                         const struct quota *quota)
{
    const struct levels_making *making = command->data;
    const char *slash = memchr(rest.data, '/', rest.length);
    struct store_op *op = &command->op;

    op->kind = OP_FOLDER_CREATE;
    op->in.create.parent = parent;
    op->in.create.name = arena_copy(&command->arena, rest.data,
                                    slash != NULL ? (size_t)(slash - rest.data) : rest.length);
    op->in.create.use = slash == NULL ? making->use : USE_NONE;
    op->in.create.class = CLASS_MAIL;
    op->in.create.quota_folders = quota->folders;
}

/* Levels of a name are made one by one: none, where not all may be. */
static bool has_room(const struct quota *quota, struct store_read *read, struct str rest)
{
    uint64_t levels = 1;
    struct store_usage usage;

    for (size_t i = 0; i < rest.length; i++)
        levels += rest.data[i] == '/';
    return store_usage(read, &usage, NULL) != ERR_NONE ||
           usage.folders + levels <= quota_folders_most(quota);
}

static enum step next_level(struct command *command);

/* Another session may make a level at the same time: then it is there, which is as good. */
static enum step after_create(struct command *command)
{
    struct levels_making *making = command->data;
    enum err_code code = command->op.err.code;
    uint32_t folder = command->op.out.create.folder;

    if (command->op.over_quota)
        return quota_exceeded(command);
    if (code != ERR_NONE && code != ERR_EXISTS)
        return command_fail(command, &command->op.err);
    making->made = code == ERR_NONE;
    command_op_release(&command->op);
    command->run = next_level;
    if (!making->made || making->inherited.length == 0)
        return next_level(command);
    command->op.kind = OP_PROPERTY_SET;
    command->op.folder = folder;
    command->op.in.property.property = making->inherited;
    return command_submit(command);
}

/* Of what there is already only those who see it are told. */
static enum err_code check_rights(const struct command *command, const struct levels_making *making,
                                  struct store_read *read, uint32_t folder, bool is_there,
                                  struct err *err)
{
    unsigned rights;

    if (making->place.kind == PLACE_OWN)
        return ERR_NONE;
    if (place_rights(command, read, folder, &rights, err) != ERR_NONE)
        return err->code;
    if ((rights & RIGHT_LOOKUP) != 0 && ((is_there && !making->is_for_rename) ||
                                         rights_lacking(command->entry, ON_PARENT, rights) == 0))
        return ERR_NONE;
    return err_set(err, ERR_DENIED, "You have no right to make that mailbox");
}

static enum err_code inherit(struct command *command, struct store_read *read, uint32_t parent,
                             struct err *err)
{
    struct levels_making *making = command->data;
    struct acl acl;
    enum err_code code = acl_read(read, parent, &acl, err);

    if (code == ERR_NONE)
        acl_property(&command->arena, &acl, &making->inherited);
    return code;
}

/* How far the path is there, and what the next level needs. */
static enum err_code look(struct command *command, struct store_read *read,
                          struct store_folder *folder, struct str *rest, struct err *err)
{
    struct levels_making *making = command->data;
    enum err_code code = path_find_ancestor(read, making->place.path, folder, rest, err);

    if (code != ERR_NONE)
        return code;
    making->is_placeholder = placeholder_is(read, folder);
    code = check_rights(command, making, read, folder->id, rest->length == 0, err);
    return code == ERR_NONE && rest->length > 0 ? inherit(command, read, folder->id, err) : code;
}

static enum step next_level(struct command *command)
{
    const struct levels_making *making = command->data;
    struct store_read *read;
    struct store_folder folder;
    struct quota quota;
    struct str rest;
    struct err err;
    bool fits;
    enum err_code code;

    if (command->op.err.code != ERR_NONE)
        return command_fail(command, &command->op.err);
    command_op_release(&command->op);
    if (!command_read(command, &read))
        return command_ended(command);
    code = look(command, read, &folder, &rest, &err);
    quota_of(command->imap, command->mailbox, &quota);
    fits = code != ERR_NONE || rest.length == 0 || has_room(&quota, read, rest);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (rest.length == 0)
        return making->then(command, folder.id);
    if (!fits)
        return quota_exceeded(command);
    begin_create(command, folder.id, rest, &quota);
    command->run = after_create;
    return command_submit(command);
}

enum step levels_make(struct command *command)
{
    const struct levels_making *making = command->data;

    if (making->place.mailbox == NULL)
        return command_no(command, "NOPERM", "You have no right to make that mailbox");
    command->mailbox = making->place.mailbox;
    command->run = next_level;
    return next_level(command);
}

/* ---- CREATE ---- */

/* RFC 8474 section 4.1. */
static enum step end_create(struct command *command, uint32_t folder)
{
    const struct levels_making *making = command->data;
    struct buf code = {0};

    old_name_tell_given(command, &making->place);
    buf_text(&code, "MAILBOXID (");
    object_id_write_folder(&code, command->mailbox, folder);
    buf_byte(&code, ')');
    command_ok_code(command, arena_copy(&command->arena, buf_bytes(&code), buf_length(&code)),
                    NULL);
    buf_release(&code);
    return command_ended(command);
}

/* A placeholder is a mailbox again. */
static enum step after_property(struct command *command)
{
    if (command->op.err.code != ERR_NONE)
        return command_fail(command, &command->op.err);
    return end_create(command, command->op.folder);
}

static enum step after_levels(struct command *command, uint32_t folder)
{
    const struct levels_making *making = command->data;

    if (making->made)
        return end_create(command, folder);
    if (!making->is_placeholder)
        return command_no(command, "ALREADYEXISTS", "There is a mailbox of that name already");
    if (making->use != USE_NONE)
        return command_no(command, "USEATTR",
                          "A name that is there already is given no special use");
    command->op.kind = OP_PROPERTY_SET;
    command->op.folder = folder;
    placeholder_property(false, &command->op.in.property.property);
    command->run = after_property;
    return command_submit(command);
}

struct uses {
    unsigned count;
    enum store_special_use use; /* USE_NONE: one that no folder can have */
};

/* "(USE (\Sent))", where it is there. */
static bool take_parameters(struct parse *args, struct uses *uses)
{
    struct str name;
    const char *start;

    if (parse_at_end(args))
        return true;
    if (!parse_space(args) || !parse_char(args, '('))
        return false;
    if (!parse_word(args, "USE"))
        return parse_fail(args, args->at, "Unknown CREATE parameter");
    if (!parse_space(args) || !parse_char(args, '('))
        return false;
    while (!parse_skip(args, ')')) {
        if (uses->count > 0 && !parse_space(args))
            return false;
        start = args->at;
        if (!parse_char(args, '\\') || !parse_atom(args, &name))
            return parse_fail(args, start, "Expected a use such as \\Sent");
        uses->use = list_use_of(str_n(start, (size_t)(args->at - start)));
        uses->count++;
    }
    return parse_char(args, ')') && parse_end(args);
}

/* A folder has one special use, and a special use one folder. False: the answer has been given. */
static bool check_uses(struct command *command, const struct uses *uses, enum place_kind kind)
{
    struct store_read *read;
    struct store_folder folder;
    enum err_code code;
    struct err err;

    if (uses->count == 0)
        return true;
    if (kind != PLACE_OWN) {
        command_no(command, "USEATTR", "Special uses are of one's own mailboxes");
        return false;
    }
    if (uses->count > 1 || uses->use == USE_NONE) {
        command_no(command, "USEATTR", "Only one of the uses that this server knows can be given");
        return false;
    }
    if (!command_read(command, &read))
        return false;
    code = store_folder_by_use(read, uses->use, &folder, &err);
    store_read_end(&read);
    if (code == ERR_NONE)
        command_no(command, "USEATTR", "Another mailbox has that use");
    else if (code != ERR_NOT_FOUND)
        command_fail(command, &err);
    return code == ERR_NOT_FOUND;
}

enum step cmd_create(struct command *command)
{
    struct levels_making *making = arena_alloc(&command->arena, sizeof(*making));
    struct uses uses = {0};

    if (!command_take_place(command, &making->place))
        return command_ended(command);
    if (!take_parameters(&command->args, &uses))
        return command_bad_syntax(command);
    if (!check_uses(command, &uses, making->place.kind))
        return command_ended(command);
    making->use = uses.use;
    making->then = after_levels;
    command->data = making;
    return levels_make(command);
}

/* ---- DELETE ---- */

struct deletion {
    struct place place;
    struct metadata_walk annotations; /* that are removed */
};

static void end_deletion(struct command *command)
{
    struct deletion *deletion = command->data;

    metadata_walk_release(&deletion->annotations);
}

static enum step end_delete(struct command *command)
{
    const struct deletion *deletion = command->data;

    if (command->op.err.code == ERR_NONE)
        old_name_tell_given(command, &deletion->place);
    return command_op_done(command);
}

static enum step delete_folder(struct command *command, const struct store_folder *folder)
{
    command->op.kind = OP_FOLDER_DELETE;
    command->op.folder = folder->id;
    command->run = end_delete;
    return command_submit(command);
}

static enum step mark_placeholder(struct command *command, uint32_t folder)
{
    command->op.kind = OP_PROPERTY_SET;
    command->op.folder = folder;
    placeholder_property(true, &command->op.in.property.property);
    command->run = end_delete;
    return command_submit(command);
}

/* A folder that is made under that name again does not inherit them (RFC 5464 section 4.1). */
static enum step remove_annotations(struct command *command)
{
    struct deletion *deletion = command->data;
    uint32_t folder = command->op.folder;
    enum step step;

    return metadata_pass_on(command, &deletion->annotations, folder, folder, &step)
               ? step
               : mark_placeholder(command, folder);
}

/* Its messages go, its name stays for the sake of the folders below. */
static enum step empty_folder(struct command *command, const struct store_folder *folder)
{
    uidset_add_range(&command->uids, 1, UINT32_MAX - 1);
    command->op.kind = OP_EXPUNGE;
    command->op.folder = folder->id;
    command->op.uids = &command->uids;
    command->run = remove_annotations;
    return command_submit(command);
}

static enum step delete_found(struct command *command, const struct store_folder *folder,
                              bool is_placeholder)
{
    struct imap *imap = command->imap;

    if (folder->id == STORE_INBOX_FOLDER)
        return command_no(command, "CANNOT", "INBOX cannot be deleted");
    if (is_placeholder && folder->has_children)
        return command_no(command, "HASCHILDREN", "There are mailboxes below that name");
    if (imap->view != NULL && imap->view->mailbox == command->mailbox &&
        imap->view->folder == folder->id)
        imap_unselect(imap);
    return folder->has_children ? empty_folder(command, folder) : delete_folder(command, folder);
}

enum step cmd_delete(struct command *command)
{
    struct deletion *deletion = arena_alloc(&command->arena, sizeof(*deletion));
    struct store_read *read;
    struct store_folder folder;
    struct err err;
    bool is_placeholder;
    enum err_code code;

    command->data = deletion;
    command->cleanup = end_deletion;
    if (!command_take_place(command, &deletion->place))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (!place_read(command, &deletion->place, &read))
        return command_ended(command);
    code = place_find(command, &deletion->place, ON_NAMED, read, &folder, &err);
    is_placeholder = code == ERR_NONE && placeholder_is(read, &folder);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    return delete_found(command, &folder, is_placeholder);
}
