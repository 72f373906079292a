/* SubscriptionChange (RFC 5465 section 5.5): the subscribed names as the client knows them, compared with those
   that there are. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

void notify_subscriptions_release(struct notify_subscriptions *known)
{
    for (size_t i = 0; i < known->count; i++)
        free(known->paths[i]);
    free(known->paths);
    *known = (struct notify_subscriptions){0};
}

/* ---- what the client knows ---- */

static size_t position_of(const struct notify_subscriptions *known, const char *path)
{
    size_t low = 0;
    size_t high = known->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(known->paths[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has(const struct notify_subscriptions *known, const char *path)
{
    size_t at = position_of(known, path);

    return at < known->count && strcmp(known->paths[at], path) == 0;
}

static void add(struct notify_subscriptions *known, const char *path)
{
    size_t at = position_of(known, path);

    if (known->count == known->room) {
        known->room = known->room == 0 ? 16 : known->room * 2;
        known->paths = mem_grow(known->paths, known->room, sizeof(*known->paths));
    }
    memmove(known->paths + at + 1, known->paths + at, (known->count - at) * sizeof(*known->paths));
    known->paths[at] = mem_string(path);
    known->count++;
}

static void take_off(struct notify_subscriptions *known, size_t at)
{
    free(known->paths[at]);
    known->count--;
    memmove(known->paths + at, known->paths + at + 1, (known->count - at) * sizeof(*known->paths));
}

void notify_subscriptions_learn(struct notify_subscriptions *known, struct str path,
                                bool subscribed)
{
    char text[PATH_MAX_BYTES + 1];

    if (path.length > PATH_MAX_BYTES)
        return;
    memcpy(text, path.data, path.length);
    text[path.length] = '\0';
    if (has(known, text) == subscribed)
        return;
    if (subscribed)
        add(known, text);
    else
        take_off(known, position_of(known, text));
}

/* ---- telling ---- */

/* A folder that is subscribed no more was in the set of SUBSCRIBED until now. */
static enum err_code tell(struct command *command, const struct notify_spec *spec,
                          struct store_read *read, const char *path, struct err *err)
{
    struct str name = str_of(path);

    if (spec == NULL || (notify_events_of(spec, name, true) & NOTIFY_SUBSCRIPTION) == 0)
        return ERR_NONE;
    return list_tell_changed(command, read, name, (struct str){0}, err);
}

static enum err_code tell_new(struct command *command, struct notify_subscriptions *known,
                              const struct notify_spec *spec, struct store_read *read,
                              struct err *err)
{
    struct arena arena = {0};
    char cursor[128] = "";
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && command_has_room(command)) {
        struct str path;

        code = subscription_next(read, cursor, &arena, &path, err);
        if (code == ERR_NONE && !has(known, path.data)) {
            if (known->count >= NOTIFY_SUBSCRIPTIONS_MAX)
                code = err_set(err, ERR_LIMIT, "there are too many subscriptions");
            else
                code = tell(command, spec, read, path.data, err);
            if (code == ERR_NONE)
                add(known, path.data);
        }
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code tell_gone(struct command *command, struct notify_subscriptions *known,
                               const struct notify_spec *spec, struct store_read *read,
                               struct err *err)
{
    for (size_t i = known->count; i > 0 && command_has_room(command); i--) {
        const char *path = known->paths[i - 1];

        if (subscription_has(read, str_of(path)))
            continue;
        if (tell(command, spec, read, path, err) != ERR_NONE)
            return err->code;
        take_off(known, i - 1);
    }
    return ERR_NONE;
}

enum err_code notify_subscriptions_pass(struct command *command, struct notify_subscriptions *known,
                                        const struct notify_spec *spec, struct store_read *read,
                                        bool *done, struct err *err)
{
    *done = false;
    if (tell_gone(command, known, spec, read, err) != ERR_NONE ||
        tell_new(command, known, spec, read, err) != ERR_NONE)
        return err->code;
    *done = command_has_room(command);
    return ERR_NONE;
}
