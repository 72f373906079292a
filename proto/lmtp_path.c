#include "proto/lmtp_path.h"

#include <string.h>
#include <unistr.h>

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* atext of RFC 5322 section 3.2.3, the dot between atoms, and what UTF-8 is made of. */
static bool is_local(unsigned char c)
{
    return is_alnum(c) || c >= 0x80 || (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* The underscore is no letter of a host name, but hosts have it. */
static bool is_domain(unsigned char c)
{
    return is_alnum(c) || c >= 0x80 || c == '-' || c == '_' || c == '.';
}

/* dcontent of an address literal; IPv6 has colons. */
static bool is_literal(unsigned char c)
{
    return c > 0x20 && c < 0x7F && c != '[' && c != ']' && c != '\\' && c != '<' && c != '>';
}

static size_t span(struct str text, bool (*belongs)(unsigned char))
{
    size_t length = 0;

    while (length < text.length && belongs((unsigned char)text.data[length]))
        length++;
    return length;
}

static void skip(struct str *text, size_t length)
{
    text->data += length;
    text->length -= length;
}

static bool take(struct str *text, char byte)
{
    if (text->length == 0 || text->data[0] != byte)
        return false;
    skip(text, 1);
    return true;
}

/* The length of a quoted string at the start of text, quotes included; 0 when it is none. */
static size_t quoted_length(struct str text)
{
    for (size_t i = 1; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"')
            return i + 1;
        if (c == '\\')
            i++;
        if (i == text.length || (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F)
            return 0;
    }
    return 0;
}

/* What a quoted local part stands for, if the quotes are not needed: RFC 5321 section 4.1.2 has
   "alice"@x and alice@x be the same. */
static struct str local_simplify(struct str quoted)
{
    struct str inside = str_n(quoted.data + 1, quoted.length - 2);

    if (inside.length > 0 && span(inside, is_local) == inside.length && inside.data[0] != '.' &&
        inside.data[inside.length - 1] != '.')
        return inside;
    return quoted;
}

static bool take_local(struct str *text, struct str *local)
{
    size_t length;

    if (text->length > 0 && text->data[0] == '"') {
        length = quoted_length(*text);
        *local = length == 0 ? *text : local_simplify(str_n(text->data, length));
    } else {
        length = span(*text, is_local);
        *local = str_n(text->data, length);
    }
    skip(text, length);
    return length > 0;
}

static size_t domain_length(struct str text)
{
    size_t length;

    if (text.length == 0)
        return 0;
    if (text.data[0] == '[') {
        length = 1 + span(str_n(text.data + 1, text.length - 1), is_literal);
        return length > 1 && length < text.length && text.data[length] == ']' ? length + 1 : 0;
    }
    if (text.data[0] == '.' || text.data[0] == '-')
        return 0;
    return span(text, is_domain);
}

bool lmtp_domain(struct str text)
{
    return text.length > 0 && text.length <= LMTP_NAME_MAX && domain_length(text) == text.length;
}

/* RFC 5321 appendix C: "@a,@b:" in front of the address is taken and ignored. */
static bool skip_route(struct str *text)
{
    if (text->length == 0 || text->data[0] != '@')
        return true;
    do {
        size_t length;

        if (!take(text, '@') || (length = domain_length(*text)) == 0)
            return false;
        skip(text, length);
    } while (take(text, ','));
    return take(text, ':');
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

static bool store_address(struct str local, struct str domain, char *address, bool *ascii)
{
    size_t length = local.length + (domain.length > 0 ? 1 + domain.length : 0);

    if (length > LMTP_ADDRESS_MAX)
        return false;
    memcpy(address, local.data, local.length);
    if (domain.length > 0) {
        address[local.length] = '@';
        memcpy(address + local.length + 1, domain.data, domain.length);
    }
    address[length] = '\0';
    *ascii = is_ascii(str_n(address, length));
    return u8_check((const uint8_t *)address, length) == NULL;
}

bool lmtp_path(struct str *text, char address[LMTP_ADDRESS_MAX + 1], bool *ascii)
{
    struct str local;
    struct str domain = {NULL, 0};

    address[0] = '\0';
    *ascii = true;
    if (!take(text, '<'))
        return false;
    if (take(text, '>'))
        return true;
    if (!skip_route(text) || !take_local(text, &local))
        return false;
    if (take(text, '@')) {
        domain = str_n(text->data, domain_length(*text));
        if (domain.length == 0 || domain.length > LMTP_NAME_MAX)
            return false;
        skip(text, domain.length);
    }
    return take(text, '>') && store_address(local, domain, address, ascii);
}
