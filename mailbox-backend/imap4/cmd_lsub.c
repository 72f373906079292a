/* LSUB, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 sections 6.3.6, 6.3.7, 6.3.9). */
#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SLICE 100u /* subscriptions looked at in one snapshot */

struct lsub {
    struct str pattern;
    char cursor[128];
    size_t last_length; /* the newest name that was told for what is below it: */
    char last_parent[PATH_MAX_BYTES];
};

static void tell(struct command *command, const char *attributes, struct str path)
{
    struct buf *out = command_output(command);

    buf_printf(out, "* LSUB (%s) \"/\" ", attributes);
    mailbox_name_write(command, path);
    buf_text(out, "\r\n");
}

/* How far path goes along the pattern: *parent is its longest beginning, up to a "/", that
   matches. */
static bool matches(struct str pattern, struct str path, struct str *parent)
{
    struct pattern_places places;
    struct str rest = path;
    bool in_inbox = str_is(path, "INBOX") || strncmp(path.data, "INBOX/", 6) == 0;

    pattern_begin(pattern, &places);
    *parent = str_n(path.data, 0);
    for (;;) {
        const char *slash = memchr(rest.data, '/', rest.length);
        size_t length = slash != NULL ? (size_t)(slash - rest.data) : rest.length;

        pattern_feed(pattern, &places, str_n(rest.data, length),
                     in_inbox && rest.data == path.data);
        if (slash == NULL)
            return pattern_matches(pattern, &places);
        if (pattern_matches(pattern, &places))
            *parent = str_n(path.data, (size_t)(slash - path.data));
        pattern_feed(pattern, &places, STR("/"), false);
        rest = str_n(slash + 1, rest.length - length - 1);
    }
}

/* Where only something below a matching name is subscribed, "%" shows that name as \Noselect.
   Subscriptions come in the order of their paths, but for long ones, which come last: so one memory is
   enough to hardly ever say it twice, and twice does no harm. */
static void tell_match(struct command *command, struct store_read *read, struct str path)
{
    struct lsub *lsub = command->data;
    struct str parent;

    if (matches(lsub->pattern, path, &parent)) {
        tell(command, "", path);
        return;
    }
    if (parent.length == 0 || str_equal(parent, str_n(lsub->last_parent, lsub->last_length)) ||
        subscription_has(read, parent))
        return;
    memcpy(lsub->last_parent, parent.data, parent.length);
    lsub->last_length = parent.length;
    tell(command, "\\Noselect", parent);
}

static enum step next_slice(struct command *command)
{
    struct lsub *lsub = command->data;
    struct arena arena = {0}; /* of the slice */
    struct store_read *read;
    struct err err;
    enum err_code code = ERR_NONE;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!command_read(command, &read))
        return command_ended(command);
    for (unsigned left = (unsigned)(SLICE / (1 + lsub->pattern.length / LIST_PATTERN_SHARE)) + 1;
         left > 0 && code == ERR_NONE && command_has_room(command); left--) {
        struct str path;

        code = subscription_next(read, lsub->cursor, &arena, &path, &err);
        if (code == ERR_NONE)
            tell_match(command, read, path);
    }
    store_read_end(&read);
    arena_reset(&arena);
    if (code == ERR_NOT_FOUND)
        return command_ok(command, NULL);
    return code == ERR_NONE ? STEP_NEXT : command_fail(command, &err);
}

enum step cmd_lsub(struct command *command)
{
    struct lsub *lsub = arena_alloc(&command->arena, sizeof(*lsub));

    if (!list_take_pattern(command, &lsub->pattern))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (lsub->pattern.length == 0) {
        untagged(command, "LSUB (\\Noselect) \"/\" \"\"");
        return command_ok(command, NULL);
    }
    command->data = lsub;
    command->run = next_slice;
    return next_slice(command);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE: any valid name, whether there is such a folder or not ---- */

struct subscribing {
    struct str path;
    bool subscribed;
};

static enum step end_change(struct command *command)
{
    const struct subscribing *subscribing = command->data;

    if (command->op.err.code == ERR_NONE)
        notify_own_subscription(command->imap, subscribing->path, subscribing->subscribed);
    return command_op_done(command);
}

static enum step change(struct command *command, bool subscribed)
{
    struct subscribing *subscribing = arena_alloc(&command->arena, sizeof(*subscribing));

    subscribing->subscribed = subscribed;
    command->data = subscribing;
    if (!command_take_name(command, &subscribing->path))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    command->op.kind = OP_PROPERTY_SET;
    subscription_property(&command->arena, subscribing->path, subscribed,
                          &command->op.in.property.property);
    command->run = end_change;
    return command_submit(command);
}

enum step cmd_subscribe(struct command *command)
{
    return change(command, true);
}

enum step cmd_unsubscribe(struct command *command)
{
    return change(command, false);
}
