#include "mailbox-backend/imap4/object_id.h"

#include <inttypes.h>

#define DIGITS 16

void object_id_write(struct buf *out, enum object_kind kind, uint64_t id)
{
    buf_printf(out, "%c%016" PRIx64, (char)kind, id);
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

void object_id_write_folder(struct buf *out, const struct store_mailbox *mailbox, uint32_t folder)
{
    const struct store_guid *guid = store_mailbox_guid(mailbox);

    buf_byte(out, 'F');
    for (size_t i = 0; i < sizeof(guid->bytes); i++)
        buf_printf(out, "%02x", guid->bytes[i]);
    buf_printf(out, "-%" PRIx32, folder);
}
