#include "cas-proxy/imap4_parse.h"

#include <string.h>

#include "cas-proxy/line.h"

/* The size that a literal at the end of a line announces. False when the line ends with none. */
static bool announces_literal(struct str line, uint64_t *size, bool *waits)
{
    const char *at = line.data + line.length;
    struct str digits;

    if (line.length < 3 || *--at != '}')
        return false;
    *waits = at[-1] != '+';
    if (!*waits)
        at--;
    digits.data = at;
    while (digits.data > line.data && digits.data[-1] >= '0' && digits.data[-1] <= '9')
        digits.data--;
    digits.length = (size_t)(at - digits.data);
    if (digits.data == line.data || digits.data[-1] != '{' || digits.length == 0)
        return false;
    if (!str_number(digits, UINT32_MAX, size))
        *size = UINT32_MAX;
    return true;
}

/* AUTHENTICATE may carry an initial response, which is a SASL line. */
static size_t limit_of(struct str input)
{
    const char *space = memchr(input.data, ' ', input.length);

    if (space == NULL)
        return IMAP4_COMMAND_MAX;
    input.length -= (size_t)(space + 1 - input.data);
    input.data = space + 1;
    return str_starts_nocase(input, "AUTHENTICATE ") ? IMAP4_SASL_MAX : IMAP4_COMMAND_MAX;
}

/* What the line that ends before end means; scan->seen is set for a whole command. */
static enum imap4_found line_ended(struct imap4_scan *scan, struct str input, size_t end,
                                   size_t limit)
{
    struct str line = {input.data + scan->start, end - scan->start};
    uint64_t size;
    bool waits;

    if (!announces_literal(line_text(line), &size, &waits)) {
        scan->seen = end;
        return IMAP4_WHOLE;
    }
    if (size > limit || end + size > limit) {
        scan->seen = end;
        return waits ? IMAP4_TOO_BIG : IMAP4_TOO_LONG;
    }
    if (waits && !scan->asked) {
        scan->asked = true;
        return IMAP4_CONTINUE;
    }
    if (input.length < end + size)
        return IMAP4_MORE;
    *scan = (struct imap4_scan){.start = end + size, .seen = end + size};
    return IMAP4_MORE;
}

enum imap4_found imap4_scan(struct imap4_scan *scan, struct str input)
{
    size_t limit = input.length == 0 ? IMAP4_COMMAND_MAX : limit_of(input);

    while (scan->seen < input.length) {
        const char *from = input.data + scan->seen;
        const char *newline = memchr(from, '\n', input.length - scan->seen);
        size_t start = scan->start;
        size_t end = newline == NULL ? input.length : (size_t)(newline + 1 - input.data);
        enum imap4_found found;

        if (end > limit)
            return IMAP4_TOO_LONG;
        if (newline == NULL) {
            scan->seen = end;
            return IMAP4_MORE;
        }
        scan->seen = end - 1;
        found = line_ended(scan, input, end, limit);
        if (found != IMAP4_MORE || scan->start == start)
            return found;
    }
    return IMAP4_MORE;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* ATOM-CHAR, with 8-bit bytes let through: they are refused where names are looked up. */
static bool is_atom_char(char c)
{
    return !is_control(c) && strchr("(){ %*\"\\]", c) == NULL;
}

static bool is_tag_char(char c)
{
    return (is_atom_char(c) || c == ']') && c != '+' && (unsigned char)c < 0x80;
}

/* ASTRING-CHAR, and "\": many clients send DOMAIN\user without quotes. */
static bool is_astring_char(char c)
{
    return is_atom_char(c) || c == ']' || c == '\\';
}

static struct str run_of(struct str *text, bool (*is)(char c))
{
    struct str run = {text->data, 0};

    while (run.length < text->length && is(text->data[run.length]))
        run.length++;
    text->data += run.length;
    text->length -= run.length;
    return run;
}

bool imap4_space(struct str *arguments)
{
    if (arguments->length == 0 || *arguments->data != ' ')
        return false;
    arguments->data++;
    arguments->length--;
    return true;
}

bool imap4_atom(struct str *arguments, struct str *atom)
{
    *atom = run_of(arguments, is_atom_char);
    return atom->length > 0;
}

bool imap4_command(struct imap4_command *command, struct str line)
{
    struct str rest = line_text(line);

    *command = (struct imap4_command){.tag = run_of(&rest, is_tag_char)};
    if (command->tag.length == 0 || (rest.length > 0 && *rest.data != ' ')) {
        command->tag.length = 0;
        return false;
    }
    if (imap4_space(&rest))
        imap4_atom(&rest, &command->name);
    command->arguments = rest;
    return true;
}

static bool take_quoted(struct str *arguments, struct buf *out)
{
    const char *at = arguments->data + 1, *end = arguments->data + arguments->length;

    buf_reserve(out, arguments->length);
    for (; at < end && *at != '"'; at++) {
        if (*at == '\\' && (++at == end || (*at != '"' && *at != '\\')))
            return false;
        if (*at == '\0' || *at == '\r' || *at == '\n')
            return false;
        buf_byte(out, (uint8_t)*at);
    }
    if (at >= end)
        return false;
    *arguments = (struct str){at + 1, (size_t)(end - at - 1)};
    return true;
}

static bool take_literal(struct str *arguments, struct buf *out)
{
    const char *newline = memchr(arguments->data, '\n', arguments->length);
    struct str line;
    uint64_t size;
    bool waits;

    if (newline == NULL)
        return false;
    line = (struct str){arguments->data, (size_t)(newline + 1 - arguments->data)};
    arguments->data += line.length;
    arguments->length -= line.length;
    line = line_text(line);
    if (memchr(line.data, '}', line.length) != line.data + line.length - 1 ||
        !announces_literal(line, &size, &waits) || size > arguments->length ||
        memchr(arguments->data, '\0', size) != NULL)
        return false;
    buf_append(out, arguments->data, size);
    arguments->data += size;
    arguments->length -= size;
    return true;
}

static bool take_string(struct str *arguments, struct buf *out)
{
    if (arguments->length == 0)
        return false;
    if (*arguments->data == '"')
        return take_quoted(arguments, out);
    return *arguments->data == '{' && take_literal(arguments, out);
}

bool imap4_astring(struct str *arguments, struct buf *out)
{
    struct str plain = run_of(arguments, is_astring_char);

    if (plain.length == 0)
        return take_string(arguments, out);
    buf_append(out, plain.data, plain.length);
    return true;
}

static bool take_nil(struct str *arguments)
{
    if (!str_starts_nocase(*arguments, "NIL"))
        return false;
    arguments->data += 3;
    arguments->length -= 3;
    return true;
}

static bool take_pair(struct str *arguments, struct buf *out)
{
    if (!take_string(arguments, out) || !imap4_space(arguments))
        return false;
    buf_byte(out, '\0');
    if (!take_nil(arguments) && !take_string(arguments, out))
        return false;
    buf_byte(out, '\0');
    return true;
}

bool imap4_id_list(struct str *arguments, struct buf *out, size_t *count)
{
    *count = 0;
    if (take_nil(arguments))
        return true;
    if (arguments->length < 2 || *arguments->data != '(')
        return false;
    arguments->data++;
    arguments->length--;
    while (*arguments->data != ')') {
        if (*count == IMAP4_ID_PAIRS || (*count > 0 && !imap4_space(arguments)) ||
            !take_pair(arguments, out) || arguments->length == 0)
            return false;
        ++*count;
    }
    arguments->data++;
    arguments->length--;
    return true;
}
