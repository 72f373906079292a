#include "common/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const void *data, size_t length)
{
    const uint8_t *in = data;
    uint8_t *to = buf_reserve(out, (length / 3 + 1) * 4);
    uint8_t *start = to;

    for (; length > 0; in += 3) {
        size_t have = length < 3 ? length : 3;
        uint32_t bits = (uint32_t)in[0] << 16;

        if (have > 1)
            bits |= (uint32_t)in[1] << 8;
        if (have > 2)
            bits |= in[2];
        *to++ = (uint8_t)alphabet[bits >> 18];
        *to++ = (uint8_t)alphabet[bits >> 12 & 63];
        *to++ = (uint8_t)(have > 1 ? alphabet[bits >> 6 & 63] : '=');
        *to++ = (uint8_t)(have > 2 ? alphabet[bits & 63] : '=');
        length -= have;
    }
    buf_commit(out, (size_t)(to - start));
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four characters, the last padding of which are "=": returns false when they are not
   base64 or a bit that stands for nothing is set. */
static bool decode_four(const char *text, int padding, uint8_t bytes[3])
{
    uint32_t bits = 0;

    for (int i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(text[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    bytes[0] = (uint8_t)(bits >> 16);
    bytes[1] = (uint8_t)(bits >> 8);
    bytes[2] = (uint8_t)bits;
    return (bits & ((1u << (8 * padding)) - 1)) == 0;
}

static int padding_of(struct str text)
{
    if (text.length < 4 || text.data[text.length - 1] != '=')
        return 0;
    return text.data[text.length - 2] == '=' ? 2 : 1;
}

bool base64_decode(struct buf *out, struct str text)
{
    size_t before = buf_length(out);
    int padding = padding_of(text);

    if (text.length % 4 != 0)
        return false;
    for (size_t at = 0; at < text.length; at += 4) {
        bool last = at + 4 == text.length;
        uint8_t bytes[3];

        if (!decode_four(text.data + at, last ? padding : 0, bytes)) {
            buf_truncate(out, before);
            return false;
        }
        buf_append(out, bytes, last ? (size_t)(3 - padding) : 3);
    }
    return true;
}
