#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/copy.h"
#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/delivery.h"

#define SLICE 64                        /* messages … */
#define SLICE_BYTES ((uint64_t)4 << 20) /* … of at most so many bytes, or one that is larger */
#define CHUNK ((size_t)64 << 10)

struct copied {
    uint32_t uid; /* in the source */
    struct intake *intake;
    struct store_op op;
    const char *keywords[STORE_KEYWORDS_MAX];
};

struct copy_slice {
    char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1]; /* of the source's keywords */
    struct copied messages[SLICE];
    unsigned count;
    uint64_t bytes;
};

bool copy_is_across(const struct command *command)
{
    const struct copy *copy = command->data;

    return copy->place.mailbox != command->imap->view->mailbox ||
           rights_flags(copy->place.rights) != FLAG_ALL;
}

void copy_across_release(struct copy *copy)
{
    struct copy_slice *slice = copy->slice;

    for (unsigned i = 0; slice != NULL && i < slice->count; i++)
        intake_destroy(&slice->messages[i].intake);
    free(slice);
    copy->slice = NULL;
}

/* ---- one message ---- */

static enum err_code read_content(struct store_content *content, struct intake *intake,
                                  struct err *err)
{
    uint8_t *bytes = mem_alloc(CHUNK);
    uint64_t offset = 0;
    size_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && got > 0) {
        code = store_content_read(content, offset, bytes, CHUNK, &got, err);
        if (code == ERR_NONE && got > 0)
            code = intake_append(intake, bytes, got, err);
        offset += got;
    }
    free(bytes);
    return code == ERR_NONE ? intake_finish(intake, err) : code;
}

static void fill_keywords(const struct copy_slice *slice, const struct store_item *item,
                          struct copied *copied)
{
    struct store_keyword_names *names = &copied->op.in.append.keywords;

    for (unsigned i = 0; i < STORE_KEYWORDS_MAX; i++) {
        if (keyword_is_set(&item->flags, i) && slice->names[i][0] != '\0')
            copied->keywords[names->count++] = slice->names[i];
    }
    names->names = copied->keywords;
}

static void fill_op(const struct copy *copy, const struct store_item *item,
                    const struct quota *quota, struct copied *copied)
{
    struct store_op *op = &copied->op;

    intake_fill(copied->intake, op);
    op->mailbox = copy->place.mailbox;
    op->folder = copy->target;
    op->in.append.flags.system = item->flags.system & rights_flags(copy->place.rights);
    if ((copy->place.rights & RIGHT_WRITE) != 0)
        fill_keywords(copy->slice, item, copied);
    op->in.append.internal_date = item->internal_date;
    op->in.append.zone = item->zone;
    op->in.append.email_id = item->email_id; /* RFC 8474 section 5.1: the same message */
    op->in.append.thread_id = item->thread_id;
    op->in.append.quota_bytes = quota->bytes;
    op->in.append.quota_messages = quota->messages;
}

static enum err_code take_message(struct command *command, const struct store_item *item,
                                  struct store_content *content, struct err *err)
{
    struct copy *copy = command->data;
    struct copied *copied = &copy->slice->messages[copy->slice->count];
    struct quota quota;
    enum err_code code = intake_create(session_backend(command->imap->session)->store,
                                       store_mailbox_database(copy->place.mailbox), item->size,
                                       &copied->intake, err);

    if (code != ERR_NONE)
        return code;
    copy->slice->count++;
    copied->uid = item->uid;
    code = read_content(content, copied->intake, err);
    if (code != ERR_NONE)
        return code;
    quota_of(command->imap, copy->place.mailbox, &quota);
    fill_op(copy, item, &quota, copied);
    copy->slice->bytes += item->size;
    return ERR_NONE;
}

/* ---- a slice ---- */

static enum err_code open_message(struct command *command, uint32_t uid, struct store_item *item,
                                  struct store_content **content, struct err *err)
{
    struct copy *copy = command->data;
    const struct view *view = command->imap->view;
    struct store_read *read;
    unsigned count;
    enum err_code code = store_read_begin(view->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_item_get(read, view->folder, uid, item, err);
    if (code == ERR_NONE)
        code = store_keyword_list(read, view->folder, copy->slice->names, &count, err);
    if (code == ERR_NONE)
        code = store_content_open(read, item, content, err);
    store_read_end(&read);
    return code;
}

/* Messages from command->uid on, which becomes the next one; one that has gone is passed over. */
static enum err_code take_slice(struct command *command, struct err *err)
{
    struct copy *copy = command->data;
    enum err_code code = ERR_NONE;

    copy->slice = mem_alloc(sizeof(*copy->slice));
    while (command->uid != 0 && copy->slice->count < SLICE && copy->slice->bytes < SLICE_BYTES) {
        struct store_content *content = NULL;
        struct store_item item;

        code = open_message(command, command->uid, &item, &content, err);
        if (code == ERR_NONE)
            code = take_message(command, &item, content, err);
        store_content_close(&content);
        if (code != ERR_NONE && code != ERR_NOT_FOUND)
            return code;
        command->uid = uidset_next(&command->uids, command->uid + 1);
    }
    return ERR_NONE;
}

/* ---- the end ---- */

static enum step end_expunge(struct command *command)
{
    if (command->op.err.code != ERR_NONE)
        return command_fail(command, &command->op.err);
    command_op_release(&command->op);
    return copy_tell(command);
}

static enum step end(struct command *command)
{
    struct copy *copy = command->data;
    struct store_op *op = &command->op;

    if (copy->kind == OP_COPY || uidset_is_empty(&copy->from))
        return copy_tell(command);
    command->mailbox = command->imap->view->mailbox;
    op->kind = OP_EXPUNGE;
    op->folder = command->imap->view->folder;
    op->uids = &copy->from;
    command->run = end_expunge;
    return command_submit(command);
}

static enum step fail_with(struct command *command, const struct copy *copy)
{
    if (copy->over_quota)
        return quota_exceeded(command);
    if (copy->failure.code == ERR_NOT_FOUND)
        return command_no(command, "TRYCREATE", "The target mailbox does not exist");
    return command_fail(command, &copy->failure);
}

static enum step taken_back(struct command *command)
{
    struct copy *copy = command->data;

    return fail_with(command, copy);
}

/* All or nothing: what earlier slices brought goes again. */
static enum step take_back(struct command *command, const struct err *err)
{
    struct copy *copy = command->data;
    struct store_op *op = &command->op;

    copy->failure = *err;
    copy_across_release(copy);
    if (uidset_is_empty(&copy->to))
        return fail_with(command, copy);
    command->mailbox = copy->place.mailbox;
    op->kind = OP_EXPUNGE;
    op->folder = copy->target;
    op->uids = &copy->to;
    command->run = taken_back;
    return command_submit(command);
}

/* ---- from slice to slice ---- */

static const struct store_op *failed_op(const struct copy_slice *slice)
{
    for (unsigned i = 0; i < slice->count; i++) {
        if (slice->messages[i].op.over_quota)
            return &slice->messages[i].op;
    }
    return slice->messages[0].op.err.code != ERR_NONE ? &slice->messages[0].op : NULL;
}

static enum step after_slice(struct command *command)
{
    struct copy *copy = command->data;
    const struct copy_slice *slice = copy->slice;
    const struct store_op *failed = failed_op(slice);
    struct err err;

    if (failed != NULL) {
        err = failed->err;
        copy->over_quota = failed->over_quota;
        return take_back(command, &err);
    }
    for (unsigned i = 0; i < slice->count; i++) {
        uidset_add(&copy->from, slice->messages[i].uid);
        uidset_add(&copy->to, slice->messages[i].op.out.append.uid);
    }
    copy->uid_validity = slice->messages[0].op.out.append.uid_validity;
    copy_across_release(copy);
    command->run = copy_across;
    return copy_across(command);
}

static enum step submit_slice(struct command *command)
{
    struct copy *copy = command->data;
    struct store_op *ops[SLICE];

    for (unsigned i = 0; i < copy->slice->count; i++)
        ops[i] = &copy->slice->messages[i].op;
    command->run = after_slice;
    session_submit_all(command->imap->session, ops, copy->slice->count, true);
    return STEP_WAIT;
}

/* Reads contents: on a worker. */
enum step copy_across(struct command *command)
{
    struct copy *copy = command->data;
    struct err err;

    if (uidset_is_empty(&copy->from) && command->uid == 0)
        command->uid = uidset_first(&command->uids);
    else if (command->uid == 0)
        return end(command);
    if ((command->why & WHY_WORKER) == 0) {
        command->run = copy_across;
        return STEP_WORK;
    }
    if (take_slice(command, &err) != ERR_NONE)
        return take_back(command, &err);
    if (copy->slice->count > 0)
        return submit_slice(command);
    copy_across_release(copy);
    return end(command);
}
