#include "mailbox-backend/mime/encoded_word.h"

#include <string.h>

#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/transfer.h"

struct word {
    struct str charset; /* without the language of RFC 2231 section 5 */
    char encoding;      /* 'b' or 'q' */
    struct str text;
    size_t length; /* of all of it */
};

/* The text before delimiter; moves behind that. */
static bool take_until(struct str *rest, char delimiter, struct str *taken)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->data, delimiter, rest->length);

    if (end == NULL)
        return false;
    *taken = str_n(rest->data, (size_t)(end - rest->data));
    rest->data += taken->length + 1;
    rest->length -= taken->length + 1;
    return true;
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    }
    return text.length > 0;
}

/* "=?charset?encoding?text?=" at the begin of rest. Spaces in the text, which are wrong, are let
   through. */
static bool read_word(struct str rest, struct word *word)
{
    const char *begin = rest.data;
    struct str encoding;
    const char *star;

    if (!str_starts_nocase(rest, "=?"))
        return false;
    rest.data += 2;
    rest.length -= 2;
    if (!take_until(&rest, '?', &word->charset) || !is_printable(word->charset) ||
        !take_until(&rest, '?', &encoding) || encoding.length != 1 ||
        !take_until(&rest, '?', &word->text) || rest.length == 0 || rest.data[0] != '=')
        return false;
    star = memchr(word->charset.data, '*', word->charset.length);
    if (star != NULL)
        word->charset.length = (size_t)(star - word->charset.data);
    word->encoding = str_lower(encoding.data[0]);
    word->length = (size_t)(rest.data + 1 - begin);
    return word->encoding == 'b' || word->encoding == 'q';
}

/* The state between words: an open charset whose last character may be unfinished. */
struct decoder {
    struct charset_stream stream;
    struct str charset;
    bool open;
    struct buf bytes;
    struct buf *out;
};

static void close_charset(struct decoder *decoder)
{
    if (!decoder->open)
        return;
    charset_finish(&decoder->stream, decoder->out);
    charset_close(&decoder->stream);
    decoder->open = false;
}

static bool open_charset(struct decoder *decoder, struct str charset)
{
    if (decoder->open && str_equal_nocase(decoder->charset, charset))
        return true;
    close_charset(decoder);
    decoder->open = charset_open(&decoder->stream, charset, NULL) == ERR_NONE;
    decoder->charset = charset;
    return decoder->open;
}

/* The "Q" encoding (RFC 2047 section 4.2) is quoted-printable with "_" for a space, and without
   lines. */
static void decode_q(struct str text, struct buf *out)
{
    struct transfer_stream stream;

    transfer_init(&stream, TRANSFER_QUOTED_PRINTABLE);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c == '_' || c == ' ' || c == '\t')
            transfer_feed(&stream, "=20", 3, out);
        else
            transfer_feed(&stream, &c, 1, out);
    }
    transfer_finish(&stream, out);
}

static bool decode_b(struct str text, struct buf *out)
{
    struct transfer_stream stream;

    transfer_init(&stream, TRANSFER_BASE64);
    transfer_feed(&stream, text.data, text.length, out);
    transfer_finish(&stream, out);
    return !stream.damaged;
}

static bool decode_word(struct decoder *decoder, const struct word *word)
{
    struct buf *bytes = &decoder->bytes;

    buf_truncate(bytes, 0);
    if (word->encoding == 'q')
        decode_q(word->text, bytes);
    else if (!decode_b(word->text, bytes))
        return false;
    if (!open_charset(decoder, word->charset))
        return false;
    if (buf_length(bytes) > 0)
        charset_feed(&decoder->stream, buf_bytes(bytes), buf_length(bytes), decoder->out);
    return true;
}

static bool is_ascii(struct str text)
{
    uint8_t all = 0;

    for (size_t i = 0; i < text.length; i++)
        all |= (uint8_t)text.data[i];
    return all < 0x80;
}

static void add_plain(struct decoder *decoder, struct str text)
{
    if (text.length == 0)
        return;
    close_charset(decoder);
    if (is_ascii(text))
        buf_append(decoder->out, text.data, text.length);
    else
        charset_convert(STR("utf-8"), text, decoder->out, NULL);
}

static bool is_white(struct str text)
{
    return str_trim(text).length == 0;
}

void mime_words_decode(struct str text, struct buf *out)
{
    struct decoder decoder = {.out = out};
    size_t plain = 0; /* where the text begins that is not yet written */
    bool behind_word = false;

    for (size_t i = 0; i < text.length;) {
        struct str before = str_n(text.data + plain, i - plain);
        struct word word;

        if (text.data[i] != '=' || !read_word(str_n(text.data + i, text.length - i), &word)) {
            i++;
            continue;
        }
        if (!behind_word || !is_white(before)) {
            add_plain(&decoder, before);
            plain = i;
        }
        behind_word = decode_word(&decoder, &word);
        i += word.length;
        if (behind_word)
            plain = i;
    }
    add_plain(&decoder, str_n(text.data + plain, text.length - plain));
    close_charset(&decoder);
    buf_release(&decoder.bytes);
}
