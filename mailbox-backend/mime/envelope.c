#include "mailbox-backend/mime/envelope.h"

#include "mailbox-backend/mime/address.h"
#include "mailbox-backend/mime/imap_string.h"

static void write_address(const struct mime_address *address, struct buf *out)
{
    buf_byte(out, '(');
    imap_nstring_write(out, address->name);
    buf_byte(out, ' ');
    imap_nstring_write(out, address->route);
    buf_byte(out, ' ');
    imap_nstring_write(out, address->mailbox);
    buf_byte(out, ' ');
    imap_nstring_write(out, address->host);
    buf_byte(out, ')');
}

/* Writes nothing and returns false when there is no address. */
static bool write_addresses(struct arena *arena, struct str value, struct buf *out)
{
    struct mime_address_reader reader;
    struct mime_address address;
    bool any = false;

    mime_address_init(&reader, arena, value);
    while (mime_address_next(&reader, &address)) {
        if (!any)
            buf_byte(out, '(');
        any = true;
        write_address(&address, out);
    }
    if (any)
        buf_byte(out, ')');
    return any;
}

static void write_address_field(struct arena *arena, const struct mime_envelope *envelope,
                                enum mime_envelope_field field, struct buf *out)
{
    bool defaults = field == MIME_SENDER || field == MIME_REPLY_TO;

    if (write_addresses(arena, envelope->field[field], out))
        return;
    if (defaults && write_addresses(arena, envelope->field[MIME_FROM], out))
        return;
    buf_text(out, "NIL");
}

void mime_envelope_write(const struct mime_part *message, struct buf *out)
{
    const struct mime_envelope *envelope = message->envelope;
    struct arena arena = {0};

    buf_byte(out, '(');
    imap_nstring_write(out, envelope->field[MIME_DATE]);
    buf_byte(out, ' ');
    imap_nstring_write(out, envelope->field[MIME_SUBJECT]);
    for (int field = MIME_FROM; field <= MIME_BCC; field++) {
        buf_byte(out, ' ');
        write_address_field(&arena, envelope, (enum mime_envelope_field)field, out);
    }
    buf_byte(out, ' ');
    imap_nstring_write(out, envelope->field[MIME_IN_REPLY_TO]);
    buf_byte(out, ' ');
    imap_nstring_write(out, envelope->field[MIME_MESSAGE_ID]);
    buf_byte(out, ')');
    arena_reset(&arena);
}
