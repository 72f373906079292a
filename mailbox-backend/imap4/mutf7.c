#include "mailbox-backend/imap4/mutf7.h"

#include <string.h>
#include <unistr.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool stands_for_itself(uint32_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

/* ---- decoding ---- */

struct decoder {
    struct str name;
    size_t at;
    uint8_t *text;
    size_t length;
    uint32_t bits; /* of base64, not yet a unit of UTF-16 */
    unsigned bit_count;
    uint32_t high; /* surrogate that waits for its other half; or 0 */
};

static bool put(struct decoder *decoder, uint32_t c)
{
    int length;

    if (stands_for_itself(c) || c == 0)
        return false; /* not to be written as base64 */
    length = u8_uctomb(decoder->text + decoder->length, (ucs4_t)c, 4);
    if (length < 0)
        return false;
    decoder->length += (size_t)length;
    return true;
}

static bool put_unit(struct decoder *decoder, uint32_t unit)
{
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
    uint32_t high = decoder->high;

    if (is_low != (high != 0))
        return false;
    decoder->high = 0;
    if (is_low)
        return put(decoder, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
    if (unit >= 0xd800 && unit <= 0xdbff) {
        decoder->high = unit;
        return true;
    }
    return put(decoder, unit);
}

static bool put_digit(struct decoder *decoder, char c)
{
    const char *digit = c == '\0' ? NULL : strchr(digits, c);

    if (digit == NULL)
        return false;
    decoder->bits = decoder->bits << 6 | (uint32_t)(digit - digits);
    decoder->bit_count += 6;
    if (decoder->bit_count < 16)
        return true;
    decoder->bit_count -= 16;
    return put_unit(decoder, decoder->bits >> decoder->bit_count & 0xffff);
}

/* Only fewer bits than a digit has may be left at the end, and they must be 0. */
static bool is_clean_end(const struct decoder *decoder)
{
    return decoder->high == 0 && decoder->bit_count < 6 &&
           (decoder->bits & ((1u << decoder->bit_count) - 1)) == 0;
}

/* What stands between "&" and "-"; at is behind the "&". */
static bool decode_shift(struct decoder *decoder)
{
    size_t start = decoder->at;

    decoder->bits = 0;
    decoder->bit_count = 0;
    while (decoder->at < decoder->name.length && decoder->name.data[decoder->at] != '-') {
        if (!put_digit(decoder, decoder->name.data[decoder->at++]))
            return false;
    }
    if (decoder->at == decoder->name.length || !is_clean_end(decoder))
        return false;
    decoder->at++;
    if (decoder->at - 1 == start) {
        decoder->text[decoder->length++] = '&';
        return true;
    }
    return decoder->at + 1 >= decoder->name.length || decoder->name.data[decoder->at] != '&' ||
           decoder->name.data[decoder->at + 1] == '-';
}

bool mutf7_decode(struct arena *arena, struct str name, struct str *text)
{
    struct decoder decoder = {.name = name, .text = arena_alloc(arena, name.length + 4)};

    while (decoder.at < name.length) {
        char c = name.data[decoder.at++];

        if (c == '&') {
            if (!decode_shift(&decoder))
                return false;
        } else if (stands_for_itself((uint8_t)c)) {
            decoder.text[decoder.length++] = (uint8_t)c;
        } else {
            return false;
        }
    }
    *text = str_n(decoder.text, decoder.length);
    return true;
}

/* ---- encoding ---- */

struct encoder {
    struct buf *out;
    bool shifted;
    uint32_t bits;
    unsigned bit_count;
};

static void write_unit(struct encoder *encoder, uint32_t unit)
{
    encoder->bits = encoder->bits << 16 | unit;
    encoder->bit_count += 16;
    while (encoder->bit_count >= 6) {
        encoder->bit_count -= 6;
        buf_byte(encoder->out, (uint8_t)digits[encoder->bits >> encoder->bit_count & 63]);
    }
}

static void write_base64(struct encoder *encoder, uint32_t c)
{
    if (!encoder->shifted)
        buf_byte(encoder->out, '&');
    encoder->shifted = true;
    if (c >= 0x10000) {
        write_unit(encoder, 0xd800 + ((c - 0x10000) >> 10));
        write_unit(encoder, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        write_unit(encoder, c);
    }
}

static void end_base64(struct encoder *encoder)
{
    if (!encoder->shifted)
        return;
    if (encoder->bit_count > 0)
        buf_byte(encoder->out, (uint8_t)digits[encoder->bits << (6 - encoder->bit_count) & 63]);
    buf_byte(encoder->out, '-');
    encoder->shifted = false;
    encoder->bits = 0;
    encoder->bit_count = 0;
}

void mutf7_encode(struct buf *out, struct str text)
{
    struct encoder encoder = {.out = out};
    const uint8_t *at = (const uint8_t *)text.data;
    size_t left = text.length;

    while (left > 0) {
        ucs4_t c;
        int length = u8_mbtouc(&c, at, left);

        at += length;
        left -= (size_t)length;
        if (!stands_for_itself(c)) {
            write_base64(&encoder, c);
            continue;
        }
        end_base64(&encoder);
        buf_byte(out, (uint8_t)c);
        if (c == '&')
            buf_byte(out, '-');
    }
    end_base64(&encoder);
}
