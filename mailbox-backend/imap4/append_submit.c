/* Messages that have come go into their folder all at once, or none. */
#include <inttypes.h>

#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/quota.h"

void append_cleanup(struct command *command)
{
    struct append *append = command->data;

    append_url_end(append->url);
    for (unsigned i = 0; i < append->count; i++)
        intake_destroy(&append->messages[i]->intake);
}

static void fill_op(const struct append *append, struct append_message *message,
                    const struct quota *quota)
{
    struct store_op *op = &message->op;

    intake_fill(message->intake, op);
    op->mailbox = append->place.mailbox;
    op->folder = append->folder;
    op->in.append.flags.system = message->flags.system & rights_flags(append->place.rights);
    op->in.append.keywords.names = message->flags.keywords;
    op->in.append.keywords.count =
        (append->place.rights & RIGHT_WRITE) != 0 ? message->flags.count : 0;
    op->in.append.internal_date = message->date.utc;
    op->in.append.zone = (int16_t)message->date.zone_minutes;
    op->in.append.quota_bytes = quota->bytes;
    op->in.append.quota_messages = quota->messages;
    op->in.append.replaced_folder = append->is_across ? 0 : append->replaced_folder;
    op->in.append.replaced_uid = append->is_across ? 0 : append->replaced_uid;
}

enum step append_submit(struct command *command)
{
    struct append *append = command->data;
    struct store_op **ops = arena_array(&command->arena, append->count, sizeof(struct store_op *));
    struct quota quota;

    quota_of(command->imap, append->place.mailbox, &quota);
    for (unsigned i = 0; i < append->count; i++) {
        fill_op(append, append->messages[i], &quota);
        ops[i] = &append->messages[i]->op;
    }
    session_submit_all(command->imap->session, ops, append->count, true);
    return STEP_WAIT;
}

/* The first that failed took the others with it: the others have its error. */
static void fail(struct command *command, const struct store_op *op)
{
    if (op->item_gone)
        command_no(command, "EXPUNGEISSUED", "The message to be replaced is no more");
    else if (op->err.code == ERR_NOT_FOUND)
        command_no(command, "TRYCREATE", "The mailbox does not exist");
    else if (op->over_quota)
        quota_exceeded(command);
    else
        command_fail(command, &op->err);
}

/* The one that is over the quota tells why all failed. */
static const struct store_op *failed_op(const struct append *append)
{
    for (unsigned i = 0; i < append->count; i++) {
        if (append->messages[i]->op.over_quota)
            return &append->messages[i]->op;
    }
    return append->messages[0]->op.err.code != ERR_NONE ? &append->messages[0]->op : NULL;
}

bool append_succeeded(struct command *command)
{
    const struct store_op *op = failed_op(command->data);

    if (op != NULL)
        fail(command, op);
    return op == NULL;
}

const char *append_uid_code(struct command *command)
{
    const struct append *append = command->data;
    struct uidset uids = {0};
    struct buf code = {0};
    const char *text;

    for (unsigned i = 0; i < append->count; i++) {
        uint32_t uid = append->messages[i]->op.out.append.uid;

        uidset_add(&uids, uid);
        notify_own_arrivals(command->imap, append->place.mailbox, append->folder, uid, uid);
    }
    buf_printf(&code, "APPENDUID %" PRIu32 " ", append->messages[0]->op.out.append.uid_validity);
    uid_ranges_write(&code, uids.ranges, uids.count);
    text = arena_copy(&command->arena, buf_bytes(&code), buf_length(&code));
    buf_release(&code);
    uidset_release(&uids);
    return text;
}
