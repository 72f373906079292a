#include "common/str.h"

#include <string.h>

struct str str_of(const char *text)
{
    return (struct str){text, text == NULL ? 0 : strlen(text)};
}

struct str str_n(const void *data, size_t length)
{
    return (struct str){data, length};
}

char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

char str_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

bool str_equal(struct str a, struct str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static bool same_nocase(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (str_lower(a[i]) != str_lower(b[i]))
            return false;
    }
    return true;
}

bool str_equal_nocase(struct str a, struct str b)
{
    return a.length == b.length && same_nocase(a.data, b.data, a.length);
}

bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}

bool str_is_nocase(struct str a, const char *text)
{
    return str_equal_nocase(a, str_of(text));
}

bool str_starts_nocase(struct str a, const char *prefix)
{
    size_t length = strlen(prefix);

    return a.length >= length && same_nocase(a.data, prefix, length);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str a)
{
    while (a.length > 0 && is_blank(a.data[0])) {
        a.data++;
        a.length--;
    }
    while (a.length > 0 && is_blank(a.data[a.length - 1]))
        a.length--;
    return a;
}

bool str_number(struct str a, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;

    if (a.length == 0)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        unsigned digit = (unsigned)(unsigned char)a.data[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
    }
    if (number > max)
        return false;
    *value = number;
    return true;
}

uint64_t str_hash(struct str a)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < a.length; i++)
        hash = (hash ^ (uint8_t)a.data[i]) * 0x100000001b3u;
    return hash;
}
