/* What GETMETADATA and LIST RETURN (METADATA …) ask for. */
#include <ctype.h>

#include "mailbox-backend/imap4/metadata.h"

static bool take_depth(struct parse *parse, enum metadata_depth *depth)
{
    static const char *const words[] = {
        [DEPTH_0] = "0", [DEPTH_1] = "1", [DEPTH_INFINITY] = "infinity"};

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (parse_word(parse, words[i])) {
            *depth = (enum metadata_depth)i;
            return true;
        }
    }
    return parse_fail(parse, parse->at, "Expected 0, 1 or infinity");
}

static bool take_option(struct parse *parse, struct metadata_request *request)
{
    if (parse_word(parse, "MAXSIZE"))
        return parse_space(parse) && parse_number(parse, &request->max_size);
    if (parse_word(parse, "DEPTH"))
        return parse_space(parse) && take_depth(parse, &request->depth);
    return parse_fail(parse, parse->at, "Unknown METADATA option");
}

/* An entry begins with "/", a quote or a brace, an option with a letter. */
static bool are_options(const struct parse *parse)
{
    struct str rest = parse_rest(parse);

    return rest.length > 1 && rest.data[0] == '(' && isalpha((unsigned char)rest.data[1]);
}

bool metadata_take_options(struct parse *parse, struct metadata_request *request)
{
    if (!are_options(parse))
        return true;
    parse_char(parse, '(');
    do {
        if (!take_option(parse, request))
            return false;
    } while (parse_skip(parse, ' '));
    return parse_char(parse, ')') && parse_space(parse);
}

static bool take_one(struct parse *parse, struct metadata_request *request)
{
    struct metadata_asked *asked = &request->asked[request->count];

    if (request->count == METADATA_ASKED_MAX)
        return parse_fail(parse, parse->at, "Too many entries are asked for");
    if (!metadata_take_entry(parse, false, &asked->shown, &asked->entry))
        return false;
    request->count++;
    return true;
}

bool metadata_take_entries(struct parse *parse, struct metadata_request *request)
{
    request->asked = arena_array(parse->arena, METADATA_ASKED_MAX, sizeof(*request->asked));
    if (!parse_skip(parse, '('))
        return take_one(parse, request);
    do {
        if (!take_one(parse, request))
            return false;
    } while (parse_skip(parse, ' '));
    return parse_char(parse, ')');
}
