#include "mailbox-backend/mime/section.h"

#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/mime/imap_string.h"
#include "mailbox-backend/mime/scan.h"

static void skip(struct str *text, size_t count)
{
    text->data += count;
    text->length -= count;
}

static bool take_prefix(struct str *text, const char *prefix)
{
    if (!str_starts_nocase(*text, prefix))
        return false;
    skip(text, strlen(prefix));
    return true;
}

/* Decimal digits up to max; false when there are none or too many. */
static bool take_number(struct str *text, uint64_t max, uint64_t *value)
{
    size_t n = 0;

    while (n < text->length && text->data[n] >= '0' && text->data[n] <= '9')
        n++;
    if (!str_number(str_n(text->data, n), max, value))
        return false;
    skip(text, n);
    return true;
}

static bool at_digit(struct str text)
{
    return text.length > 0 && text.data[0] >= '0' && text.data[0] <= '9';
}

/* "1.2.3", and the dot behind it when a word follows. *word tells whether one must. */
static enum err_code parse_numbers(struct arena *arena, struct str *text,
                                   struct mime_section *section, bool *word, struct err *err)
{
    uint32_t numbers[MIME_SECTION_DEPTH_MAX] = {0};
    uint32_t *copy;

    *word = false;
    while (at_digit(*text)) {
        uint64_t number;

        if (section->depth == MIME_SECTION_DEPTH_MAX)
            return err_set(err, ERR_LIMIT, "a section has at most %d part numbers",
                           MIME_SECTION_DEPTH_MAX);
        if (text->data[0] == '0' || !take_number(text, UINT32_MAX, &number))
            return err_set(err, ERR_INVALID, "a part number is 1 or more");
        numbers[section->depth++] = (uint32_t)number;
        *word = scan_byte(text, '.');
        if (!*word)
            break;
    }
    copy = arena_array(arena, section->depth, sizeof(*copy));
    memcpy(copy, numbers, section->depth * sizeof(*copy));
    section->numbers = copy;
    return ERR_NONE;
}

/* {4} or {4+}, CRLF, four bytes. */
static bool take_literal(struct arena *arena, struct str *text, struct str *value)
{
    uint64_t length;

    if (!scan_byte(text, '{') || !take_number(text, UINT32_MAX, &length))
        return false;
    scan_byte(text, '+');
    if (!take_prefix(text, "}\r\n") || length > text->length)
        return false;
    *value = str_n(arena_copy(arena, text->data, (size_t)length), (size_t)length);
    skip(text, (size_t)length);
    return true;
}

static bool take_quoted(struct arena *arena, struct str *text, struct str *value)
{
    size_t before = text->length;
    struct str inside;
    char *copy;

    if (!scan_quoted(text, &inside) || before - text->length != inside.length + 2)
        return false; /* not closed */
    copy = arena_alloc(arena, inside.length + 1);
    *value = str_n(copy, scan_unescape(copy, inside));
    return true;
}

/* RFC 3501's astring. */
static bool take_astring(struct arena *arena, struct str *text, struct str *value)
{
    size_t n = 0;

    if (text->length > 0 && text->data[0] == '"')
        return take_quoted(arena, text, value);
    if (text->length > 0 && text->data[0] == '{')
        return take_literal(arena, text, value);
    while (n < text->length) {
        char c = text->data[n];

        if (c <= ' ' || c == 0x7f || strchr("(){%*\"\\", c) != NULL)
            break;
        n++;
    }
    *value = str_n(arena_copy(arena, text->data, n), n);
    skip(text, n);
    return n > 0;
}

/* A field name has printable ASCII and no colon (RFC 5322 section 3.6.8). */
static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] <= ' ' || name.data[i] == 0x7f || name.data[i] == ':')
            return false;
    }
    return name.length > 0;
}

static enum err_code take_field_name(struct arena *arena, struct str *text, struct str *name,
                                     struct err *err)
{
    if (!take_astring(arena, text, name) || !is_field_name(*name))
        return err_set(err, ERR_INVALID, "not a header field name");
    if (name->length > MIME_SECTION_NAME_MAX)
        return err_set(err, ERR_LIMIT, "a header field name has at most %d bytes",
                       MIME_SECTION_NAME_MAX);
    return ERR_NONE;
}

/* " (Date From)" */
static enum err_code parse_fields(struct arena *arena, struct str *text,
                                  struct mime_section *section, struct err *err)
{
    struct str names[MIME_SECTION_FIELDS_MAX];
    struct str *copy;

    if (!take_prefix(text, " ("))
        return err_set(err, ERR_INVALID, "HEADER.FIELDS needs a list of field names");
    do {
        enum err_code code;

        if (section->field_count == MIME_SECTION_FIELDS_MAX)
            return err_set(err, ERR_LIMIT, "a section has at most %d field names",
                           MIME_SECTION_FIELDS_MAX);
        code = take_field_name(arena, text, &names[section->field_count], err);
        if (code != ERR_NONE)
            return code;
        section->field_count++;
    } while (scan_byte(text, ' '));
    if (!scan_byte(text, ')'))
        return err_set(err, ERR_INVALID, "the list of field names is not closed");
    copy = arena_array(arena, section->field_count, sizeof(*copy));
    memcpy(copy, names, section->field_count * sizeof(*copy));
    section->fields = copy;
    return ERR_NONE;
}

struct keyword {
    const char *word;
    enum mime_section_kind kind;
};

/* The longer one of two that begin alike stands first. */
static const struct keyword keywords[] = {
    {"HEADER.FIELDS.NOT", MIME_SECTION_FIELDS_NOT},
    {"HEADER.FIELDS",     MIME_SECTION_FIELDS    },
    {"HEADER",            MIME_SECTION_HEADER    },
    {"TEXT",              MIME_SECTION_TEXT      },
    {"MIME",              MIME_SECTION_MIME      },
};

static const struct keyword *take_keyword(struct str *text)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (take_prefix(text, keywords[i].word))
            return &keywords[i];
    }
    return NULL;
}

static bool has_fields(const struct mime_section *section)
{
    return section->kind == MIME_SECTION_FIELDS || section->kind == MIME_SECTION_FIELDS_NOT;
}

enum err_code mime_section_parse(struct arena *arena, struct str text, size_t *used,
                                 struct mime_section *section, struct err *err)
{
    const char *begin = text.data;
    const struct keyword *keyword;
    enum err_code code;
    bool word;

    *section = (struct mime_section){.kind = MIME_SECTION_WHOLE};
    code = parse_numbers(arena, &text, section, &word, err);
    if (code != ERR_NONE)
        return code;
    keyword = section->depth == 0 || word ? take_keyword(&text) : NULL;
    if (keyword != NULL)
        section->kind = keyword->kind;
    else if (word)
        return err_set(err, ERR_INVALID, "not a section");
    if (section->kind == MIME_SECTION_MIME && section->depth == 0)
        return err_set(err, ERR_INVALID, "MIME needs a part number");
    if (has_fields(section))
        code = parse_fields(arena, &text, section, err);
    if (code != ERR_NONE)
        return code;
    if (!scan_byte(&text, ']'))
        return err_set(err, ERR_INVALID, "not a section");
    *used = (size_t)(text.data - begin);
    return ERR_NONE;
}

static bool is_atom(struct str name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] < 0 || strchr("(){%*\"\\]", name.data[i]) != NULL)
            return false;
    }
    return true;
}

static void write_fields(const struct mime_section *section, struct buf *out)
{
    for (unsigned i = 0; i < section->field_count; i++) {
        struct str name = section->fields[i];

        buf_text(out, i == 0 ? " (" : " ");
        if (is_atom(name))
            buf_append(out, name.data, name.length);
        else
            imap_string_write(out, name);
    }
    buf_byte(out, ')');
}

void mime_section_write(const struct mime_section *section, struct buf *out)
{
    for (unsigned i = 0; i < section->depth; i++)
        buf_printf(out, "%s%" PRIu32, i == 0 ? "" : ".", section->numbers[i]);
    if (section->kind == MIME_SECTION_WHOLE)
        return;
    if (section->depth > 0)
        buf_byte(out, '.');
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (keywords[i].kind == section->kind)
            buf_text(out, keywords[i].word);
    }
    if (has_fields(section))
        write_fields(section, out);
}
