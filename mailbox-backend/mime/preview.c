#include "mailbox-backend/mime/preview.h"

#include <string.h>

#include "mailbox-backend/mime/text_fold.h"

static bool is_inside_message(const struct mime_part *part)
{
    for (part = part->parent; part != NULL; part = part->parent) {
        if (part->kind == MIME_MESSAGE)
            return true;
    }
    return false;
}

static bool is_readable(const struct mime_part *part)
{
    return part->kind == MIME_LEAF &&
           (mime_part_is(part, "text", "plain") || mime_part_is(part, "text", "html")) &&
           !str_is_nocase(part->disposition, "attachment") &&
           transfer_encoding_of(part->encoding) != TRANSFER_UNKNOWN && !is_inside_message(part);
}

const struct mime_part *mime_preview_part(const struct mime_part *part)
{
    while (part != NULL && !is_readable(part))
        part = mime_part_next(part);
    return part;
}

void mime_preview_begin(struct mime_preview *preview, const struct mime_part *part)
{
    *preview = (struct mime_preview){.open = true, .is_html = mime_part_is(part, "text", "html")};
    transfer_init(&preview->transfer, transfer_encoding_of(part->encoding));
    if (charset_open(&preview->charset, mime_part_param(part, "charset"), NULL) != ERR_NONE)
        charset_open(&preview->charset, STR("utf-8"), NULL); /* needs nothing, cannot fail */
}

/* Also C1 controls, the spaces of typography, and the separators of lines and paragraphs. */
static bool is_white(uint32_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xa0) || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x3000;
}

/* Newsletters fill their hidden first lines with these. Joiners between letters mean something. */
static bool is_nothing(uint32_t c, bool after_space)
{
    return c == 0x200b || c == 0xad || c == 0x34f || c == 0xfeff ||
           (after_space && (c == 0x200c || c == 0x200d));
}

/* Runs of white space become one space, of which there is none at the ends. */
static void add(struct mime_preview *preview, uint32_t c, const uint8_t *bytes, size_t length)
{
    bool between = preview->space && preview->length > 0;

    if (is_nothing(c, preview->space || preview->length == 0))
        return;
    if (is_white(c)) {
        preview->space = true;
        return;
    }
    if (preview->characters + between >= MIME_PREVIEW_CHARACTERS) {
        preview->characters = MIME_PREVIEW_CHARACTERS;
        return;
    }
    if (between)
        preview->text[preview->length++] = ' ';
    memcpy(preview->text + preview->length, bytes, length);
    preview->length += length;
    preview->characters += 1 + between;
    preview->space = false;
}

static bool is_whole(const struct mime_preview *preview)
{
    return preview->characters >= MIME_PREVIEW_CHARACTERS;
}

/* An unfinished character stays for the next time. */
static void take(struct mime_preview *preview, struct buf *plain)
{
    uint32_t character;
    size_t used;

    while (!is_whole(preview) && buf_length(plain) > 0 &&
           text_next_character(buf_bytes(plain), buf_length(plain), &character, &used)) {
        add(preview, character, buf_bytes(plain), used);
        buf_consume(plain, used);
    }
}

static void convert(struct mime_preview *preview)
{
    struct buf *decoded = &preview->decoded;
    struct buf *converted = &preview->converted;

    if (buf_length(decoded) > 0)
        charset_feed(&preview->charset, buf_bytes(decoded), buf_length(decoded), converted);
    buf_truncate(decoded, 0);
    if (!preview->is_html) {
        take(preview, converted);
        return;
    }
    if (buf_length(converted) > 0)
        html_text_feed(&preview->html, buf_bytes(converted), buf_length(converted),
                       &preview->plain);
    buf_truncate(converted, 0);
    take(preview, &preview->plain);
}

bool mime_preview_feed(struct mime_preview *preview, const void *data, size_t length)
{
    transfer_feed(&preview->transfer, data, length, &preview->decoded);
    convert(preview);
    return is_whole(preview);
}

void mime_preview_end(struct mime_preview *preview)
{
    if (!preview->open)
        return;
    if (!is_whole(preview)) {
        transfer_finish(&preview->transfer, &preview->decoded);
        convert(preview);
    }
    charset_close(&preview->charset);
    buf_release(&preview->decoded);
    buf_release(&preview->converted);
    buf_release(&preview->plain);
    preview->open = false;
}
