#include "mailbox-backend/mime/summary.h"

#include "mailbox-backend/mime/bodystructure.h"
#include "mailbox-backend/mime/envelope.h"

/* Version (one byte), length of the envelope (two bytes, the higher first), envelope, structure. */
#define VERSION_1 1
#define HEAD_SIZE 3

static bool add_text(struct buf *summary, const struct buf *text)
{
    if (buf_length(summary) + buf_length(text) > MIME_SUMMARY_MAX)
        return false;
    buf_append(summary, buf_bytes(text), buf_length(text));
    return true;
}

bool mime_summary_build(const struct mime_part *root, struct buf *out)
{
    struct buf summary = {0};
    struct buf envelope = {0};
    struct buf structure = {0};
    size_t length;
    bool fits;

    mime_envelope_write(root, &envelope);
    mime_bodystructure_write(root, &structure);
    length = buf_length(&envelope);
    buf_byte(&summary, VERSION_1);
    buf_byte(&summary, (uint8_t)(length >> 8));
    buf_byte(&summary, (uint8_t)length);
    fits = add_text(&summary, &envelope) && add_text(&summary, &structure);
    if (fits)
        buf_append(out, buf_bytes(&summary), buf_length(&summary));
    buf_release(&summary);
    buf_release(&envelope);
    buf_release(&structure);
    return fits;
}

enum err_code mime_summary_open(const void *data, size_t length, struct mime_summary *summary,
                                struct err *err)
{
    const uint8_t *bytes = data;
    size_t envelope;

    if (length > 0 && bytes[0] != VERSION_1)
        return err_set(err, ERR_NOT_FOUND, "the summary is of version %u", bytes[0]);
    if (length < HEAD_SIZE)
        return err_set(err, ERR_CORRUPT, "a summary of %zu bytes is too short", length);
    envelope = (size_t)bytes[1] << 8 | bytes[2];
    if (envelope > length - HEAD_SIZE)
        return err_set(err, ERR_CORRUPT, "the summary ends inside its envelope");
    summary->envelope = str_n(bytes + HEAD_SIZE, envelope);
    summary->bodystructure = str_n(bytes + HEAD_SIZE + envelope, length - HEAD_SIZE - envelope);
    return ERR_NONE;
}

bool mime_summary_has_global(const struct mime_summary *summary)
{
    struct str rest = summary->bodystructure;

    for (; rest.length > 0; rest = str_n(rest.data + 1, rest.length - 1)) {
        if (str_starts_nocase(rest, "\"message\" \"global\""))
            return true;
    }
    return false;
}
