#include "mailbox-backend/mime/transfer.h"

#include <string.h>

enum transfer_encoding transfer_encoding_of(struct str name)
{
    name = str_trim(name);
    if (name.length == 0 || str_is_nocase(name, "7bit") || str_is_nocase(name, "8bit") ||
        str_is_nocase(name, "binary"))
        return TRANSFER_IDENTITY;
    if (str_is_nocase(name, "base64"))
        return TRANSFER_BASE64;
    if (str_is_nocase(name, "quoted-printable"))
        return TRANSFER_QUOTED_PRINTABLE;
    return TRANSFER_UNKNOWN;
}

void transfer_init(struct transfer_stream *stream, enum transfer_encoding encoding)
{
    *stream = (struct transfer_stream){.encoding = encoding};
}

/* 0 to 63; -1 for what is not in the alphabet. */
static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The whole bytes in a group of two or three characters that nothing follows. */
static uint8_t *end_group(struct transfer_stream *stream, uint8_t *to)
{
    if (stream->count == 1)
        stream->damaged = true;
    if (stream->count == 2)
        *to++ = (uint8_t)(stream->bits >> 4);
    if (stream->count == 3) {
        *to++ = (uint8_t)(stream->bits >> 10);
        *to++ = (uint8_t)(stream->bits >> 2);
    }
    stream->count = 0;
    stream->bits = 0;
    return to;
}

static uint8_t *add_base64(struct transfer_stream *stream, unsigned char c, uint8_t *to)
{
    int value = base64_value(c);

    if (is_space(c) || stream->ended) {
        stream->damaged = stream->damaged || (!is_space(c) && c != '=');
    } else if (c == '=') {
        to = end_group(stream, to);
        stream->ended = true;
    } else if (value < 0) {
        stream->damaged = true;
    } else {
        stream->bits = stream->bits << 6 | (uint32_t)value;
        if (++stream->count == 4) {
            *to++ = (uint8_t)(stream->bits >> 16);
            *to++ = (uint8_t)(stream->bits >> 8);
            *to++ = (uint8_t)stream->bits;
            stream->count = 0;
            stream->bits = 0;
        }
    }
    return to;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes what is held as it stands: it was not what it looked like. */
static uint8_t *release_held(struct transfer_stream *stream, uint8_t *to)
{
    if (stream->count > 0)
        stream->damaged = true;
    memcpy(to, stream->held, stream->count);
    to += stream->count;
    memcpy(to, stream->blank, stream->blanks);
    to += stream->blanks;
    stream->count = 0;
    stream->blanks = 0;
    return to;
}

/* A line ends: behind "=" nothing of its end is content, else only the white space before it is
   not (RFC 2045 section 6.7, rules 3 and 5). */
static uint8_t *end_quoted_line(struct transfer_stream *stream, uint8_t *to)
{
    bool with_cr = stream->blanks > 0 && stream->blank[stream->blanks - 1] == '\r';
    bool soft = stream->count == 1;

    if (stream->count == 2)
        to = release_held(stream, to);
    stream->count = 0;
    stream->blanks = 0;
    if (soft)
        return to;
    if (with_cr)
        *to++ = '\r';
    *to++ = '\n';
    return to;
}

static uint8_t *add_quoted(struct transfer_stream *stream, unsigned char c, uint8_t *to)
{
    if (stream->count == 2 && hex_value(c) >= 0) {
        *to++ = (uint8_t)(stream->bits << 4 | (unsigned)hex_value(c));
        stream->count = 0;
        return to;
    }
    if (stream->count == 1 && stream->blanks == 0 && hex_value(c) >= 0) {
        stream->held[stream->count++] = (char)c;
        stream->bits = (uint32_t)hex_value(c);
        return to;
    }
    if (c == '\n')
        return end_quoted_line(stream, to);
    if (is_space(c)) {
        if (stream->count == 2 || stream->blanks == sizeof(stream->blank))
            to = release_held(stream, to);
        stream->blank[stream->blanks++] = (char)c;
        return to;
    }
    to = release_held(stream, to);
    if (c == '=')
        stream->held[stream->count++] = '=';
    else
        *to++ = c;
    return to;
}

void transfer_feed(struct transfer_stream *stream, const void *data, size_t length, struct buf *out)
{
    const unsigned char *bytes = data;
    size_t room = length + sizeof(stream->held) + sizeof(stream->blank);
    uint8_t *begin;
    uint8_t *to;

    if (stream->encoding == TRANSFER_IDENTITY || stream->encoding == TRANSFER_UNKNOWN) {
        buf_append(out, data, length);
        return;
    }
    begin = to = buf_reserve(out, room);
    for (size_t i = 0; i < length; i++) {
        if (stream->encoding == TRANSFER_BASE64)
            to = add_base64(stream, bytes[i], to);
        else
            to = add_quoted(stream, bytes[i], to);
    }
    buf_commit(out, (size_t)(to - begin));
}

void transfer_finish(struct transfer_stream *stream, struct buf *out)
{
    uint8_t last[4];
    uint8_t *to = last;

    if (stream->encoding == TRANSFER_BASE64) {
        to = end_group(stream, to);
    } else {
        bool with_cr = stream->blanks > 0 && stream->blank[stream->blanks - 1] == '\r';

        if (stream->count == 2) {
            memcpy(to, stream->held, 2);
            to += 2;
            stream->damaged = true;
        } else if (stream->count == 0 && with_cr) {
            *to++ = '\r';
        }
    }
    buf_append(out, last, (size_t)(to - last));
    stream->count = 0;
    stream->blanks = 0;
    stream->ended = false;
}
