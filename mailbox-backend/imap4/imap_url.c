#include "mailbox-backend/imap4/imap_url.h"

#include <string.h>

/* The greatest number of IMAP, for what FETCH calls <origin.length>. */
#define NUMBER64_MAX ((uint64_t)INT64_MAX)

/* ---- characters ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* bchar of RFC 5092 section 11, and ";", which divides them. */
static bool is_url_char(char c)
{
    return (c >= '0' && c <= '9') || (str_lower(c) >= 'a' && str_lower(c) <= 'z') ||
           (c != '\0' && strchr("-._~!$'()*+,&=:@/;", c) != NULL);
}

static enum err_code check_characters(struct str text, struct err *err)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '%') {
            if (text.length - i < 3 || hex_digit(text.data[i + 1]) < 0 ||
                hex_digit(text.data[i + 2]) < 0)
                return err_set(err, ERR_INVALID, "In a URL \"%%\" begins two hexadecimal digits");
        } else if (!is_url_char(text.data[i])) {
            return err_set(err, ERR_INVALID, "A URL holds a character that is to be encoded");
        }
    }
    return ERR_NONE;
}

/* Undoes percent-encoding, of which the digits were checked. */
static struct str decode(struct arena *arena, struct str text)
{
    char *decoded = arena_alloc(arena, text.length + 1);
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c == '%') {
            c = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        }
        decoded[length++] = c;
    }
    return str_n(decoded, length);
}

/* ---- the path ---- */

static struct str cut(struct str text, size_t from)
{
    return str_n(text.data + from, text.length - from);
}

static bool take(struct str *rest, const char *word)
{
    if (!str_starts_nocase(*rest, word))
        return false;
    *rest = cut(*rest, strlen(word));
    return true;
}

/* Bytes of text before the first c, or all. */
static size_t before(struct str text, char c)
{
    const char *end = text.length == 0 ? NULL : memchr(text.data, c, text.length);

    return end == NULL ? text.length : (size_t)(end - text.data);
}

/* Takes a number, which ends where no more digits come. */
static bool take_number(struct str *rest, uint64_t least, uint64_t most, uint64_t *number)
{
    size_t digits = 0;

    while (digits < rest->length && rest->data[digits] >= '0' && rest->data[digits] <= '9')
        digits++;
    if (!str_number(str_n(rest->data, digits), most, number) || *number < least)
        return false;
    *rest = cut(*rest, digits);
    return true;
}

/* "." and ".." go away as RFC 3986 section 5.2.4 says; path begins with "/". */
static struct str remove_dots(struct arena *arena, struct str path)
{
    char *made = arena_alloc(arena, path.length + 1);
    size_t length = 0;

    while (path.length > 0) {
        size_t end = 1 + before(cut(path, 1), '/');
        struct str segment = str_n(path.data + 1, end - 1);
        bool up = str_is(segment, "..");

        path = cut(path, end);
        if (up) {
            while (length > 0 && made[--length] != '/')
                ;
        }
        if (up || str_is(segment, ".")) {
            if (path.length == 0)
                made[length++] = '/';
            continue;
        }
        memcpy(made + length, segment.data - 1, end);
        length += end;
    }
    return str_n(made, length);
}

/* Behind the first "/": the mailbox with its UIDVALIDITY, and the "/" before the uid. */
static enum err_code take_mailbox(struct arena *arena, struct str *rest, struct imap_url *url,
                                  struct err *err)
{
    size_t length = before(*rest, ';');
    struct str name = str_n(rest->data, length);
    uint64_t number = 0;

    *rest = cut(*rest, length);
    if (take(rest, ";UIDVALIDITY=")) {
        if (!take_number(rest, 1, UINT32_MAX, &number) || !take(rest, "/"))
            return err_set(err, ERR_INVALID, "A URL's UIDVALIDITY is a number, and a uid follows");
    } else if (name.length > 0 && name.data[name.length - 1] == '/') {
        name.length--;
    } else {
        return err_set(err, ERR_INVALID, "A URL has to name a message by its uid");
    }
    if (name.length == 0)
        return err_set(err, ERR_INVALID, "A URL that begins with \"/\" names a mailbox");
    url->uid_validity = (uint32_t)number;
    url->mailbox = decode(arena, name);
    return ERR_NONE;
}

static enum err_code take_section(struct arena *arena, struct str *rest, struct imap_url *url,
                                  struct err *err)
{
    size_t length = before(*rest, ';');
    struct str name;
    char *text;
    size_t used;

    if (length < rest->length && length > 0) /* the "/" of what follows */
        length--;
    name = decode(arena, str_n(rest->data, length));
    *rest = cut(*rest, length);
    text = arena_alloc(arena, name.length + 1);
    memcpy(text, name.data, name.length);
    text[name.length] = ']';
    if (name.length == 0 || mime_section_parse(arena, str_n(text, name.length + 1), &used,
                                               &url->section, err) != ERR_NONE)
        return err_set(err, ERR_INVALID, "A URL's section is not one of FETCH");
    if (used != name.length + 1)
        return err_set(err, ERR_INVALID, "A URL's section has something behind it");
    return ERR_NONE;
}

static enum err_code take_partial(struct str *rest, struct imap_url *url, struct err *err)
{
    url->partial = true;
    url->length = NUMBER64_MAX;
    if (!take_number(rest, 0, NUMBER64_MAX, &url->origin) ||
        (take(rest, ".") && !take_number(rest, 1, NUMBER64_MAX, &url->length)))
        return err_set(err, ERR_INVALID, "A URL's PARTIAL is an offset, or that and a length");
    return ERR_NONE;
}

static enum err_code take_message(struct arena *arena, struct str rest, struct imap_url *url,
                                  struct err *err)
{
    uint64_t number;

    if (!take(&rest, ";UID=") || !take_number(&rest, 1, UINT32_MAX, &number))
        return err_set(err, ERR_INVALID, "A URL has to name a message by its uid");
    url->uid = (uint32_t)number;
    if (take(&rest, "/;SECTION=") && take_section(arena, &rest, url, err) != ERR_NONE)
        return err->code;
    if (take(&rest, "/;PARTIAL=") && take_partial(&rest, url, err) != ERR_NONE)
        return err->code;
    if (rest.length > 0)
        return err_set(err, ERR_INVALID, "A URL has something behind its end");
    return ERR_NONE;
}

enum err_code imap_url_parse(struct arena *arena, struct str text, struct imap_url *url,
                             struct err *err)
{
    struct str rest = text;

    *url = (struct imap_url){0};
    if (check_characters(text, err) != ERR_NONE)
        return err->code;
    if (str_starts_nocase(text, ";UID="))
        return take_message(arena, text, url, err);
    if (!str_starts_nocase(text, "/") || str_starts_nocase(text, "//"))
        return err_set(err, ERR_INVALID, "A URL has to be relative, and begin with \"/\"");
    rest = remove_dots(arena, text);
    rest = cut(rest, 1);
    if (take_mailbox(arena, &rest, url, err) != ERR_NONE)
        return err->code;
    return take_message(arena, rest, url, err);
}

void imap_url_write_safe(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.length; i++) {
        uint8_t c = (uint8_t)text.data[i];

        if (c <= ' ' || c > '~' || c == ']' || c == '\\')
            buf_printf(out, "%%%02X", c);
        else
            buf_byte(out, c);
    }
}
