/* EXPUNGE (RFC 3501 section 6.4.3), UID EXPUNGE (RFC 4315), HIGHESTMODSEQ (RFC 7162). */
#include "mailbox-backend/imap4/imap4.h"

static enum step after_expunge(struct command *command)
{
    command->expunged = !uidset_is_empty(&command->op.out.expunge.removed);
    return command_op_done(command); /* the update that follows tells what has gone */
}

enum step cmd_expunge(struct command *command)
{
    if ((command->entry->flags & CMD_UID) == 0)
        uidset_add_range(&command->uids, 1, UINT32_MAX - 1);
    else if (!command_take_uids(command))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (uidset_is_empty(&command->uids))
        return command_ok(command, NULL);
    command->op.kind = OP_EXPUNGE;
    command->op.folder = command->imap->view->folder;
    command->op.uids = &command->uids;
    command->op.in.expunge.only_deleted = true;
    command->run = after_expunge;
    return command_submit(command);
}
