/* LIST's arguments (RFC 3501 section 6.3.8, RFC 5258 section 6, RFC 5819, RFC 6154 section 6). */
#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/metadata.h"
#include "mailbox-backend/imap4/status.h"

/* ---- options ---- */

/* There are no remote mailboxes. */
static bool take_selection(struct parse *args, struct list_request *request)
{
    if (parse_word(args, "SUBSCRIBED"))
        request->select |= LIST_SUBSCRIBED;
    else if (parse_word(args, "SPECIAL-USE"))
        request->select |= LIST_SPECIAL_USE;
    else if (parse_word(args, "RECURSIVEMATCH"))
        request->select |= LIST_RECURSIVE;
    else if (!parse_word(args, "REMOTE"))
        return parse_fail(args, args->at, "Unknown LIST option");
    return true;
}

/* RFC 9590: without what stands below an entry. */
static bool take_metadata(struct parse *args, struct list_request *request)
{
    const char *start;

    request->metadata = arena_alloc(args->arena, sizeof(*request->metadata));
    request->metadata->max_size = UINT32_MAX;
    if (!parse_space(args))
        return false;
    start = args->at;
    if (!metadata_take_options(args, request->metadata))
        return false;
    if (request->metadata->depth != DEPTH_0)
        return parse_fail(args, start, "DEPTH is not for LIST");
    return metadata_take_entries(args, request->metadata);
}

/* Children and special uses are always told. */
static bool take_return(struct parse *args, struct list_request *request)
{
    if (parse_word(args, "SUBSCRIBED")) {
        request->tells_subscribed = true;
        return true;
    }
    if (parse_word(args, "MYRIGHTS")) {
        request->tells_rights = true;
        return true;
    }
    if (parse_word(args, "METADATA"))
        return take_metadata(args, request);
    if (parse_word(args, "STATUS"))
        return parse_space(args) && status_take_items(args, &request->status);
    return parse_word(args, "CHILDREN") || parse_word(args, "SPECIAL-USE") ||
           parse_fail(args, args->at, "Unknown LIST option");
}

static bool take_options(struct parse *args, struct list_request *request,
                         bool (*take)(struct parse *args, struct list_request *request))
{
    request->extended = true;
    if (!parse_char(args, '('))
        return false;
    if (parse_skip(args, ')'))
        return true;
    do {
        if (!take(args, request))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')');
}

static bool take_selections(struct parse *args, struct list_request *request)
{
    const char *start = args->at;

    if (!parse_peek(args, '('))
        return true;
    if (!take_options(args, request, take_selection))
        return false;
    request->tells_subscribed = (request->select & LIST_SUBSCRIBED) != 0;
    if (request->select == LIST_RECURSIVE)
        return parse_fail(args, start, "RECURSIVEMATCH wants another option beside it");
    return parse_space(args);
}

static bool take_returns(struct parse *args, struct list_request *request)
{
    if (parse_at_end(args))
        return true;
    if (!parse_space(args))
        return false;
    if (!parse_word(args, "RETURN"))
        return parse_fail(args, args->at, "Expected RETURN");
    return parse_space(args) && take_options(args, request, take_return) && parse_end(args);
}

/* ---- patterns ---- */

/* A pattern that no name can match is no error (RFC 9051 section 6.3.9): it becomes one that
   matches none, as no name has a control character. */
static void decode_pattern(struct command *command, struct str reference, struct str name,
                           struct str *pattern)
{
    char *both = arena_alloc(&command->arena, reference.length + name.length + 1);

    if (name.length != 0) {
        memcpy(both, reference.data, reference.length);
        memcpy(both + reference.length, name.data, name.length);
        name = str_n(both, reference.length + name.length);
    }
    if (command_decode_name(command, name, pattern, NULL) != ERR_NONE ||
        pattern->length > PATTERN_MAX)
        *pattern = STR("\x7f");
}

static bool syntax(struct command *command)
{
    command_bad_syntax(command);
    return false;
}

bool list_take_pattern(struct command *command, struct str *pattern)
{
    struct parse *args = &command->args;
    struct str reference;
    struct str name;

    if (!parse_astring(args, &reference) || !parse_space(args) || !parse_list_mailbox(args, &name))
        return syntax(command);
    decode_pattern(command, reference, name, pattern);
    return true;
}

static bool take_one(struct command *command, struct str reference, struct list_request *request)
{
    struct str *pattern = &request->patterns[request->pattern_count];
    struct str name;

    if (!parse_list_mailbox(&command->args, &name))
        return syntax(command);
    if (request->pattern_count == LIST_PATTERNS_MAX) {
        command_no(command, "LIMIT", "There are too many patterns");
        return false;
    }
    decode_pattern(command, reference, name, pattern);
    request->pattern_count += pattern->length != 0;
    request->pattern_bytes += pattern->length;
    return true;
}

static bool take_patterns(struct command *command, struct list_request *request)
{
    struct parse *args = &command->args;
    struct str reference;

    request->patterns =
        arena_array(&command->arena, LIST_PATTERNS_MAX + 1, sizeof(*request->patterns));
    if (!parse_astring(args, &reference) || !parse_space(args))
        return syntax(command);
    if (!parse_skip(args, '('))
        return take_one(command, reference, request);
    request->extended = true;
    do {
        if (!take_one(command, reference, request))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') || syntax(command);
}

bool list_take(struct command *command, struct list_request *request)
{
    if (!take_selections(&command->args, request))
        return syntax(command);
    if (!take_patterns(command, request))
        return false;
    return take_returns(&command->args, request) || syntax(command);
}

bool list_matches(const struct list_request *request, struct str path)
{
    const char *slash = memchr(path.data, '/', path.length);
    struct str top = slash == NULL ? path : str_n(path.data, (size_t)(slash - path.data));

    for (unsigned i = 0; i < request->pattern_count; i++) {
        struct str pattern = request->patterns[i];
        struct pattern_places places;

        pattern_begin(pattern, &places);
        pattern_feed(pattern, &places, top, str_is(top, "INBOX"));
        pattern_feed(pattern, &places, str_n(path.data + top.length, path.length - top.length),
                     false);
        if (pattern_matches(pattern, &places))
            return true;
    }
    return false;
}
