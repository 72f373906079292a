/* Flags as a client gives them, for STORE and APPEND. */
#include "mailbox-backend/imap4/parse.h"

#include "mailbox-backend/store/store.h"

static const struct {
    const char *name;
    uint32_t flag;
} system_flags[] = {
    {"Answered", FLAG_ANSWERED},
    {"Flagged",  FLAG_FLAGGED },
    {"Deleted",  FLAG_DELETED },
    {"Seen",     FLAG_SEEN    },
    {"Draft",    FLAG_DRAFT   },
};

/* Keywords of RFC 9051 section 2.3.2 and of the registry that RFC 5788 founded: whatever the case in which
   the first client to use one in a folder writes it, all are told this one. */
static const char *const registered_keywords[] = {
    "$Forwarded", "$MDNSent",       "$Junk",      "$NotJunk",
    "$Phishing",  "$SubmitPending", "$Submitted", "$Important",
};
#define REGISTERED (sizeof(registered_keywords) / sizeof(registered_keywords[0]))

/* While flags are gathered; a folder takes no more keywords than this anyway. */
struct gathered {
    uint32_t system;
    const char **keywords;
    unsigned count;
};

static bool take_system_flag(struct parse *parse, uint32_t *flags)
{
    for (size_t i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]); i++) {
        if (parse_word(parse, system_flags[i].name)) {
            *flags |= system_flags[i].flag;
            return true;
        }
    }
    return parse_fail(parse, parse->at, "There is no such system flag, or it cannot be set");
}

static bool is_there(const struct gathered *gathered, struct str name)
{
    for (unsigned i = 0; i < gathered->count; i++) {
        if (str_is_nocase(name, gathered->keywords[i]))
            return true;
    }
    return false;
}

static const char *keyword_text(struct arena *arena, struct str name)
{
    for (size_t i = 0; i < REGISTERED; i++) {
        if (str_is_nocase(name, registered_keywords[i]))
            return registered_keywords[i];
    }
    return arena_copy(arena, name.data, name.length);
}

static bool take_keyword(struct parse *parse, struct gathered *gathered)
{
    const char *start = parse->at;
    struct str name;

    if (!parse_atom(parse, &name))
        return parse_fail(parse, start, "Expected a flag");
    if (name.length > STORE_KEYWORD_NAME_MAX)
        return parse_fail(parse, start, "Keyword too long");
    if (is_there(gathered, name))
        return true;
    if (gathered->count == STORE_KEYWORDS_MAX)
        return parse_fail(parse, start, "Too many keywords");
    if (gathered->keywords == NULL)
        gathered->keywords =
            arena_array(parse->arena, STORE_KEYWORDS_MAX, sizeof(*gathered->keywords));
    gathered->keywords[gathered->count++] = keyword_text(parse->arena, name);
    return true;
}

static bool take_flag(struct parse *parse, struct gathered *gathered)
{
    if (parse_skip(parse, '\\'))
        return take_system_flag(parse, &gathered->system);
    return take_keyword(parse, gathered);
}

static bool take_flags(struct parse *parse, struct gathered *gathered)
{
    do {
        if (!take_flag(parse, gathered))
            return false;
    } while (parse_skip(parse, ' '));
    return true;
}

static bool give(const struct gathered *gathered, struct parsed_flags *flags)
{
    *flags = (struct parsed_flags){gathered->system, gathered->keywords, gathered->count};
    return true;
}

bool parse_flag_list(struct parse *parse, struct parsed_flags *flags)
{
    const char *start = parse->at;
    struct gathered gathered = {0};

    if (!parse_char(parse, '('))
        return false;
    if (!parse_peek(parse, ')') && !take_flags(parse, &gathered))
        return parse_fail(parse, start, parse->fault);
    if (!parse_char(parse, ')'))
        return parse_fail(parse, start, parse->fault);
    return give(&gathered, flags);
}

bool parse_flags(struct parse *parse, struct parsed_flags *flags)
{
    const char *start = parse->at;
    struct gathered gathered = {0};

    if (parse_peek(parse, '('))
        return parse_flag_list(parse, flags);
    if (!take_flags(parse, &gathered))
        return parse_fail(parse, start, parse->fault);
    return give(&gathered, flags);
}
