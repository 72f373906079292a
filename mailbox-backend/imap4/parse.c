#include "mailbox-backend/imap4/parse.h"

#include <string.h>
#include <unistr.h>

void parse_init(struct parse *parse, struct arena *arena, struct str text)
{
    *parse = (struct parse){.at = text.data, .end = text.data + text.length, .arena = arena};
}

bool parse_fail(struct parse *parse, const char *at, const char *fault)
{
    parse->at = at;
    parse->fault = fault;
    return false;
}

static size_t left(const struct parse *parse)
{
    return (size_t)(parse->end - parse->at);
}

bool parse_at_end(const struct parse *parse)
{
    return parse->at == parse->end;
}

bool parse_end(struct parse *parse)
{
    return parse_at_end(parse) || parse_fail(parse, parse->at, "Unexpected extra arguments");
}

bool parse_peek(const struct parse *parse, char c)
{
    return !parse_at_end(parse) && *parse->at == c;
}

bool parse_skip(struct parse *parse, char c)
{
    if (!parse_peek(parse, c))
        return false;
    parse->at++;
    return true;
}

bool parse_char(struct parse *parse, char c)
{
    if (parse_skip(parse, c))
        return true;
    return parse_fail(parse, parse->at,
                      arena_printf(parse->arena, "Expected \"%c\"%s", c,
                                   parse_at_end(parse) ? " at the end" : ""));
}

bool parse_space(struct parse *parse)
{
    if (parse_skip(parse, ' '))
        return true;
    return parse_fail(parse, parse->at,
                      parse_at_end(parse) ? "Missing argument"
                                          : "Expected a space between arguments");
}

struct str parse_rest(const struct parse *parse)
{
    return str_n(parse->at, left(parse));
}

void parse_take(struct parse *parse, size_t length)
{
    parse->at += length;
}

bool parse_word(struct parse *parse, const char *word)
{
    size_t length = strlen(word);
    const char *behind = parse->at + length;

    if (!str_starts_nocase(parse_rest(parse), word))
        return false;
    if (behind != parse->end && memchr(" ()[]<", *behind, 6) == NULL)
        return false;
    parse->at = behind;
    return true;
}

/* ---- atoms ---- */

/* RFC 3501 section 9: ATOM-CHAR excludes these, CTL and, for us, nothing else: 8-bit bytes are not
   atoms either. */
static bool is_atom_char(char c)
{
    return c > ' ' && c < 127 && memchr("(){%*\"\\]", c, 8) == NULL;
}

static bool is_astring_char(char c)
{
    return is_atom_char(c) || c == ']';
}

static bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

static bool is_list_char(char c)
{
    return is_astring_char(c) || c == '%' || c == '*';
}

static bool take_run(struct parse *parse, bool (*is_inside)(char c), struct str *run)
{
    const char *at = parse->at;

    while (at != parse->end && is_inside(*at))
        at++;
    *run = str_n(parse->at, (size_t)(at - parse->at));
    parse->at = at;
    return run->length != 0;
}

bool parse_atom(struct parse *parse, struct str *atom)
{
    return take_run(parse, is_atom_char, atom) || parse_fail(parse, parse->at, "Expected an atom");
}

bool parse_tag(struct parse *parse, struct str *tag)
{
    return take_run(parse, is_tag_char, tag) || parse_fail(parse, parse->at, "Expected a tag");
}

/* ---- strings ---- */

static struct str without_escapes(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.length);
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\\')
            i++;
        copy[length++] = text.data[i];
    }
    return str_n(copy, length);
}

/* Before UTF-8 is enabled 8-bit bytes are let through (RFC 3501 wants literals for them): clients send
   them, and the charset of SEARCH or the decoder of names judges them. */
static bool parse_quoted(struct parse *parse, struct str *string)
{
    const char *start = parse->at;
    const char *at = start + 1;
    bool escapes = false;

    for (; at != parse->end && *at != '"'; at++) {
        if (*at == '\0' || *at == '\r' || *at == '\n')
            return parse_fail(parse, start, "A quoted string cannot hold NUL, CR or LF");
        if (*at != '\\')
            continue;
        at++;
        escapes = true;
        if (at == parse->end || (*at != '"' && *at != '\\'))
            return parse_fail(parse, start, "Only \\\" and \\\\ are escapes in a quoted string");
    }
    if (at == parse->end)
        return parse_fail(parse, start, "Missing '\"' at the end of a quoted string");
    *string = str_n(start + 1, (size_t)(at - start - 1));
    if (parse->utf8 && u8_check((const uint8_t *)string->data, string->length) != NULL)
        return parse_fail(parse, start, "A quoted string must be valid UTF-8");
    if (escapes)
        *string = without_escapes(parse->arena, *string);
    parse->at = at + 1;
    return true;
}

/* Reads "{123}" or "{123+}" at the start of text; *used counts its bytes. */
static bool literal_head(struct str text, struct literal *literal, size_t *used)
{
    const char *close = text.length < 3 || text.data[0] != '{'
                            ? NULL
                            : memchr(text.data, '}', text.length < 24 ? text.length : 24);
    struct str digits;

    if (close == NULL)
        return false;
    digits = str_n(text.data + 1, (size_t)(close - text.data - 1));
    literal->synchronizing = digits.length == 0 || digits.data[digits.length - 1] != '+';
    if (!literal->synchronizing)
        digits.length--;
    *used = (size_t)(close - text.data) + 1;
    return str_number(digits, INT64_MAX, &literal->size);
}

static bool take_literal(struct parse *parse, bool may_have_nul, struct str *string)
{
    const char *start = parse->at;
    struct literal literal;
    size_t used;

    if (!literal_head(parse_rest(parse), &literal, &used))
        return parse_fail(parse, start, "Malformed literal");
    parse->at += used;
    if (!parse_skip(parse, '\r') || !parse_skip(parse, '\n') || literal.size > left(parse))
        return parse_fail(parse, start, "Malformed literal");
    *string = str_n(parse->at, (size_t)literal.size);
    if (!may_have_nul && memchr(string->data, '\0', string->length) != NULL)
        return parse_fail(parse, start, "A literal cannot hold NUL");
    parse->at += string->length;
    return true;
}

bool parse_string(struct parse *parse, struct str *string)
{
    if (parse_peek(parse, '"'))
        return parse_quoted(parse, string);
    if (parse_peek(parse, '{'))
        return take_literal(parse, false, string);
    return parse_fail(parse, parse->at, "Expected a string");
}

bool parse_literal8(struct parse *parse, struct str *octets)
{
    const char *start = parse->at;

    if (parse_skip(parse, '~') && take_literal(parse, true, octets))
        return true;
    return parse_fail(parse, start, "Expected a literal8");
}

bool parse_astring(struct parse *parse, struct str *string)
{
    if (parse_peek(parse, '"') || parse_peek(parse, '{'))
        return parse_string(parse, string);
    return take_run(parse, is_astring_char, string) ||
           parse_fail(parse, parse->at, "Expected a string");
}

bool parse_nstring(struct parse *parse, struct str *string)
{
    if (parse_word(parse, "NIL")) {
        *string = (struct str){NULL, 0};
        return true;
    }
    return parse_string(parse, string);
}

bool parse_list_mailbox(struct parse *parse, struct str *pattern)
{
    if (parse_peek(parse, '"') || parse_peek(parse, '{'))
        return parse_string(parse, pattern);
    return take_run(parse, is_list_char, pattern) ||
           parse_fail(parse, parse->at, "Expected a mailbox name or pattern");
}

bool parse_trailing_literal(struct str text, struct literal *literal)
{
    size_t at = text.length;
    size_t used;

    if (at == 0 || text.data[at - 1] != '}')
        return false;
    while (at > 0 && text.data[at - 1] != '{' && text.length - at < 24)
        at--;
    if (at == 0)
        return false;
    return literal_head(str_n(text.data + at - 1, text.length - at + 1), literal, &used) &&
           used == text.length - at + 1;
}
