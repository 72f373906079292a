#include "mailbox-backend/mime/scan.h"

#include <string.h>

static void advance(struct str *text, size_t count)
{
    text->data += count;
    text->length -= count;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves behind the byte that ends a bracketed run (open may nest if nests) and gives the inside. */
static struct str take_enclosed(struct str *text, char open, char close, bool nests)
{
    struct str inside = str_n(text->data + 1, 0);
    size_t depth = 1;
    size_t i;

    for (i = 1; i < text->length; i++) {
        char c = text->data[i];

        if (c == '\\' && i + 1 < text->length)
            i++;
        else if (c == close && --depth == 0)
            break;
        else if (nests && c == open)
            depth++;
    }
    inside.length = i - 1;
    advance(text, i < text->length ? i + 1 : i);
    return inside;
}

void scan_cfws(struct str *text, struct str *comment)
{
    while (text->length > 0) {
        if (is_space(text->data[0])) {
            advance(text, 1);
        } else if (text->data[0] == '(') {
            struct str inside = take_enclosed(text, '(', ')', true);

            if (comment != NULL)
                *comment = inside;
        } else {
            return;
        }
    }
}

bool scan_byte(struct str *text, char byte)
{
    if (text->length == 0 || text->data[0] != byte)
        return false;
    advance(text, 1);
    return true;
}

/* Takes the bytes before the first control, space or one of the specials. */
static bool take_word(struct str *text, const char *specials, struct str *word)
{
    size_t n = 0;

    while (n < text->length) {
        unsigned char c = (unsigned char)text->data[n];

        if (c <= ' ' || c == 0x7f || strchr(specials, c) != NULL)
            break;
        n++;
    }
    *word = str_n(text->data, n);
    if (n == 0)
        return false;
    advance(text, n);
    return true;
}

bool scan_token(struct str *text, struct str *token)
{
    return take_word(text, "()<>@,;:\\\"/[]?=", token);
}

bool scan_atom(struct str *text, struct str *atom)
{
    return take_word(text, "()<>[]:;@\\,.\"", atom);
}

bool scan_quoted(struct str *text, struct str *inside)
{
    if (text->length == 0 || text->data[0] != '"')
        return false;
    *inside = take_enclosed(text, '"', '"', false);
    return true;
}

bool scan_domain_literal(struct str *text, struct str *inside)
{
    if (text->length == 0 || text->data[0] != '[')
        return false;
    *inside = take_enclosed(text, '[', ']', false);
    return true;
}

size_t scan_unescape(char *to, struct str raw)
{
    size_t length = 0;

    for (size_t i = 0; i < raw.length; i++) {
        char c = raw.data[i];

        if (c == '\\' && i + 1 < raw.length)
            c = raw.data[++i];
        if (c != '\r' && c != '\n')
            to[length++] = c;
    }
    return length;
}
