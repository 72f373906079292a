#include "mailbox-backend/pop3/surrogate.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "common/mem.h"
#include "mailbox-backend/mime/downgrade.h"
#include "mailbox-backend/mime/parser.h"

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

struct surrogate {
    struct arena arena; /* the parser's */
    struct mime_parser parser;
    bool line_open; /* the newest byte was no LF */
    bool in_header; /* the line is of a header */
    struct buf field;
    bool is_long; /* the field's beginning has gone out already */
};

struct surrogate *surrogate_create(void)
{
    struct mime_limits limits = mime_default_limits;
    struct surrogate *surrogate = mem_alloc(sizeof(*surrogate));

    limits.global = true;
    mime_parser_init(&surrogate->parser, &surrogate->arena, &limits);
    return surrogate;
}

static void write_questions(struct buf *field, struct buf *out)
{
    const uint8_t *bytes = buf_bytes(field);

    for (size_t i = 0; i < buf_length(field); i++)
        buf_byte(out, bytes[i] < 0x80 ? bytes[i] : '?');
}

/* A part's header may be no UTF-8 even so. */
static void end_field(struct surrogate *surrogate, struct buf *out)
{
    struct buf *field = &surrogate->field;
    struct arena arena = {0};

    if (buf_length(field) == 0)
        return;
    if (surrogate->is_long || u8_check(buf_bytes(field), buf_length(field)) != NULL)
        write_questions(field, out);
    else
        mime_downgrade_field(&arena, str_n(buf_bytes(field), buf_length(field)), out);
    buf_truncate(field, 0);
    surrogate->is_long = false;
    arena_reset(&arena);
}

static void begin_line(struct surrogate *surrogate, uint8_t first, struct buf *out)
{
    surrogate->in_header = mime_parser_in_header(&surrogate->parser);
    if (!surrogate->in_header || (first != ' ' && first != '\t'))
        end_field(surrogate, out);
}

/* Bytes of one line. */
static void feed_line(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                      struct buf *out)
{
    if (!surrogate->line_open)
        begin_line(surrogate, bytes[0], out);
    surrogate->line_open = bytes[length - 1] != '\n';
    mime_parser_feed(&surrogate->parser, bytes, length);
    if (!surrogate->in_header) {
        buf_append(out, bytes, length);
        return;
    }
    buf_append(&surrogate->field, bytes, length);
    if (buf_length(&surrogate->field) <= FIELD_MAX)
        return;
    write_questions(&surrogate->field, out);
    buf_truncate(&surrogate->field, 0);
    surrogate->is_long = true;
}

void surrogate_feed(struct surrogate *surrogate, const uint8_t *bytes, size_t length,
                    struct buf *out)
{
    while (length > 0) {
        const uint8_t *newline = memchr(bytes, '\n', length);
        size_t run = newline == NULL ? length : (size_t)(newline - bytes) + 1;

        feed_line(surrogate, bytes, run, out);
        bytes += run;
        length -= run;
    }
}

void surrogate_finish(struct surrogate *surrogate, struct buf *out)
{
    end_field(surrogate, out);
}

void surrogate_destroy(struct surrogate **surrogate)
{
    if (*surrogate == NULL)
        return;
    buf_release(&(*surrogate)->field);
    arena_reset(&(*surrogate)->arena);
    free(*surrogate);
    *surrogate = NULL;
}
