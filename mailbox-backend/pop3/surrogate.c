#include "mailbox-backend/pop3/surrogate.h"

#include <string.h>
#include <unistr.h>

#include "mailbox-backend/mime/downgrade.h"

#define CHUNK ((size_t)16384)
#define HEADER_MAX ((uint64_t)2 << 20)

/* Longer fields have their 8-bit characters replaced instead. */
#define FIELD_MAX ((size_t)64 << 10)

/* ---- is it needed? ---- */

struct check {
    uint8_t bytes[CHUNK + 4];
    size_t kept; /* at their start: the beginning of a character */
    bool has_octet;
    bool is_broken; /* no UTF-8 */
};

static bool has_octet(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] > 0x7f)
            return true;
    }
    return false;
}

/* Takes length bytes that were put behind those kept. */
static void check_bytes(struct check *check, size_t length)
{
    size_t count = check->kept + length;
    const uint8_t *wrong;
    ucs4_t character;

    check->has_octet = check->has_octet || has_octet(check->bytes, count);
    wrong = u8_check(check->bytes, count);
    check->kept = wrong == NULL ? 0 : count - (size_t)(wrong - check->bytes);
    if (check->kept == 0)
        return;
    if (u8_mbtoucr(&character, wrong, check->kept) != -2) /* it is not just unfinished */
        check->is_broken = true;
    else
        memmove(check->bytes, wrong, check->kept);
}

enum err_code surrogate_is_needed(struct store_content *content, uint64_t size, bool *needed,
                                  struct err *err)
{
    struct check check;
    uint64_t offset = 0;

    check.kept = 0;
    check.has_octet = check.is_broken = false;
    *needed = false;
    if (size > HEADER_MAX)
        return ERR_NONE;
    while (offset < size && !check.is_broken) {
        uint64_t left = size - offset;
        size_t length;

        if (store_content_read(content, offset, check.bytes + check.kept,
                               left < CHUNK ? (size_t)left : CHUNK, &length, err) != ERR_NONE)
            return err->code;
        if (length == 0)
            break;
        offset += length;
        check_bytes(&check, length);
    }
    *needed = check.has_octet && !check.is_broken && check.kept == 0;
    return ERR_NONE;
}

/* ---- the conversion ---- */

static void write_questions(struct buf *field, struct buf *out)
{
    const uint8_t *bytes = buf_bytes(field);

    for (size_t i = 0; i < buf_length(field); i++)
        buf_byte(out, bytes[i] < 0x80 ? bytes[i] : '?');
    buf_truncate(field, 0);
}

static void end_field(struct surrogate *surrogate, struct buf *out)
{
    struct buf *field = &surrogate->field;
    struct arena arena = {0};

    if (surrogate->is_long)
        write_questions(field, out);
    else if (buf_length(field) > 0)
        mime_downgrade_field(&arena, str_n(buf_bytes(field), buf_length(field)), out);
    buf_truncate(field, 0);
    surrogate->is_long = false;
    arena_reset(&arena);
}

static void take_line(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                      struct buf *out)
{
    if (surrogate->line_ended && bytes[0] != ' ' && bytes[0] != '\t')
        end_field(surrogate, out);
    buf_append(&surrogate->field, bytes, length);
    surrogate->line_ended = bytes[length - 1] == '\n';
    if (buf_length(&surrogate->field) <= FIELD_MAX)
        return;
    write_questions(&surrogate->field, out);
    surrogate->is_long = true;
}

void surrogate_feed(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                    struct buf *out)
{
    while (length > 0) {
        const uint8_t *newline = memchr(bytes, '\n', length);
        size_t run = newline == NULL ? length : (size_t)(newline - bytes) + 1;

        take_line(surrogate, bytes, run, out);
        bytes += run;
        length -= run;
    }
}

void surrogate_finish(struct surrogate *surrogate, struct buf *out)
{
    end_field(surrogate, out);
    surrogate_release(surrogate);
}

void surrogate_release(struct surrogate *surrogate)
{
    buf_release(&surrogate->field);
    surrogate->is_long = false;
}
