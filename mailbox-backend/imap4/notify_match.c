/* Which groups of a NOTIFY SET speak of a folder (RFC 5465 section 6). */
#include <string.h>

#include "mailbox-backend/imap4/notify_private.h"

static bool is_or_is_below(struct str path, struct str above)
{
    return path.length >= above.length && memcmp(path.data, above.data, above.length) == 0 &&
           (path.length == above.length || path.data[above.length] == '/');
}

static bool has_name(const struct notify_group *group, struct str path)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->filter == NOTIFY_SUBTREE ? is_or_is_below(path, group->names[i])
                                            : str_equal(path, group->names[i]))
            return true;
    }
    return false;
}

static bool matches(const struct notify_group *group, struct str path, bool subscribed)
{
    switch (group->filter) {
    case NOTIFY_PERSONAL:
        return true;
    case NOTIFY_SUBSCRIBED:
        return subscribed;
    case NOTIFY_SUBTREE:
    case NOTIFY_MAILBOXES:
        return has_name(group, path);
    }
    return false;
}

unsigned notify_events_of(const struct notify_spec *spec, struct str path, bool subscribed)
{
    unsigned events = 0;

    for (const struct notify_group *group = spec->groups; group != NULL; group = group->next) {
        if ((group->events & ~events) != 0 && matches(group, path, subscribed))
            events |= group->events;
    }
    return events;
}

bool notify_is_named(const struct notify_spec *spec, struct str path, bool subscribed)
{
    for (const struct notify_group *group = spec->groups; group != NULL; group = group->next) {
        if (matches(group, path, subscribed))
            return true;
    }
    return false;
}

unsigned notify_all_events(const struct notify_spec *spec)
{
    unsigned events = 0;

    for (const struct notify_group *group = spec->groups; group != NULL; group = group->next)
        events |= group->events;
    return events;
}
