/* STORE and UID STORE (RFC 3501 section 6.4.6; UNCHANGEDSINCE: RFC 7162 section 3.1.3), in slices of what the store changes at once: so
   each slice has one modseq, by which our own changes are known from those of others. */
#include "mailbox-backend/imap4/message_limit.h"
#include "mailbox-backend/imap4/place.h"

#define CHANGED 1000 /* uids of a slice */
#define TOLD 64      /* FETCH responses between two looks at the room left */

struct store {
    enum store_flags_mode mode;
    struct parsed_flags flags;
    bool silent;
    uint64_t unchanged_since; /* UINT64_MAX: whatever it is */
    struct uidset slice;
    struct uidset told;    /* of the slice: FETCH is to tell of them */
    struct uidset refused; /* by UNCHANGEDSINCE, of all slices: numbers, or uids */
    size_t written;        /* ranges of it */
    uint32_t next;         /* the first uid behind the slice; 0: it is the last one */
};

static enum step submit_slice(struct command *command);

static bool is_conditional(const struct store *store)
{
    return store->unchanged_since != UINT64_MAX;
}

/* "(UNCHANGEDSINCE 12) ", where it is there. */
static bool take_modifier(struct parse *args, struct store *store)
{
    store->unchanged_since = UINT64_MAX;
    if (!parse_skip(args, '('))
        return true;
    if (!parse_word(args, "UNCHANGEDSINCE"))
        return parse_fail(args, args->at, "Unknown STORE modifier");
    return parse_space(args) && parse_modseq(args, &store->unchanged_since) &&
           parse_char(args, ')') && parse_space(args);
}

static bool take_item_name(struct parse *args, struct store *store)
{
    const char *start = args->at;

    store->mode = FLAGS_REPLACE;
    if (parse_skip(args, '+'))
        store->mode = FLAGS_ADD;
    else if (parse_skip(args, '-'))
        store->mode = FLAGS_REMOVE;
    store->silent = parse_word(args, "FLAGS.SILENT");
    return store->silent || parse_word(args, "FLAGS") ||
           parse_fail(args, start, "Expected FLAGS, +FLAGS or -FLAGS, with or without .SILENT");
}

/* ---- what the flags are now ---- */

/* Goes on at command->uid, which becomes 0 when the slice is told. */
static enum err_code tell_some(struct command *command, struct store_read *read, struct err *err)
{
    const struct store *store = command->data;
    struct uid_range range = uidset_next_range(&store->told, command->uid);
    struct store_item items[TOLD];
    size_t count;
    enum err_code code = store_item_scan(read, command->imap->view->folder, range.first, range.last,
                                         0, items, TOLD, &count, err);

    if (code == ERR_NONE)
        code = flags_learn(command, read, items, count, err);
    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (store->silent)
            condstore_tell_item(command, &items[i]);
        else
            flags_tell_item(command, &items[i]);
    }
    if (count == TOLD)
        range.last = items[count - 1].uid;
    if (count < range.last - range.first + 1 && (command->entry->flags & CMD_UID) == 0 &&
        !store->silent)
        command->some_gone = true;
    command->uid = uidset_next(&store->told, range.last + 1);
    return ERR_NONE;
}

static enum step tell_slice(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!command_read(command, &read))
        return command_ended(command);
    code = tell_some(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (command->uid == 0)
        command->run = submit_slice;
    return STEP_NEXT;
}

/* ---- the end ---- */

/* MODIFIED may be long. */
static enum step write_modified(struct command *command)
{
    struct store *store = command->data;
    struct buf *out = command_output(command);
    size_t count = store->refused.count - store->written;

    if (!command_has_room(command))
        return STEP_MORE;
    if (store->written == 0) {
        condstore_tell_delay(command);
        message_limit_end(command, false);
        buf_append(out, command->tag.data, command->tag.length);
        buf_text(out, command->some_gone ? " NO [MODIFIED " : " OK [MODIFIED ");
        command->in_answer = true;
    } else {
        buf_byte(out, ',');
    }
    if (count > VANISHED_RANGES)
        count = VANISHED_RANGES;
    uid_ranges_write(out, store->refused.ranges + store->written, count);
    store->written += count;
    if (store->written < store->refused.count)
        return STEP_NEXT;
    buf_text(out, command->some_gone ? "] Some were changed, some are no more\r\n"
                                     : "] Some were changed meanwhile\r\n");
    command->in_answer = false;
    return command_written(command, command->some_gone ? RESULT_NO : RESULT_OK);
}

static enum step end(struct command *command)
{
    const struct store *store = command->data;

    if (uidset_is_empty(&store->refused))
        return command_ok(command, NULL);
    command->run = write_modified;
    return write_modified(command);
}

/* No FETCH has told the client of a new keyword. */
static enum step end_silent(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return command_ended(command);
    code = flags_refresh(command, read, &err);
    store_read_end(&read);
    return code == ERR_NONE ? end(command) : command_fail(command, &err);
}

/* ---- the change ---- */

/* Within a range of the view numbers run with the uids, and no set of its uids joins two ranges. */
static void add_refused(struct command *command, const struct uidset *uids)
{
    struct store *store = command->data;
    const struct view *view = command->imap->view;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;

    for (size_t i = 0; i < uids->count; i++) {
        uint32_t first = uids->ranges[i].first;
        uint32_t last = uids->ranges[i].last;

        uidset_add_range(&store->refused, by_uid ? first : view_sequence(view, first),
                         by_uid ? last : view_sequence(view, last));
    }
}

/* With UNCHANGEDSINCE whatever passed is told, else by .SILENT only what changed, and only to those who
   want mod-sequences (RFC 7162 sections 3.1.3 and 3.1.4.2, example 14). */
static void choose_told(struct command *command)
{
    struct store *store = command->data;
    const struct store_op *op = &command->op;

    uidset_release(&store->told);
    if (!store->silent || is_conditional(store)) {
        uidset_copy(&store->told, &store->slice);
        uidset_subtract(&store->told, &op->out.flags.refused);
    } else if (condstore_is_enabled(command->imap)) {
        uidset_copy(&store->told, &op->out.flags.changed);
    }
}

/* Others may have filled the list: PERMANENTFLAGS without "\*" says so (RFC 9051 section 7.1). */
static enum step refuse_keywords(struct command *command)
{
    struct store_read *read;
    struct err err;

    if (!command_read(command, &read))
        return command_ended(command);
    flags_refresh(command, read, &err);
    store_read_end(&read);
    return command_no(command, "LIMIT", "The mailbox has no room for more keywords");
}

static enum step after_slice(struct command *command)
{
    const struct store *store = command->data;

    if (command->op.err.code == ERR_LIMIT)
        return refuse_keywords(command);
    if (command->op.err.code != ERR_NONE)
        return command_fail(command, &command->op.err);
    view_own_change(command->imap->view, command->op.modseq);
    add_refused(command, &command->op.out.flags.refused);
    choose_told(command);
    command_op_release(&command->op);
    command->uid = uidset_first(&store->told);
    command->run = uidset_is_empty(&store->told) ? submit_slice : tell_slice;
    return command->run(command);
}

static void cut_slice(struct command *command)
{
    struct store *store = command->data;
    uint32_t left = CHANGED;

    uidset_release(&store->slice);
    while (left > 0 && store->next != 0) {
        struct uid_range range = uidset_next_range(&command->uids, store->next);

        if (range.last - range.first >= left)
            range.last = range.first + left - 1;
        uidset_add_range(&store->slice, range.first, range.last);
        left -= range.last - range.first + 1;
        store->next = uidset_next(&command->uids, range.last + 1);
    }
}

static void begin_change(struct command *command)
{
    const struct store *store = command->data;
    unsigned rights = command->imap->selected.rights;
    struct store_op *op = &command->op;

    op->kind = OP_FLAGS;
    op->folder = command->imap->view->folder;
    op->uids = &store->slice;
    op->in.flags.mode = store->mode;
    op->in.flags.system = store->flags.system;
    op->in.flags.keywords.names = store->flags.keywords;
    op->in.flags.keywords.count = (rights & RIGHT_WRITE) != 0 ? store->flags.count : 0;
    op->in.flags.unchanged_since = store->unchanged_since;
    op->in.flags.kept_system = FLAG_ALL & ~rights_flags(rights);
    op->in.flags.keeps_keywords = (rights & RIGHT_WRITE) == 0;
}

/* What others changed so far is told first: then a change of ours that follows at once hides
   none. */
static enum step submit_slice(struct command *command)
{
    const struct store *store = command->data;

    if (!update_run(command, false))
        return update_step(command);
    if (store->next == 0)
        return store->silent ? end_silent(command) : end(command);
    cut_slice(command);
    begin_change(command);
    command->run = after_slice;
    return command_submit(command);
}

static void cleanup(struct command *command)
{
    struct store *store = command->data;

    uidset_release(&store->slice);
    uidset_release(&store->told);
    uidset_release(&store->refused);
}

/* One of the flags is enough (RFC 4314 section 4). What replaces all flags concerns each of them. */
static bool may_change(const struct store *store, unsigned rights)
{
    bool named = store->flags.system != 0 || store->flags.count > 0;

    if (store->mode == FLAGS_REPLACE || !named)
        return true;
    return (store->flags.system & rights_flags(rights)) != 0 ||
           (store->flags.count > 0 && (rights & RIGHT_WRITE) != 0);
}

enum step cmd_store(struct command *command)
{
    struct store *store = arena_alloc(&command->arena, sizeof(*store));
    struct parse *args = &command->args;

    if (!command_take_uids(command))
        return command_ended(command);
    if (!parse_space(args) || !take_modifier(args, store) || !take_item_name(args, store) ||
        !parse_space(args) || !parse_flags(args, &store->flags) || !parse_end(args))
        return command_bad_syntax(command);
    if (is_conditional(store))
        condstore_enable(command);
    if (!may_change(store, command->imap->selected.rights))
        return command_no(command, "NOPERM", "You have no right to change these flags");
    if (uidset_is_empty(&command->uids))
        return command_ok(command, NULL);
    message_limit_cut(command, &command->uids);
    store->next = uidset_first(&command->uids);
    command->data = store;
    command->cleanup = cleanup;
    command->run = submit_slice;
    return submit_slice(command);
}
