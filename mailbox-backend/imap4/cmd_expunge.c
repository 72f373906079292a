/* EXPUNGE (RFC 3501 section 6.4.3), UID EXPUNGE (RFC 4315), HIGHESTMODSEQ (RFC 7162). */
#include "mailbox-backend/imap4/message_limit.h"

#define SLICE 512 /* items looked at in one step */

/* UID EXPUNGE of more messages than one command may be about, of which fewer may be \Deleted. */
struct looking {
    uint32_t next;
    struct uidset deleted;
};

static enum step after_expunge(struct command *command)
{
    command->tells_all = true;
    command->expunged = !uidset_is_empty(&command->op.out.expunge.removed);
    return command_op_done(command); /* the update that follows tells what has gone */
}

static enum step submit(struct command *command)
{
    if (uidset_is_empty(&command->uids))
        return command_ok(command, NULL);
    command->op.kind = OP_EXPUNGE;
    command->op.folder = command->imap->view->folder;
    command->op.uids = &command->uids;
    command->op.in.expunge.only_deleted = true;
    command->run = after_expunge;
    return command_submit(command);
}

/* ---- where there is a limit (RFC 9738): it is one of \Deleted messages ---- */

static void cleanup(struct command *command)
{
    struct looking *looking = command->data;

    uidset_release(&looking->deleted);
}

static enum err_code look_at_some(struct command *command, struct store_read *read, struct err *err)
{
    struct looking *looking = command->data;
    struct store_item items[SLICE];
    uint32_t last = uidset_last(&command->uids);
    size_t count;

    if (store_item_scan(read, command->imap->view->folder, looking->next, last, 0, items, SLICE,
                        &count, err) != ERR_NONE)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        if ((items[i].flags.system & FLAG_DELETED) != 0 && uidset_has(&command->uids, items[i].uid))
            uidset_add(&looking->deleted, items[i].uid);
    }
    looking->next = count == SLICE && items[count - 1].uid < last ? items[count - 1].uid + 1 : 0;
    return ERR_NONE;
}

static enum step look(struct command *command)
{
    struct looking *looking = command->data;
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return command_ended(command);
    code = look_at_some(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (looking->next != 0)
        return STEP_NEXT;
    uidset_release(&command->uids);
    command->uids = looking->deleted;
    looking->deleted = (struct uidset){0};
    message_limit_cut(command, &command->uids);
    return submit(command);
}

static enum step begin_look(struct command *command)
{
    struct looking *looking = arena_alloc(&command->arena, sizeof(*looking));

    looking->next = uidset_first(&command->uids);
    command->data = looking;
    command->cleanup = cleanup;
    command->run = look;
    return look(command);
}

enum step cmd_expunge(struct command *command)
{
    bool by_uid = (command->entry->flags & CMD_UID) != 0;

    if (!by_uid)
        uidset_add_range(&command->uids, 1, UINT32_MAX - 1);
    else if (!command_take_uids(command))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (by_uid && uidset_size(&command->uids) > message_limit(command->imap))
        return begin_look(command);
    return submit(command);
}
