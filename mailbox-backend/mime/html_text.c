#include "mailbox-backend/mime/html_text.h"

#include <unistr.h>

enum state {
    TEXT,
    ENTITY,    /* behind "&" */
    OPENED,    /* behind "<" */
    NAME,      /* in a tag's name */
    INSIDE,    /* behind it */
    VALUE,     /* in an attribute's value, to its quote */
    BANG,      /* behind "<!" */
    BANG_DASH, /* behind "<!-" */
    COMMENT,
};

static bool is_letter(char c)
{
    return str_lower(c) >= 'a' && str_lower(c) <= 'z';
}

static bool is_named(const struct html_text *html, const char *name)
{
    return str_equal(str_n(html->name, html->length), str_of(name));
}

static bool is_one_of(const struct html_text *html, const char *const *names, size_t count,
                      const char **which)
{
    for (size_t i = 0; i < count; i++) {
        if (is_named(html, names[i])) {
            *which = names[i];
            return true;
        }
    }
    return false;
}

static void put(const struct html_text *html, char c, struct buf *out)
{
    if (html->inert == NULL)
        buf_byte(out, (uint8_t)c);
}

/* Words of different cells and lines stay apart; those of inline elements do not. */
static void end_name(struct html_text *html, struct buf *out)
{
    static const char *const inert[] = {"style", "script", "title"};
    static const char *const within_words[] = {
        "a",   "abbr",   "b",   "big", "code", "em", "font", "i", "ins",  "small",
        "del", "strong", "sub", "sup", "tt",   "u",  "wbr",  "s", "span", "o:p"};
    const char *which;

    if (html->inert != NULL) {
        if (html->closes && is_named(html, html->inert))
            html->inert = NULL;
        return;
    }
    if (!is_one_of(html, within_words, sizeof(within_words) / sizeof(within_words[0]), &which))
        put(html, ' ', out);
    if (!html->closes && is_one_of(html, inert, sizeof(inert) / sizeof(inert[0]), &which))
        html->inert = which;
}

/* A name that is longer than the longest known is none of them. */
static void add_to_name(struct html_text *html, char c)
{
    if (html->length < sizeof(html->name))
        html->name[html->length++] = c;
}

/* What was no entity stands for itself. */
static void end_entity(struct html_text *html, bool closed, struct buf *out)
{
    uint32_t character = html_entity(str_n(html->name, html->length));
    uint8_t bytes[4];

    html->state = TEXT;
    if (html->inert != NULL)
        return;
    if (character != 0) {
        buf_append(out, bytes, (size_t)u8_uctomb(bytes, character, sizeof(bytes)));
        return;
    }
    buf_byte(out, '&');
    buf_append(out, html->name, html->length);
    if (closed)
        buf_byte(out, ';');
}

static void read_text(struct html_text *html, char c, struct buf *out)
{
    html->length = 0;
    if (c == '<')
        html->state = OPENED;
    else if (c == '&')
        html->state = ENTITY;
    else
        put(html, c, out);
}

static void read_entity(struct html_text *html, char c, struct buf *out)
{
    bool inside = is_letter(c) || (c >= '0' && c <= '9') || (c == '#' && html->length == 0);

    if (inside && html->length < sizeof(html->name)) {
        add_to_name(html, c);
        return;
    }
    end_entity(html, c == ';', out);
    if (c != ';')
        read_text(html, c, out);
}

/* Only a letter, "/", "!" or "?" makes a tag of "<", and inside a script only "/". */
static void read_opened(struct html_text *html, char c, struct buf *out)
{
    html->closes = c == '/';
    if (html->inert != NULL && c != '/') {
        html->state = TEXT;
        read_text(html, c, out);
    } else if (c == '!') {
        html->state = BANG;
    } else if (is_letter(c) || c == '/' || c == '?') {
        html->state = NAME;
        if (c != '/')
            add_to_name(html, str_lower(c));
    } else {
        html->state = TEXT;
        put(html, '<', out);
        read_text(html, c, out);
    }
}

static void read_inside(struct html_text *html, char c)
{
    if (c == '>') {
        html->state = TEXT;
    } else if (html->equals && (c == '"' || c == '\'')) {
        html->quote = c;
        html->state = VALUE;
    }
    html->equals = c == '=' || (html->equals && (c == ' ' || c == '\t' || c == '\n'));
}

static void read_name(struct html_text *html, char c, struct buf *out)
{
    if (is_letter(c) || (c >= '0' && c <= '9') || c == ':' || c == '-') {
        add_to_name(html, str_lower(c));
        return;
    }
    end_name(html, out);
    html->state = INSIDE;
    html->equals = false;
    read_inside(html, c);
}

static void read_comment(struct html_text *html, char c)
{
    if (c == '>' && html->dashes >= 2)
        html->state = TEXT;
    html->dashes = c == '-' ? html->dashes + 1 : 0;
}

static void begin_comment(struct html_text *html)
{
    html->state = COMMENT;
    html->dashes = 0;
}

static void read_byte(struct html_text *html, char c, struct buf *out)
{
    switch ((enum state)html->state) {
    case TEXT:
        read_text(html, c, out);
        break;
    case ENTITY:
        read_entity(html, c, out);
        break;
    case OPENED:
        read_opened(html, c, out);
        break;
    case NAME:
        read_name(html, c, out);
        break;
    case INSIDE:
        read_inside(html, c);
        break;
    case VALUE:
        if (c == html->quote)
            html->state = INSIDE;
        break;
    case BANG:
        html->state = c == '-' ? BANG_DASH : c == '>' ? TEXT : INSIDE;
        break;
    case BANG_DASH:
        if (c == '-')
            begin_comment(html);
        else
            html->state = c == '>' ? TEXT : INSIDE;
        break;
    case COMMENT:
        read_comment(html, c);
        break;
    }
}

void html_text_feed(struct html_text *html, const void *data, size_t length, struct buf *out)
{
    const char *bytes = data;

    for (size_t i = 0; i < length; i++)
        read_byte(html, bytes[i], out);
}
