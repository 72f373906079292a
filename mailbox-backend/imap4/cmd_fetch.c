/* FETCH and UID FETCH (RFC 3501 section 6.4.5): from message to message. */
#include "common/log.h"
#include "mailbox-backend/imap4/fetch.h"
#include "mailbox-backend/imap4/message_limit.h"
#include "mailbox-backend/imap4/place.h"

#define SLICE 128 /* items of one snapshot */

/* Bytes of content read in one call; each message costs some as well. */
#define SHARE_LOOP ((size_t)128 << 10)
#define SHARE_WORKER ((size_t)1 << 20)
#define MESSAGE_COST ((size_t)1 << 10)

/* \Seen is set ahead of the answers, which tell it; not far ahead, as the client may go away. */
#define SEEN_MESSAGES 64
#define SEEN_BYTES ((uint64_t)1 << 20)

struct fetch {
    struct fetch_request request;
    struct fetch_message message; /* being told, where its content is open */
    size_t share;                 /* left of this call's */
    bool sets_seen;
    uint32_t seen_until;    /* \Seen is set up to this uid */
    struct uidset unseen;   /* is being set for these */
    struct uidset seen;     /* was set for these, and is yet to be told */
    struct uidset vanished; /* to be told as VANISHED (EARLIER) */
    size_t vanished_at;
    struct err failure;    /* the first message that could not be read; the others are told */
    bool unknown_encoding; /* and one was to be decoded that cannot be */
};

static enum step tell(struct command *command);

static void cleanup(struct command *command)
{
    struct fetch *fetch = command->data;

    fetch_message_end(&fetch->message);
    uidset_release(&fetch->unseen);
    uidset_release(&fetch->seen);
    uidset_release(&fetch->vanished);
}

/* ---- the messages asked for ---- */

/* The part of the asked range that begins at uid. */
static struct uid_range range_from(const struct uidset *uids, uint32_t uid)
{
    size_t low = 0;
    size_t high = uids->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (uids->ranges[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct uid_range){uid, uids->ranges[low].last};
}

/* A uid that is no more is no error (RFC 3501 section 6.4.8); a message whose number the client still holds
   is (RFC 2180 section 4.1.2). */
static void some_gone(struct command *command)
{
    if ((command->entry->flags & CMD_UID) == 0)
        command->some_gone = true;
}

/* As next_items(), where CHANGEDSINCE is given: what did not change is passed over in the index. */
static enum err_code next_changed(struct command *command, struct store_read *read, uint32_t *uid,
                                  struct store_item *items, size_t room, size_t *count,
                                  struct err *err)
{
    const struct fetch *fetch = command->data;
    uint32_t last = uidset_last(&command->uids);
    size_t got;

    *count = 0;
    if (*uid == 0)
        return ERR_NONE;
    if (store_item_scan(read, command->imap->view->folder, *uid, last, fetch->request.modseq, items,
                        room, &got, err) != ERR_NONE)
        return err->code;
    *uid = got == room && items[got - 1].uid < last ? items[got - 1].uid + 1 : 0;
    for (size_t i = 0; i < got; i++) {
        if (uidset_has(&command->uids, items[i].uid))
            items[(*count)++] = items[i];
    }
    return ERR_NONE;
}

/* Copies at most room of the items asked for, from *uid on; *uid becomes the next one to ask for, 0 for
   none. */
static enum err_code next_items(struct command *command, struct store_read *read, uint32_t *uid,
                                struct store_item *items, size_t room, size_t *count,
                                struct err *err)
{
    const struct fetch *fetch = command->data;

    *count = 0;
    if (fetch->request.changed_since)
        return next_changed(command, read, uid, items, room, count, err);
    for (unsigned ranges = 0; *uid != 0 && *count < room && ranges < SLICE; ranges++) {
        struct uid_range range = range_from(&command->uids, *uid);
        size_t got;

        if (store_item_scan(read, command->imap->view->folder, range.first, range.last, 0,
                            items + *count, room - *count, &got, err) != ERR_NONE)
            return err->code;
        *count += got;
        if (*count == room)
            range.last = items[room - 1].uid;
        if (got < range.last - range.first + 1)
            some_gone(command);
        *uid = uidset_next(&command->uids, range.last + 1);
    }
    return ERR_NONE;
}

/* ---- \Seen ---- */

static enum step after_seen(struct command *command)
{
    struct fetch *fetch = command->data;
    struct store_op *op = &command->op;

    if (op->err.code == ERR_NONE) {
        view_own_change(command->imap->view, op->modseq);
        uidset_release(&fetch->seen);
        fetch->seen = op->out.flags.changed;
        op->out.flags.changed = (struct uidset){0};
    } else { /* reading goes on where writing cannot, as when the disk is full */
        log_warning(session_who(command->imap->session), "cannot set \\Seen: %s", op->err.text);
        fetch->sets_seen = false;
    }
    command_op_release(op);
    uidset_release(&fetch->unseen);
    command->run = tell;
    return STEP_NEXT;
}

/* What others changed so far is told first: then a change of ours that follows at once hides none. */
static enum step submit_seen(struct command *command)
{
    struct fetch *fetch = command->data;
    struct store_op *op = &command->op;

    if (!update_run(command, false))
        return update_step(command);
    op->kind = OP_FLAGS;
    op->folder = command->imap->view->folder;
    op->uids = &fetch->unseen;
    op->in.flags.mode = FLAGS_ADD;
    op->in.flags.system = FLAG_SEEN;
    op->in.flags.unchanged_since = UINT64_MAX;
    command->run = after_seen;
    return command_submit(command);
}

/* Collects the next messages that lack \Seen. */
static enum err_code collect_unseen(struct command *command, struct store_read *read,
                                    struct err *err)
{
    struct fetch *fetch = command->data;
    struct store_item items[SEEN_MESSAGES];
    uint32_t uid = command->uid;
    uint64_t bytes = 0;
    size_t count;

    if (next_items(command, read, &uid, items, SEEN_MESSAGES, &count, err) != ERR_NONE)
        return err->code;
    fetch->seen_until = uid != 0 ? uid - 1 : UINT32_MAX;
    for (size_t i = 0; i < count && bytes < SEEN_BYTES; i++) {
        bytes += items[i].size;
        if ((items[i].flags.system & FLAG_SEEN) == 0)
            uidset_add(&fetch->unseen, items[i].uid);
        if (bytes >= SEEN_BYTES)
            fetch->seen_until = items[i].uid;
    }
    return ERR_NONE;
}

static enum step set_seen(struct command *command)
{
    struct fetch *fetch = command->data;
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return command_ended(command);
    code = collect_unseen(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (uidset_is_empty(&fetch->unseen))
        return STEP_NEXT;
    command->run = submit_seen;
    return submit_seen(command);
}

/* ---- one message ---- */

static void could_not_tell(struct command *command, const struct err *err)
{
    struct fetch *fetch = command->data;

    log_error(session_who(command->imap->session), "folder %u, uid %u: cannot be read: %s",
              command->imap->view->folder, fetch->message.item.uid, err->text);
    if (fetch->failure.code == ERR_NONE)
        fetch->failure = *err;
}

/* Nothing can be said in an answer that was begun, least of all in a literal: the client must see it break
   off, or it would take half a message for a whole one. */
static void break_off(struct command *command, const struct err *err)
{
    command->detail = arena_string(&command->arena, err->text);
    command->imap->ended = true;
    command_written(command, RESULT_NO);
}

/* Goes on with the message whose content is open. */
static enum fetch_progress go_on(struct command *command)
{
    struct fetch *fetch = command->data;
    struct fetch_message *message = &fetch->message;
    struct err err;
    enum fetch_progress progress =
        fetch_message_run(command, message, &fetch->request, &fetch->share, &err);

    if (progress == FETCH_FAILED) {
        could_not_tell(command, &err);
        if (message->begun)
            break_off(command, &err);
    }
    if (progress == FETCH_UNKNOWN) {
        fetch->unknown_encoding = true;
        if (message->tell_flags) /* the answer that does not come would have told them */
            flags_tell_item(command, &message->item);
    }
    if (progress != FETCH_FULL && progress != FETCH_SHARED)
        fetch_message_end(message);
    return progress;
}

/* Begins with a message; where the index has all of it, ends as well. */
static void tell_item(struct command *command, struct store_read *read,
                      const struct store_item *item)
{
    struct fetch *fetch = command->data;
    struct err err;

    fetch->share -= MESSAGE_COST < fetch->share ? MESSAGE_COST : fetch->share;
    fetch->message.tell_flags = uidset_has(&fetch->seen, item->uid);
    if (fetch_message_begin(command, &fetch->message, &fetch->request, read, item, &err) !=
        ERR_NONE)
        could_not_tell(command, &err);
    else if (fetch->message.content == NULL)
        go_on(command);
}

/* ---- all of them ---- */

static bool needs_seen(const struct fetch *fetch, uint32_t uid)
{
    return fetch->sets_seen && uid > fetch->seen_until;
}

static enum err_code tell_slice(struct command *command, struct store_read *read, struct err *err)
{
    struct fetch *fetch = command->data;
    bool opens = (fetch->request.kinds & (FETCH_SECTION | FETCH_PREVIEW)) != 0;
    struct store_item items[SLICE];
    uint32_t next = command->uid;
    size_t count;

    if (next_items(command, read, &next, items, opens ? 1 : SLICE, &count, err) != ERR_NONE ||
        flags_learn(command, read, items, count, err) != ERR_NONE)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        if (!command_has_room(command) || fetch->message.content != NULL ||
            needs_seen(fetch, items[i].uid)) {
            next = items[i].uid;
            break;
        }
        tell_item(command, read, &items[i]);
    }
    command->uid = next;
    return ERR_NONE;
}

static void next_slice(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return;
    code = tell_slice(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        command_fail(command, &err);
}

static enum step end(struct command *command)
{
    const struct fetch *fetch = command->data;

    if (fetch->failure.code != ERR_NONE)
        return command_fail(command, &fetch->failure);
    if (fetch->unknown_encoding)
        return command_no(command, "UNKNOWN-CTE", "A part has an unknown transfer encoding");
    return command_ok(command, NULL);
}

static enum step tell_vanished(struct command *command)
{
    struct fetch *fetch = command->data;

    while (fetch->vanished_at < fetch->vanished.count) {
        if (!command_has_room(command))
            return STEP_MORE;
        vanished_tell(command, &fetch->vanished, &fetch->vanished_at, true);
    }
    command->run = tell;
    return tell(command);
}

static enum step tell(struct command *command)
{
    struct fetch *fetch = command->data;
    bool on_worker = (command->why & WHY_WORKER) != 0;

    fetch->share = on_worker ? SHARE_WORKER : SHARE_LOOP;
    while (fetch->share > 0 && command->result == RESULT_NONE) {
        if (!command_has_room(command))
            return STEP_MORE;
        if (fetch->message.content != NULL) {
            if (!on_worker && fetch_message_is_long(&fetch->message))
                return STEP_WORK;
            go_on(command);
        } else if (command->uid == 0) {
            return end(command);
        } else if (needs_seen(fetch, command->uid)) {
            return set_seen(command);
        } else {
            next_slice(command);
        }
    }
    return STEP_NEXT;
}

enum step fetch_unasked(struct command *command, const struct fetch_request *request)
{
    struct fetch *fetch = arena_alloc(&command->arena, sizeof(*fetch));

    fetch->request = *request;
    command->data = fetch;
    command->cleanup = cleanup;
    command->uid = uidset_first(&command->uids);
    command->run = tell;
    return tell(command);
}

/* ---- the beginning ---- */

static bool find_vanished(struct command *command, const struct sequence_set *set)
{
    struct fetch *fetch = command->data;
    struct uidset wanted = {0};
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return false;
    command_numbers_of(command, set, true, &wanted);
    code = vanished_since(command->imap->view, read, &wanted, fetch->request.modseq,
                          &fetch->vanished, &err);
    store_read_end(&read);
    uidset_release(&wanted);
    if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

/* What the modifiers ask for besides a syntax of their own. */
static bool check_modifiers(struct command *command)
{
    const struct fetch_request *request = &((struct fetch *)command->data)->request;
    const char *start = command->args.at;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;

    if (request->partial && !by_uid)
        return parse_fail(&command->args, start, "PARTIAL is for UID FETCH");
    if (!request->vanished)
        return true;
    if (!by_uid)
        return parse_fail(&command->args, start, "VANISHED is for UID FETCH");
    return (command->imap->enabled & ENABLED_QRESYNC) != 0 ||
           parse_fail(&command->args, start, "QRESYNC is not enabled");
}

/* RFC 9394 section 3.3; one that is too long is not begun (RFC 9738 section 3.1). */
static bool cut_part(struct command *command)
{
    const struct partial_range *range = &((struct fetch *)command->data)->request.part;
    struct uidset part = {0};

    if (!message_limit_allows(command, (uint64_t)range->last - range->first + 1,
                              message_limit(command->imap), 0))
        return false;
    partial_cut(range, &command->uids, &part);
    uidset_release(&command->uids);
    command->uids = part;
    return true;
}

enum step cmd_fetch(struct command *command)
{
    struct fetch *fetch = arena_alloc(&command->arena, sizeof(*fetch));
    bool by_uid = (command->entry->flags & CMD_UID) != 0;
    struct parse *args = &command->args;
    struct sequence_set set;

    command->data = fetch;
    command->cleanup = cleanup;
    if (!parse_sequence_set(args, &set) || !parse_space(args) ||
        !fetch_parse(args, by_uid && !imap_is_uid_only(command->imap), &fetch->request) ||
        !parse_end(args) || !check_modifiers(command))
        return command_bad_syntax(command);
    if (!command_uids_of(command, &set, by_uid, &command->uids))
        return command_ended(command);
    if (fetch->request.partial && !cut_part(command))
        return command_ended(command);
    message_limit_cut(command, &command->uids);
    if ((fetch->request.kinds & FETCH_MODSEQ) != 0)
        condstore_enable(command);
    if (fetch->request.vanished && !find_vanished(command, &set))
        return command_ended(command);
    fetch->sets_seen = fetch->request.sets_seen && !command->imap->read_only &&
                       (command->imap->selected.rights & RIGHT_SEEN) != 0;
    command->uid = uidset_first(&command->uids);
    command->run = tell_vanished;
    return tell_vanished(command);
}
