#include "mailbox-backend/directory/punycode.h"

#include <string.h>

/* RFC 3492 section 5. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72 };

static uint32_t digit_of(uint32_t c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '0' && c <= '9' ? c - '0' + 26 : BASE;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* Reads one generalised variable-length integer (section 3.3) and adds it to *value. */
static bool read_number(const uint32_t **at, const uint32_t *end, uint32_t bias, uint32_t *value)
{
    uint32_t weight = 1;

    for (uint32_t k = BASE;; k += BASE) {
        uint32_t threshold = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        uint32_t digit, part;

        if (*at == end || (digit = digit_of(*(*at)++)) == BASE ||
            __builtin_mul_overflow(digit, weight, &part) ||
            __builtin_add_overflow(*value, part, value))
            return false;
        if (digit < threshold)
            return true;
        if (__builtin_mul_overflow(weight, BASE - threshold, &weight))
            return false;
    }
}

/* The ASCII characters stand in front, up to the last "-". */
static bool copy_basic(const uint32_t **at, const uint32_t *end, uint32_t *points, size_t room,
                       size_t *count)
{
    const uint32_t *dash = end;

    *count = 0;
    while (dash > *at && dash[-1] != '-')
        dash--;
    if (dash == *at)
        return true;
    for (; *at < dash - 1; (*at)++) {
        if (**at > 0x7F || *count == room)
            return false;
        points[(*count)++] = **at;
    }
    *at = dash;
    return true;
}

bool punycode_decode(const uint32_t *text, size_t length, uint32_t *points, size_t room,
                     size_t *count)
{
    const uint32_t *at = text, *end = text + length;
    uint32_t n = 0x80, i = 0, bias = INITIAL_BIAS;

    if (!copy_basic(&at, end, points, room, count))
        return false;
    while (at < end) {
        uint32_t before = i, places = (uint32_t)*count + 1;

        if (*count == room || !read_number(&at, end, bias, &i))
            return false;
        bias = adapt(i - before, places, before == 0);
        n += i / places;
        i %= places;
        if (n > 0x10FFFF || (n >= 0xD800 && n <= 0xDFFF))
            return false;
        memmove(points + i + 1, points + i, (*count - i) * sizeof(*points));
        points[i++] = n;
        (*count)++;
    }
    return true;
}
