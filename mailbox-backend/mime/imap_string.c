#include "mailbox-backend/mime/imap_string.h"

/* Clients and proxies read quoted strings line by line: longer ones go as literals. */
#define QUOTED_MAX 1000

static bool is_clean(struct str text, unsigned char highest)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '\r' || c == '\n' || c > highest)
            return false;
    }
    return text.length <= QUOTED_MAX;
}

static void write_quoted(struct buf *out, struct str text)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c == '"' || c == '\\')
            buf_byte(out, '\\');
        if (c != '\0')
            buf_byte(out, (uint8_t)c);
    }
    buf_byte(out, '"');
}

static void write_literal(struct buf *out, struct str text)
{
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++)
        length += text.data[i] != '\0';
    buf_printf(out, "{%zu}\r\n", length);
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '\0')
            buf_byte(out, (uint8_t)text.data[i]);
    }
}

void imap_string_write(struct buf *out, struct str text)
{
    if (is_clean(text, 0x7f))
        write_quoted(out, text);
    else
        write_literal(out, text);
}

void imap_utf8_string_write(struct buf *out, struct str text)
{
    if (is_clean(text, 0xff))
        write_quoted(out, text);
    else
        write_literal(out, text);
}

void imap_nstring_write(struct buf *out, struct str text)
{
    if (text.data == NULL)
        buf_text(out, "NIL");
    else
        imap_string_write(out, text);
}
