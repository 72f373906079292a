#include <string.h>

#include "mailbox-backend/mime/summary.h"

/* More than the parser's limits let through. */
#define DEPTH_MAX 200

static void skip(struct str *text, size_t count)
{
    text->data += count;
    text->length -= count;
}

static bool next_is(struct str text, char c)
{
    return text.length > 0 && text.data[0] == c;
}

static bool skip_quoted(struct str *rest)
{
    size_t n = 1;

    while (n < rest->length && rest->data[n] != '"')
        n += rest->data[n] == '\\' ? 2 : 1;
    if (n >= rest->length)
        return false;
    skip(rest, n + 1);
    return true;
}

static bool skip_literal(struct str *rest)
{
    const char *brace = memchr(rest->data, '}', rest->length);
    uint64_t length;
    size_t head;

    if (brace == NULL ||
        !str_number(str_n(rest->data + 1, (size_t)(brace - rest->data) - 1), SIZE_MAX, &length))
        return false;
    head = (size_t)(brace - rest->data) + 3; /* with CRLF */
    if (head > rest->length || length > rest->length - head)
        return false;
    skip(rest, head + (size_t)length);
    return true;
}

/* A string, or a run of atoms, spaces and parentheses that ends where depth comes back to 0. */
static bool skip_value(struct str *rest)
{
    unsigned depth = 0;

    while (rest->length > 0) {
        char c = rest->data[0];

        if (depth == 0 && (c == ' ' || c == ')'))
            return true;
        if (c == '"' || c == '{') {
            if (!(c == '"' ? skip_quoted(rest) : skip_literal(rest)))
                return false;
        } else {
            depth += c == '(';
            depth -= c == ')';
            skip(rest, 1);
        }
    }
    return false;
}

static bool take_value(struct str *rest, struct buf *out, struct str *value)
{
    *value = *rest;
    if (!skip_value(rest) || rest->length == value->length)
        return false;
    value->length -= rest->length;
    buf_append(out, value->data, value->length);
    return true;
}

static bool copy_values(struct str *rest, struct buf *out, unsigned count)
{
    struct str value;

    while (count-- > 0) {
        if (!next_is(*rest, ' '))
            return false;
        skip(rest, 1);
        buf_byte(out, ' ');
        if (!take_value(rest, out, &value))
            return false;
    }
    return true;
}

/* Leaves out what follows and copies the end of the list. */
static bool end_body(struct str *rest, struct buf *out)
{
    while (next_is(*rest, ' ')) {
        skip(rest, 1);
        if (!skip_value(rest))
            return false;
    }
    if (!next_is(*rest, ')'))
        return false;
    skip(rest, 1);
    buf_byte(out, ')');
    return true;
}

static bool copy_body(struct str *rest, struct buf *out, unsigned depth);

static bool copy_multipart(struct str *rest, struct buf *out, unsigned depth)
{
    while (next_is(*rest, '(')) {
        if (!copy_body(rest, out, depth + 1))
            return false;
    }
    return copy_values(rest, out, 1);
}

static bool copy_single(struct str *rest, struct buf *out, unsigned depth)
{
    struct str type;
    struct str subtype = {NULL, 0};

    if (!take_value(rest, out, &type) || !next_is(*rest, ' '))
        return false;
    subtype = *rest;
    if (!copy_values(rest, out, 1))
        return false;
    subtype.length -= rest->length;
    if (!copy_values(rest, out, 5)) /* parameters, id, description, encoding, size */
        return false;
    if (str_is_nocase(type, "\"text\""))
        return copy_values(rest, out, 1);
    if (!str_is_nocase(type, "\"message\"") || !str_is_nocase(subtype, " \"rfc822\""))
        return true;
    if (!copy_values(rest, out, 1) || !next_is(*rest, ' '))
        return false;
    skip(rest, 1);
    buf_byte(out, ' ');
    return copy_body(rest, out, depth + 1) && copy_values(rest, out, 1);
}

static bool copy_body(struct str *rest, struct buf *out, unsigned depth)
{
    bool good;

    if (depth > DEPTH_MAX || !next_is(*rest, '('))
        return false;
    skip(rest, 1);
    buf_byte(out, '(');
    if (next_is(*rest, '('))
        good = copy_multipart(rest, out, depth);
    else
        good = copy_single(rest, out, depth);
    return good && end_body(rest, out);
}

enum err_code mime_summary_body(const struct mime_summary *summary, struct buf *out,
                                struct err *err)
{
    struct str rest = summary->bodystructure;

    if (!copy_body(&rest, out, 0) || rest.length > 0)
        return err_set(err, ERR_CORRUPT, "the summary's structure is damaged");
    return ERR_NONE;
}
