/* Reads what NOTIFY SET asks for (RFC 5465 section 8). */
#include "mailbox-backend/imap4/fetch.h"
#include "mailbox-backend/imap4/notify_private.h"
#include "mailbox-backend/mailbox/mailbox.h"

const char notify_bad_event[] =
    "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
    "MailboxMetadataChange ServerMetadataChange)";

static const struct {
    const char *word;
    unsigned event; /* enum notify_event bit */
} events[] = {
    {"MessageNew",            NOTIFY_NEW            },
    {"MessageExpunge",        NOTIFY_EXPUNGE        },
    {"FlagChange",            NOTIFY_FLAGS          },
    {"MailboxName",           NOTIFY_NAME           },
    {"SubscriptionChange",    NOTIFY_SUBSCRIPTION   },
    {"MailboxMetadataChange", NOTIFY_METADATA       },
    {"ServerMetadataChange",  NOTIFY_SERVER_METADATA},
};

static const struct {
    const char *word;
    enum notify_filter filter;
    bool has_names;
} filters[] = {
    {"INBOXES",    NOTIFY_PERSONAL,   false},
    {"PERSONAL",   NOTIFY_PERSONAL,   false},
    {"SUBSCRIBED", NOTIFY_SUBSCRIBED, false},
    {"SUBTREE",    NOTIFY_SUBTREE,    true },
    {"MAILBOXES",  NOTIFY_MAILBOXES,  true },
};

struct reader {
    struct command *command;
    struct parse *parse;
    struct notify_spec *spec;
    struct notify_group **end;
    bool bad_event;
    bool too_much;
};

/* ---- events ---- */

/* What is asked of new messages is kept as it was written, and read anew for each of them. */
static bool take_fetch(struct reader *reader, bool is_selected)
{
    struct parse *parse = reader->parse;
    const char *start = parse->at + 1;
    struct fetch_request request;
    size_t length;

    if (!parse_peek(parse, ' ') || parse->end - parse->at < 2 || parse->at[1] != '(')
        return true;
    parse_skip(parse, ' ');
    if (!is_selected)
        return parse_fail(parse, start, "Only of the selected mailbox messages are fetched");
    if (!fetch_parse_list(parse, &request))
        return false;
    length = (size_t)(parse->at - start);
    reader->too_much |= length > NOTIFY_FETCH_MAX;
    reader->spec->fetch = str_n(arena_copy(&reader->spec->arena, start, length), length);
    return true;
}

static bool take_event(struct reader *reader, bool is_selected, unsigned *taken)
{
    struct str name;

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (!parse_word(reader->parse, events[i].word))
            continue;
        *taken |= events[i].event;
        return events[i].event != NOTIFY_NEW || take_fetch(reader, is_selected);
    }
    if (!parse_atom(reader->parse, &name))
        return false;
    reader->bad_event = true;
    return true;
}

/* RFC 5465 section 5. */
static bool check_events(struct reader *reader, const char *start, bool is_selected, unsigned taken)
{
    unsigned both = taken & (NOTIFY_NEW | NOTIFY_EXPUNGE);

    if (reader->bad_event)
        return true;
    if (is_selected && (taken & ~NOTIFY_OF_MESSAGES) != 0)
        return parse_fail(reader->parse, start, "The selected mailbox has events of messages only");
    if (both == NOTIFY_NEW || both == NOTIFY_EXPUNGE)
        return parse_fail(reader->parse, start, "MessageNew and MessageExpunge go together");
    if ((taken & NOTIFY_FLAGS) != 0 && both == 0)
        return parse_fail(reader->parse, start,
                          "FlagChange goes with MessageNew and MessageExpunge");
    return true;
}

static bool take_events(struct reader *reader, bool is_selected, unsigned *taken)
{
    struct parse *parse = reader->parse;
    const char *start = parse->at;

    *taken = 0;
    if (parse_word(parse, "NONE"))
        return true;
    if (!parse_char(parse, '('))
        return false;
    do {
        if (!take_event(reader, is_selected, taken))
            return false;
    } while (parse_skip(parse, ' '));
    return parse_char(parse, ')') && check_events(reader, start, is_selected, *taken);
}

/* ---- names ---- */

/* A name that no mailbox can have is one that does not exist: it is passed over (section 3.1). */
static bool take_name(struct reader *reader, struct notify_group *group, size_t *room)
{
    struct arena *arena = &reader->spec->arena;
    struct str name;
    struct str path;

    if (!parse_astring(reader->parse, &name))
        return false;
    if (++reader->spec->names > NOTIFY_NAMES_MAX) {
        reader->too_much = true;
        return true;
    }
    if (command_decode_name(reader->command, name, &name, NULL) != ERR_NONE ||
        path_normalise(&reader->command->arena, name, &path, NULL) != ERR_NONE)
        return true;
    if (group->count == *room) {
        struct str *grown = arena_array(arena, *room * 2, sizeof(*grown));

        for (size_t i = 0; i < group->count; i++)
            grown[i] = group->names[i];
        group->names = grown;
        *room *= 2;
    }
    group->names[group->count++] = str_n(arena_copy(arena, path.data, path.length), path.length);
    return true;
}

static bool take_names(struct reader *reader, struct notify_group *group)
{
    struct parse *parse = reader->parse;
    size_t room = 4;

    group->names = arena_array(&reader->spec->arena, room, sizeof(*group->names));
    if (!parse_space(parse))
        return false;
    if (!parse_skip(parse, '('))
        return take_name(reader, group, &room);
    do {
        if (!take_name(reader, group, &room))
            return false;
    } while (parse_skip(parse, ' '));
    return parse_char(parse, ')');
}

/* ---- groups ---- */

static bool take_selected(struct reader *reader, bool *is_selected)
{
    struct notify_spec *spec = reader->spec;
    struct parse *parse = reader->parse;
    const char *start = parse->at;
    bool delayed = parse_word(parse, "SELECTED-DELAYED");

    *is_selected = delayed || parse_word(parse, "SELECTED");
    if (!*is_selected)
        return true;
    if (spec->has_selected)
        return parse_fail(parse, start, "The selected mailbox is spoken of once only");
    spec->has_selected = true;
    spec->delayed = delayed;
    return parse_space(parse) && take_events(reader, true, &spec->selected);
}

static bool take_filter(struct reader *reader, struct notify_group *group)
{
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        if (!parse_word(reader->parse, filters[i].word))
            continue;
        group->filter = filters[i].filter;
        return !filters[i].has_names || take_names(reader, group);
    }
    return parse_fail(reader->parse, reader->parse->at, "There is no such mailbox filter");
}

static bool take_group(struct reader *reader)
{
    struct parse *parse = reader->parse;
    struct notify_group *group;
    bool is_selected;

    if (!parse_char(parse, '(') || !take_selected(reader, &is_selected))
        return false;
    if (is_selected)
        return parse_char(parse, ')');
    group = arena_alloc(&reader->spec->arena, sizeof(*group));
    if (!take_filter(reader, group) || !parse_space(parse) ||
        !take_events(reader, false, &group->events))
        return false;
    *reader->end = group;
    reader->end = &group->next;
    return parse_char(parse, ')');
}

enum notify_parsed notify_parse(struct command *command, struct notify_spec *spec)
{
    struct parse *parse = &command->args;
    struct reader reader = {.command = command, .parse = parse, .spec = spec, .end = &spec->groups};

    spec->status = parse_word(parse, "STATUS");
    if (spec->status && !parse_space(parse))
        return NOTIFY_INVALID;
    do {
        if (!take_group(&reader))
            return NOTIFY_INVALID;
    } while (parse_skip(parse, ' '));
    if (!parse_end(parse))
        return NOTIFY_INVALID;
    if (reader.bad_event)
        return NOTIFY_BAD_EVENT;
    return reader.too_much ? NOTIFY_TOO_MUCH : NOTIFY_PARSED;
}
