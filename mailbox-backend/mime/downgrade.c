#include "mailbox-backend/mime/downgrade.h"

#include <string.h>

#include "common/base64.h"
#include "mailbox-backend/mime/address.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/header.h"

/* RFC 2047 section 2: a word has 75 characters at most, of which 12 are its frame. */
#define WORD_BYTES ((size_t)45)

#define NOBODY "invalid@internationalized-address.invalid"

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] & 0x80) != 0)
            return false;
    }
    return true;
}

/* ---- text ---- */

/* No character, which has four bytes at most, is cut in two. */
static size_t word_length(struct str text)
{
    size_t length = text.length < WORD_BYTES ? text.length : WORD_BYTES;

    for (unsigned back = 0; back < 3 && length < text.length; back++) {
        if ((text.data[length] & 0xc0) != 0x80)
            break;
        length--;
    }
    return length;
}

static void write_words(struct str text, struct buf *out)
{
    const char *separator = "";

    while (text.length > 0) {
        size_t length = word_length(text);

        buf_printf(out, "%s=?utf-8?B?", separator);
        base64_encode(out, text.data, length);
        buf_text(out, "?=");
        text = str_n(text.data + length, text.length - length);
        separator = "\r\n ";
    }
}

/* What is encoded already is decoded first, so that the words fit together. */
static void write_text(struct str text, struct buf *out)
{
    struct buf plain = {0};

    mime_words_decode(text, &plain);
    write_words(str_n(buf_bytes(&plain), buf_length(&plain)), out);
    buf_release(&plain);
}

/* ---- addresses ---- */

static void write_quoted(struct str text, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)text.data[i]);
    }
    buf_byte(out, '"');
}

/* Whether text can stand as it is: as a dot-atom, or as encoded words. */
static bool is_plain(struct str text, bool spaces)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c < ' ' || c > '~' || strchr("()<>[]:;@\\,\"", c) != NULL || (c == ' ' && !spaces))
            return false;
    }
    return text.length > 0;
}

static void write_name(struct str name, struct buf *out)
{
    if (!is_ascii(name))
        write_text(name, out);
    else if (is_plain(name, true))
        buf_append(out, name.data, name.length);
    else
        write_quoted(name, out);
}

static void write_mailbox(const struct mime_address *address, struct buf *out)
{
    if (is_plain(address->mailbox, false))
        buf_append(out, address->mailbox.data, address->mailbox.length);
    else
        write_quoted(address->mailbox, out);
    if (address->host.length > 0)
        buf_printf(out, "@%.*s", (int)address->host.length, address->host.data);
}

/* Its display name tells who it was. */
static void write_nobody(const struct mime_address *address, struct buf *out)
{
    struct buf text = {0};

    if (address->name.data != NULL && address->name.length > 0) {
        mime_words_decode(address->name, &text);
        buf_byte(&text, ' ');
    }
    buf_append(&text, address->mailbox.data, address->mailbox.length);
    buf_byte(&text, '@');
    buf_append(&text, address->host.data, address->host.length);
    write_words(str_n(buf_bytes(&text), buf_length(&text)), out);
    buf_text(out, "\r\n <" NOBODY ">");
    buf_release(&text);
}

static void write_address(const struct mime_address *address, struct buf *out)
{
    if (!is_ascii(address->mailbox) || !is_ascii(address->host)) {
        write_nobody(address, out);
        return;
    }
    if (address->name.data != NULL && address->name.length > 0) {
        write_name(address->name, out);
        buf_text(out, "\r\n ");
    }
    buf_byte(out, '<');
    write_mailbox(address, out);
    buf_byte(out, '>');
}

static void write_addresses(struct arena *arena, struct str value, struct buf *out)
{
    struct mime_address_reader reader;
    struct mime_address address;
    const char *separator = " ";

    mime_address_init(&reader, arena, value);
    while (mime_address_next(&reader, &address)) {
        if (address.mailbox.data == NULL) {
            buf_byte(out, ';'); /* the end of a group */
            separator = ",\r\n ";
            continue;
        }
        buf_text(out, separator);
        separator = ",\r\n ";
        if (address.host.data != NULL) {
            write_address(&address, out);
            continue;
        }
        write_name(address.mailbox, out);
        buf_byte(out, ':');
        separator = "\r\n ";
    }
}

/* ---- fields ---- */

static bool has_addresses(struct str name)
{
    static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};

    if (str_starts_nocase(name, "Resent-"))
        name = str_n(name.data + strlen("Resent-"), name.length - strlen("Resent-"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_is_nocase(name, names[i]))
            return true;
    }
    return false;
}

static void write_questions(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < 0x80)
            buf_byte(out, c);
        else if (c >= 0xc0) /* the first byte of a character */
            buf_byte(out, '?');
    }
}

void mime_downgrade_field(struct arena *arena, struct str field, struct buf *out)
{
    struct str rest = field;
    struct mime_field parts;

    if (is_ascii(field)) {
        buf_append(out, field.data, field.length);
        return;
    }
    if (!mime_field_next(&rest, &parts) || !is_ascii(parts.name))
        return;
    if (parts.name.length == 0 || str_starts_nocase(parts.name, "Content-")) {
        write_questions(field, out);
    } else if (str_is_nocase(parts.name, "Subject")) {
        buf_text(out, "Subject: ");
        write_text(mime_unfold(arena, parts.value), out);
        buf_text(out, "\r\n");
    } else if (has_addresses(parts.name)) {
        buf_printf(out, "%.*s:", (int)parts.name.length, parts.name.data);
        write_addresses(arena, parts.value, out);
        buf_text(out, "\r\n");
    }
}
