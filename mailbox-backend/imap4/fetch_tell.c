/* The answer to a FETCH for one message. */
#include <inttypes.h>

#include "mailbox-backend/imap4/fetch.h"
#include "mailbox-backend/imap4/object_id.h"
#include "mailbox-backend/mime/bodystructure.h"
#include "mailbox-backend/mime/date.h"
#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/imap_string.h"

static void write_str(struct buf *out, struct str text)
{
    buf_append(out, text.data, text.length);
}

static void write_envelope(const struct fetch_message *message, struct buf *out)
{
    if (message->has_summary)
        write_str(out, message->summary.envelope);
    else
        mime_envelope_write(message->root, out);
}

static void write_body(const struct fetch_message *message, struct buf *out)
{
    if (message->has_summary)
        buf_append(out, buf_bytes(&message->body), buf_length(&message->body));
    else
        mime_body_write(message->root, out);
}

static void write_bodystructure(const struct fetch_message *message, struct buf *out)
{
    if (message->has_summary)
        write_str(out, message->summary.bodystructure);
    else
        mime_bodystructure_write(message->root, out);
}

static void write_date(int64_t date, int16_t zone, struct buf *out)
{
    char text[IMAP_DATE_TIME_SIZE];

    imap_date_time_print(text, date, zone);
    buf_printf(out, "\"%s\"", text);
}

static void write_object_id(enum object_kind kind, uint64_t id, struct buf *out)
{
    buf_byte(out, '(');
    object_id_write(out, kind, id);
    buf_byte(out, ')');
}

static void write_preview(const struct fetch_message *message, struct buf *out)
{
    if (message->no_preview)
        buf_text(out, "NIL");
    else
        imap_string_write(out, str_n(message->preview.text, message->preview.length));
}

static void write_value(const struct imap *imap, const struct fetch_message *message,
                        enum fetch_kind kind, struct buf *out)
{
    switch (kind) {
    case FETCH_UID:
        buf_printf(out, "%" PRIu32, message->item.uid);
        break;
    case FETCH_FLAGS:
        flags_write(out, imap, &message->item);
        break;
    case FETCH_INTERNALDATE:
        write_date(message->item.internal_date, message->item.zone, out);
        break;
    case FETCH_SIZE:
        buf_printf(out, "%" PRIu64, message->item.size);
        break;
    case FETCH_ENVELOPE:
        write_envelope(message, out);
        break;
    case FETCH_BODY:
        write_body(message, out);
        break;
    case FETCH_BODYSTRUCTURE:
        write_bodystructure(message, out);
        break;
    case FETCH_SAVEDATE:
        write_date(message->item.save_date, 0, out);
        break;
    case FETCH_EMAILID:
        write_object_id(OBJECT_EMAIL, message->item.email_id, out);
        break;
    case FETCH_THREADID:
        write_object_id(OBJECT_THREAD, message->item.thread_id, out);
        break;
    case FETCH_MODSEQ:
        buf_printf(out, "(%" PRIu64 ")", message->item.modseq);
        break;
    case FETCH_PREVIEW:
        write_preview(message, out);
        break;
    case FETCH_SECTION: /* comes in pieces */
        break;
    }
}

/* ---- sections ---- */

static void write_begin(const struct fetch_message *message, const struct fetch_item *item,
                        struct buf *out)
{
    if (!item->exists)
        buf_text(out, "NIL");
    else if (message->left == 0)
        buf_text(out, "\"\"");
    else
        buf_printf(out, "%s{%" PRIu64 "}\r\n", item->has_nul ? "~" : "", message->left);
}

static enum fetch_progress tell_section(struct command *command, struct fetch_message *message,
                                        const struct fetch_item *item, size_t *share,
                                        struct err *err)
{
    struct buf *out = command_output(command);

    if (!message->in_section) {
        fetch_section_begin(message, item);
        write_begin(message, item, out);
    }
    while (message->left > 0) {
        size_t room = imap_room(command->imap);
        enum fetch_progress progress;

        if (room == 0)
            return FETCH_FULL;
        progress = fetch_section_read(message, item, out, room, share, err);
        if (progress != FETCH_TOLD)
            return progress;
    }
    message->in_section = false;
    return FETCH_TOLD;
}

/* ---- the whole ---- */

static void write_label(struct command *command, struct fetch_message *message,
                        const struct fetch_item *item)
{
    struct buf *out = command_output(command);

    if (message->begun)
        buf_byte(out, ' ');
    else
        fetch_begin(command, message->item.uid);
    message->begun = true;
    command->in_answer = true;
    write_str(out, item->label);
    buf_byte(out, ' ');
}

/* Of a message that was made \Seen its flags are told, and who knows of mod-sequences is told its uid
   and the new one (RFC 7162 section 3.2.4). */
static void write_end(struct command *command, const struct fetch_message *message,
                      const struct fetch_request *request)
{
    struct buf *out = command_output(command);
    bool condstore = message->tell_flags && condstore_is_enabled(command->imap);

    if (condstore && (request->kinds & FETCH_UID) == 0 && !imap_is_uid_only(command->imap))
        buf_printf(out, " UID %" PRIu32, message->item.uid);
    if (condstore && (request->kinds & FETCH_MODSEQ) == 0)
        buf_printf(out, " MODSEQ (%" PRIu64 ")", message->item.modseq);
    if (message->tell_flags && (request->kinds & FETCH_FLAGS) == 0) {
        buf_text(out, " FLAGS ");
        flags_write(out, command->imap, &message->item);
    }
    buf_text(out, ")\r\n");
}

enum fetch_progress fetch_message_tell(struct command *command, struct fetch_message *message,
                                       const struct fetch_request *request, size_t *share,
                                       struct err *err)
{
    struct buf *out = command_output(command);

    for (; message->at != NULL; message->at = message->at->next) {
        const struct fetch_item *item = message->at;

        if (message->content != NULL && !command_has_room(command))
            return FETCH_FULL;
        if (!message->in_section)
            write_label(command, message, item);
        if (item->form == FETCH_DECODED_SIZE) {
            buf_printf(out, "%" PRIu64, item->size);
        } else if (item->kind == FETCH_SECTION) {
            enum fetch_progress progress = tell_section(command, message, item, share, err);

            if (progress != FETCH_TOLD)
                return progress;
        } else {
            write_value(command->imap, message, item->kind, out);
        }
    }
    write_end(command, message, request);
    command->in_answer = false;
    return FETCH_TOLD;
}
