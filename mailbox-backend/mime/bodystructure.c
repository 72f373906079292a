#include "mailbox-backend/mime/bodystructure.h"

#include <inttypes.h>

#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/imap_string.h"
#include "mailbox-backend/mime/parameter.h"

struct writer {
    struct buf *out;
    struct arena arena; /* for joined parameters; emptied after each list */
    bool extended;
};

static void write_part(struct writer *writer, const struct mime_part *part);

static void write_params(struct writer *writer, const struct mime_param *params)
{
    struct buf *out = writer->out;
    char before = '(';

    if (params == NULL) {
        buf_text(out, "NIL");
        return;
    }
    params = mime_params_join(&writer->arena, params);
    for (; params != NULL; params = params->next) {
        buf_byte(out, (uint8_t)before);
        imap_string_write(out, params->name);
        buf_byte(out, ' ');
        imap_string_write(out, params->value);
        before = ' ';
    }
    buf_byte(out, ')');
    arena_reset(&writer->arena);
}

static void write_disposition(struct writer *writer, const struct mime_part *part)
{
    if (part->disposition.data == NULL) {
        buf_text(writer->out, "NIL");
        return;
    }
    buf_byte(writer->out, '(');
    imap_string_write(writer->out, part->disposition);
    buf_byte(writer->out, ' ');
    write_params(writer, part->disposition_params);
    buf_byte(writer->out, ')');
}

/* The next element of a list with commas, trimmed; empty elements are passed over. */
static bool next_element(struct str *rest, struct str *element)
{
    do {
        size_t n = 0;

        if (rest->length == 0)
            return false;
        while (n < rest->length && rest->data[n] != ',')
            n++;
        *element = str_trim(str_n(rest->data, n));
        n += n < rest->length;
        rest->data += n;
        rest->length -= n;
    } while (element->length == 0);
    return true;
}

/* body-fld-lang is one string, or a list of several. */
static void write_language(struct writer *writer, struct str language)
{
    struct str first;
    struct str more;

    if (!next_element(&language, &first)) {
        buf_text(writer->out, "NIL");
        return;
    }
    if (!next_element(&language, &more)) {
        imap_string_write(writer->out, first);
        return;
    }
    buf_byte(writer->out, '(');
    imap_string_write(writer->out, first);
    do {
        buf_byte(writer->out, ' ');
        imap_string_write(writer->out, more);
    } while (next_element(&language, &more));
    buf_byte(writer->out, ')');
}

/* Disposition, language, location: what both kinds of bodies end with. */
static void write_extension(struct writer *writer, const struct mime_part *part)
{
    write_disposition(writer, part);
    buf_byte(writer->out, ' ');
    write_language(writer, part->language);
    buf_byte(writer->out, ' ');
    imap_nstring_write(writer->out, part->location);
}

static void write_multipart(struct writer *writer, const struct mime_part *part)
{
    static const struct mime_part none = {
        .type = {"text",  4},
          .subtype = {"plain", 5}
    };

    if (part->children == NULL)
        write_part(writer, &none);
    for (const struct mime_part *child = part->children; child != NULL; child = child->next)
        write_part(writer, child);
    buf_byte(writer->out, ' ');
    imap_string_write(writer->out, part->subtype);
    if (!writer->extended)
        return;
    buf_byte(writer->out, ' ');
    write_params(writer, part->params);
    buf_byte(writer->out, ' ');
    write_extension(writer, part);
}

static void write_type(struct writer *writer, const struct mime_part *part)
{
    bool opaque = part->opaque;

    imap_string_write(writer->out, opaque ? STR("application") : part->type);
    buf_byte(writer->out, ' ');
    imap_string_write(writer->out, opaque ? STR("octet-stream") : part->subtype);
    buf_byte(writer->out, ' ');
    if (part->params == NULL && mime_part_is(part, "text", NULL))
        buf_text(writer->out, "(\"charset\" \"us-ascii\")"); /* RFC 2045 section 5.2 */
    else
        write_params(writer, opaque ? NULL : part->params);
}

static void write_single(struct writer *writer, const struct mime_part *part)
{
    struct buf *out = writer->out;

    write_type(writer, part);
    buf_byte(out, ' ');
    imap_nstring_write(out, part->id);
    buf_byte(out, ' ');
    imap_nstring_write(out, part->description);
    buf_byte(out, ' ');
    imap_string_write(out, part->encoding.data != NULL ? part->encoding : STR("7bit"));
    buf_printf(out, " %" PRIu64, part->body_length);
    if (part->kind == MIME_MESSAGE) {
        buf_byte(out, ' ');
        mime_envelope_write(part->children, out);
        buf_byte(out, ' ');
        write_part(writer, part->children);
    }
    if (part->kind == MIME_MESSAGE || mime_part_is(part, "text", NULL))
        buf_printf(out, " %" PRIu64, part->body_lines);
    if (!writer->extended)
        return;
    buf_byte(out, ' ');
    imap_nstring_write(out, part->md5);
    buf_byte(out, ' ');
    write_extension(writer, part);
}

static void write_part(struct writer *writer, const struct mime_part *part)
{
    buf_byte(writer->out, '(');
    if (part->kind == MIME_MULTIPART)
        write_multipart(writer, part);
    else
        write_single(writer, part);
    buf_byte(writer->out, ')');
}

static void write_structure(const struct mime_part *root, bool extended, struct buf *out)
{
    struct writer writer = {.out = out, .extended = extended};

    write_part(&writer, root);
}

void mime_body_write(const struct mime_part *root, struct buf *out)
{
    write_structure(root, false, out);
}

void mime_bodystructure_write(const struct mime_part *root, struct buf *out)
{
    write_structure(root, true, out);
}
