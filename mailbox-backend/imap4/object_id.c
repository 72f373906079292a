#include "mailbox-backend/imap4/object_id.h"

#include <inttypes.h>

#define DIGITS 16

static uint8_t hex_digit(unsigned value)
{
    return (uint8_t) "0123456789abcdef"[value & 0xF];
}

void object_id_write(struct buf *out, enum object_kind kind, uint64_t id)
{
    buf_byte(out, (uint8_t)kind);
    for (int shift = 4 * (DIGITS - 1); shift >= 0; shift -= 4)
        buf_byte(out, hex_digit((unsigned)(id >> shift)));
}

uint64_t object_id_read(enum object_kind kind, struct str text)
{
    uint64_t id = 0;

    if (text.length != 1 + DIGITS || text.data[0] != (char)kind)
        return 0;
    for (size_t i = 1; i < text.length; i++) {
        char c = text.data[i];

        if (c >= '0' && c <= '9')
            id = id << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            id = id << 4 | (uint64_t)(c - 'a' + 10);
        else
            return 0;
    }
    return id;
}

static void write_byte(struct buf *out, uint8_t byte)
{
    buf_byte(out, hex_digit(byte >> 4));
    buf_byte(out, hex_digit(byte));
}

void object_id_write_folder(struct buf *out, const struct store_mailbox *mailbox, uint32_t folder)
{
    const struct store_guid *guid = store_mailbox_guid(mailbox);

    buf_byte(out, 'F');
    for (size_t i = 0; i < sizeof(guid->bytes); i++)
        write_byte(out, guid->bytes[i]);
    buf_printf(out, "-%" PRIx32, folder);
}
