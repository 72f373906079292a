/* SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 sections 6.3.1, 6.3.2, 6.4.2; RFC 3691), with CONDSTORE
   and QRESYNC (RFC 7162). */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/object_id.h"
#include "mailbox-backend/imap4/old_name.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/imap4/resync.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* A folder with more messages is opened on a worker, unless the store knows its uids already. */
#define LONG_FOLDER 2000

struct selection {
    struct place place;
    bool examine;
    bool condstore;
    struct resync resync;
};

void imap_unselect(struct imap *imap)
{
    if (imap->view == NULL)
        return;
    notify_unselected(imap);
    fetch_tree_forget(imap);
    uidset_release(&imap->saved);
    view_close(imap->view);
    free(imap->view);
    imap->view = NULL;
    store_mailbox_unref(&imap->selected.mailbox);
    imap->selected = (struct selected){0};
    imap->read_only = false;
}

/* RFC 8474 section 4.2. */
static void tell_mailbox_id(struct command *command)
{
    struct buf *out = command_output(command);

    buf_text(out, "* OK [MAILBOXID (");
    object_id_write_folder(out, command->mailbox, command->imap->view->folder);
    buf_text(out, ")] Its id\r\n");
}

/* RFC 9051 section 6.3.2. */
static enum err_code tell_name(struct command *command, struct store_read *read, struct err *err)
{
    const struct selection *selection = command->data;
    struct str given = {0};

    if (!imap_is_rev2(command->imap))
        return ERR_NONE;
    if (old_name_differs(command->given, selection->place.name))
        given = command->given;
    return list_tell_one(command, read, &selection->place, given, err);
}

static void tell_selection(struct command *command, uint32_t unseen_uid)
{
    const struct view *view = command->imap->view;

    flags_tell(command);
    size_tell(command);
    if (unseen_uid != 0 && !imap_is_rev2(command->imap) && !imap_is_uid_only(command->imap))
        untagged(command, "OK [UNSEEN %u] First unseen message", view_sequence(view, unseen_uid));
    untagged(command, "OK [UIDVALIDITY %u] UIDs are valid", view->uid_validity);
    untagged(command, "OK [UIDNEXT %u] Predicted next UID", view->uid_next);
    tell_mailbox_id(command);
    untagged(command, "OK [HIGHESTMODSEQ %" PRIu64 "] Highest", view->modseq);
}

/* RFC 4314 section 5.2: flags are common to all users, so those who may change one may write. */
static bool is_read_only(const struct selection *selection)
{
    return selection->examine ||
           (selection->place.rights &
            (RIGHT_INSERT | RIGHT_EXPUNGE | RIGHT_SEEN | RIGHT_WRITE | RIGHT_MARK)) == 0;
}

static enum step open_folder(struct command *command, struct store_read *read,
                             const struct store_folder *folder)
{
    struct imap *imap = command->imap;
    const struct selection *selection = command->data;
    bool read_only = is_read_only(selection);
    const char *code = read_only ? "READ-ONLY" : "READ-WRITE";
    struct view view;
    uint32_t unseen_uid;
    struct err err;

    if (store_first_unseen(read, folder->id, &unseen_uid, &err) != ERR_NONE ||
        tell_name(command, read, &err) != ERR_NONE ||
        view_open(&view, command->mailbox, read, folder, !read_only, &err) != ERR_NONE)
        return command_fail(command, &err);
    imap->view = mem_alloc(sizeof(view));
    *imap->view = view;
    if (imap_is_uid_only(imap))
        view_stop_numbers(imap->view);
    imap->selected = (struct selected){
        .mailbox = store_mailbox_ref(command->mailbox),
        .is_foreign = selection->place.kind != PLACE_OWN,
        .rights = selection->place.rights,
    };
    imap->read_only = read_only;
    notify_selected(imap);
    tell_selection(command, unseen_uid);
    if (selection->resync.asked && selection->resync.uid_validity == imap->view->uid_validity)
        return resync_begin(command, read, &selection->resync, code);
    return command_ok_code(command, code, NULL);
}

static enum step find_folder(struct command *command)
{
    struct selection *selection = command->data;
    struct store_read *read;
    struct store_folder folder;
    struct err err;
    enum step step;

    if (!place_read(command, &selection->place, &read))
        return command_ended(command);
    if (place_find(command, &selection->place, ON_NAMED, read, &folder, &err) != ERR_NONE)
        step = command_fail(command, &err);
    else if (placeholder_is(read, &folder))
        step = command_no(command, "NONEXISTENT", "Only folders below that name exist");
    else if (folder.messages > LONG_FOLDER && (command->why & WHY_WORKER) == 0 &&
             !store_uids_are_kept(read, folder.id))
        step = STEP_WORK;
    else
        step = open_folder(command, read, &folder);
    store_read_end(&read);
    return step;
}

/* ---- arguments ---- */

static bool take_parameter(struct command *command, struct selection *selection)
{
    struct parse *args = &command->args;

    selection->condstore = true;
    if (parse_word(args, "CONDSTORE"))
        return true;
    if (parse_word(args, "QRESYNC"))
        return (command->imap->enabled & ENABLED_QRESYNC) != 0
                   ? resync_take(args, &selection->resync)
                   : parse_fail(args, args->at, "QRESYNC is not enabled");
    return parse_fail(args, args->at, "Unknown parameter");
}

static bool take_parameters(struct command *command, struct selection *selection)
{
    struct parse *args = &command->args;

    if (parse_at_end(args))
        return true;
    if (!parse_space(args) || !parse_char(args, '('))
        return false;
    do {
        if (!take_parameter(command, selection))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') && parse_end(args);
}

/* Tells where the answers for the folder that was selected end (RFC 7162 section 3.2.11). */
static void close_selected(struct command *command)
{
    if (command->imap->view == NULL)
        return;
    imap_unselect(command->imap);
    untagged(command, "OK [CLOSED] What follows is of the other mailbox");
}

/* Whatever comes of it, the folder that was selected is so no more (RFC 3501 section 6.3.1); only what
   is not understood leaves all as it was. */
static enum step begin_selection(struct command *command, bool examine)
{
    struct selection *selection = arena_alloc(&command->arena, sizeof(*selection));
    struct str name;

    if (!parse_astring(&command->args, &name) || !take_parameters(command, selection))
        return command_bad_syntax(command);
    if (selection->resync.sequences.count > 0 && imap_is_uid_only(command->imap))
        return command_bad_number(command);
    close_selected(command);
    if (selection->condstore)
        condstore_enable(command);
    if (!command_place(command, name, &selection->place))
        return command_ended(command);
    selection->examine = examine;
    command->data = selection;
    command->run = find_folder;
    return find_folder(command);
}

enum step cmd_select(struct command *command)
{
    return begin_selection(command, false);
}

enum step cmd_examine(struct command *command)
{
    return begin_selection(command, true);
}

enum step cmd_unselect(struct command *command)
{
    imap_unselect(command->imap);
    return command_ok(command, NULL);
}

static enum step end_close(struct command *command)
{
    if (command->op.err.code != ERR_NONE && command->op.err.code != ERR_NOT_FOUND)
        return command_fail(command, &command->op.err);
    return cmd_unselect(command);
}

/* Expunges without telling it, as RFC 3501 section 6.4.2 has it. */
enum step cmd_close(struct command *command)
{
    if (command->imap->read_only || (command->imap->selected.rights & RIGHT_EXPUNGE) == 0)
        return cmd_unselect(command);
    uidset_add_range(&command->uids, 1, UINT32_MAX - 1);
    command->op.kind = OP_EXPUNGE;
    command->op.folder = command->imap->view->folder;
    command->op.uids = &command->uids;
    command->op.in.expunge.only_deleted = true;
    command->run = end_close;
    return command_submit(command);
}
