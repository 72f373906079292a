/* COPY (RFC 3501 section 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315). */
#include "mailbox-backend/imap4/copy.h"
#include "mailbox-backend/imap4/message_limit.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define RANGES 512 /* written between two looks at the room left */

/* ---- the answer: COPYUID may be long ---- */

static void begin_copyuid(struct command *command)
{
    const struct copy *copy = command->data;
    struct buf *out = command_output(command);

    if (copy->kind == OP_MOVE)
        buf_byte(out, '*');
    else
        buf_append(out, command->tag.data, command->tag.length);
    buf_printf(out, " OK [COPYUID %u ", copy->uid_validity);
    command->in_answer = true;
}

static void end_copyuid(struct command *command)
{
    const struct copy *copy = command->data;
    struct buf *out = command_output(command);

    buf_byte(out, ' ');
    uid_ranges_write(out, copy->to.ranges, copy->to.count);
    buf_text(out, copy->kind == OP_MOVE ? "] Moved\r\n" : "] COPY completed\r\n");
    command->in_answer = false;
}

static enum step write_copyuid(struct command *command)
{
    struct copy *copy = command->data;
    const struct uidset *source = &copy->from;
    size_t count = source->count - copy->written;

    if (!command_has_room(command))
        return STEP_MORE;
    if (copy->written == 0)
        begin_copyuid(command);
    else
        buf_byte(command_output(command), ',');
    if (count > RANGES)
        count = RANGES;
    uid_ranges_write(command_output(command), source->ranges + copy->written, count);
    copy->written += count;
    if (copy->written < source->count)
        return STEP_NEXT;
    end_copyuid(command);
    if (copy->kind == OP_COPY)
        return command_written(command, RESULT_OK);
    command->tells_all = true;
    command->expunged = true;
    return command_ok(command, NULL); /* the update that follows tells EXPUNGE */
}

/* COPYUID stands in the tagged line, so what changed is told before it. */
static enum step tell_copied(struct command *command)
{
    if (!update_run(command, true))
        return update_step(command);
    command->run = write_copyuid;
    return write_copyuid(command);
}

enum step copy_tell(struct command *command)
{
    const struct copy *copy = command->data;

    if (uidset_is_empty(&copy->from)) {
        command->some_gone = (command->entry->flags & CMD_UID) == 0;
        return command_ok(command, "There was no message left to be taken");
    }
    command->run = copy->kind == OP_COPY ? tell_copied : write_copyuid;
    return command->run(command);
}

/* ---- the operation ---- */

static enum step after_copy(struct command *command)
{
    struct copy *copy = command->data;
    struct store_op *op = &command->op;
    uint32_t count;

    if (op->err.code == ERR_NOT_FOUND)
        return command_no(command, "TRYCREATE", "The target mailbox does not exist");
    if (op->over_quota)
        return quota_exceeded(command);
    if (op->err.code != ERR_NONE)
        return command_fail(command, &op->err);
    copy->uid_validity = op->out.copy.uid_validity;
    copy->from = op->out.copy.source;
    op->out.copy.source = (struct uidset){0};
    count = (uint32_t)uidset_size(&copy->from);
    if (count > 0) { /* the uids in the target follow one another */
        uidset_add_range(&copy->to, op->out.copy.first, op->out.copy.first + count - 1);
        notify_own_arrivals(command->imap, op->mailbox, op->in.copy.target, op->out.copy.first,
                            op->out.copy.first + count - 1);
    }
    return copy_tell(command);
}

static enum step submit_copy(struct command *command, uint32_t target)
{
    const struct copy *copy = command->data;
    struct store_op *op = &command->op;
    struct quota quota;

    quota_of(command->imap, command->mailbox, &quota);
    op->kind = copy->kind;
    op->folder = command->imap->view->folder;
    op->uids = &command->uids;
    op->in.copy.target = target;
    op->in.copy.quota_bytes = quota.bytes;
    op->in.copy.quota_messages = quota.messages;
    command->run = after_copy;
    return command_submit(command);
}

static enum step find_target(struct command *command)
{
    struct copy *copy = command->data;
    struct store_read *read;
    struct store_folder folder;
    struct err err;
    enum err_code code;

    if (copy->place.mailbox == NULL)
        return command_no(command, "TRYCREATE", "The target mailbox does not exist");
    if (!place_read(command, &copy->place, &read))
        return command_ended(command);
    code = place_find(command, &copy->place, ON_TARGET, read, &folder, &err);
    if (code == ERR_NONE && placeholder_is(read, &folder))
        code = ERR_NOT_FOUND;
    store_read_end(&read);
    if (code == ERR_NOT_FOUND)
        return command_no(command, "TRYCREATE", "The target mailbox does not exist");
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (uidset_is_empty(&command->uids))
        return command_ok(command, "There are no such messages");
    copy->target = folder.id;
    if (copy_is_across(command))
        return copy_across(command);
    return submit_copy(command, folder.id);
}

/* A copy is all or nothing, a move need not be (RFC 9738 section 3.1). */
static bool respect_limit(struct command *command)
{
    const struct copy *copy = command->data;
    uint64_t count = uidset_size(&command->uids);
    uint64_t limit = message_limit_of_saving(command->imap);

    if (copy->kind == OP_COPY)
        return count <= limit || message_limit_allows(command, count, limit,
                                                      message_limit_lowest(&command->uids, limit));
    message_limit_cut(command, &command->uids);
    return true;
}

static void cleanup(struct command *command)
{
    struct copy *copy = command->data;

    copy_across_release(copy);
    uidset_release(&copy->from);
    uidset_release(&copy->to);
}

static enum step begin(struct command *command, enum store_op_kind kind)
{
    struct copy *copy = arena_alloc(&command->arena, sizeof(*copy));

    copy->kind = kind;
    command->data = copy;
    command->cleanup = cleanup;
    if (!command_take_uids(command))
        return command_ended(command);
    if (!parse_space(&command->args))
        return command_bad_syntax(command);
    if (!command_take_place(command, &copy->place))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (!respect_limit(command))
        return command_ended(command);
    return find_target(command);
}

enum step cmd_copy(struct command *command)
{
    return begin(command, OP_COPY);
}

enum step cmd_move(struct command *command)
{
    return begin(command, OP_MOVE);
}
