/* Numbers, sequence sets and dates. */
#include "mailbox-backend/imap4/parse.h"

bool parse_number(struct parse *parse, uint32_t *number)
{
    const char *start = parse->at;
    uint64_t value;

    while (!parse_at_end(parse) && *parse->at >= '0' && *parse->at <= '9')
        parse->at++;
    if (!str_number(str_n(start, (size_t)(parse->at - start)), UINT32_MAX, &value))
        return parse_fail(parse, start, "Expected a number below 4294967296");
    *number = (uint32_t)value;
    return true;
}

bool parse_nz_number(struct parse *parse, uint32_t *number)
{
    const char *start = parse->at;

    if (parse_peek(parse, '0') || !parse_number(parse, number))
        return parse_fail(parse, start, "Expected a number from 1 to 4294967295");
    return true;
}

bool parse_number64(struct parse *parse, uint64_t *number)
{
    const char *start = parse->at;

    while (!parse_at_end(parse) && *parse->at >= '0' && *parse->at <= '9')
        parse->at++;
    return str_number(str_n(start, (size_t)(parse->at - start)), INT64_MAX, number) ||
           parse_fail(parse, start, "Expected a number below 9223372036854775808");
}

bool parse_nz_number64(struct parse *parse, uint64_t *number)
{
    const char *start = parse->at;

    if (parse_peek(parse, '0') || !parse_number64(parse, number))
        return parse_fail(parse, start, "Expected a number from 1 to 9223372036854775807");
    return true;
}

bool parse_modseq(struct parse *parse, uint64_t *modseq)
{
    return parse_number64(parse, modseq) ||
           parse_fail(parse, parse->at, "Expected a mod-sequence below 9223372036854775808");
}

static bool parse_sequence_number(struct parse *parse, uint32_t *number)
{
    *number = 0;
    return parse_skip(parse, '*') || parse_nz_number(parse, number);
}

static bool parse_sequence_range(struct parse *parse, struct sequence_range *range)
{
    if (!parse_sequence_number(parse, &range->first))
        return false;
    range->last = range->first;
    return !parse_skip(parse, ':') || parse_sequence_number(parse, &range->last);
}

/* The ranges of the set that begins here are at most one more than its commas. */
static size_t most_ranges(const struct parse *parse)
{
    size_t count = 1;

    for (const char *at = parse->at; at != parse->end && *at != ' ' && *at != ')'; at++)
        count += *at == ',';
    return count;
}

bool parse_sequence_set(struct parse *parse, struct sequence_set *set)
{
    const char *start = parse->at;

    set->ranges = arena_array(parse->arena, most_ranges(parse), sizeof(*set->ranges));
    set->count = 0;
    set->saved = parse_skip(parse, '$');
    if (set->saved)
        return true;
    do {
        if (!parse_sequence_range(parse, &set->ranges[set->count++]))
            return parse_fail(parse, start, "Invalid message set");
    } while (parse_skip(parse, ','));
    return true;
}

bool parse_known_set(struct parse *parse, struct sequence_set *set)
{
    const char *start = parse->at;

    if (!parse_sequence_set(parse, set))
        return false;
    if (set->saved)
        return parse_fail(parse, start, "\"$\" is not allowed in this set");
    for (size_t i = 0; i < set->count; i++) {
        if (set->ranges[i].first == 0 || set->ranges[i].last == 0)
            return parse_fail(parse, start, "\"*\" is not allowed in this set");
    }
    return true;
}

bool parse_date(struct parse *parse, int32_t *day)
{
    const char *start = parse->at;
    struct str text;

    if (!parse_astring(parse, &text) || !imap_date_parse(text, day))
        return parse_fail(parse, start, "Expected a date such as 1-Feb-1994");
    return true;
}

bool parse_date_time(struct parse *parse, struct mime_date *date)
{
    const char *start = parse->at;
    struct str text;

    if (!parse_peek(parse, '"') || !parse_string(parse, &text) || !imap_date_time_parse(text, date))
        return parse_fail(parse, start,
                          "Expected a date-time such as \"17-Jul-1996 02:44:25 -0700\"");
    return true;
}
