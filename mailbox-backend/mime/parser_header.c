#include <string.h>

#include "mailbox-backend/mime/parameter.h"
#include "mailbox-backend/mime/parser_internal.h"
#include "mailbox-backend/mime/scan.h"

/* States of the reader, in parser->field, when no kept field is being read. */
enum {
    FIELD_SKIP = -1, /* a field that is not kept, or no field at all */
    FIELD_NAME = -2  /* before the colon */
};

/* What a kept field counts for beside its bytes, so that many empty ones are bounded too. */
#define PIECE_COST ((size_t)64)

#define FIRST_VALUE_SIZE ((size_t)256)

static const char *const field_names[KEPT_FIELDS] = {
    [MIME_DATE] = "Date",
    [MIME_SUBJECT] = "Subject",
    [MIME_FROM] = "From",
    [MIME_SENDER] = "Sender",
    [MIME_REPLY_TO] = "Reply-To",
    [MIME_TO] = "To",
    [MIME_CC] = "Cc",
    [MIME_BCC] = "Bcc",
    [MIME_IN_REPLY_TO] = "In-Reply-To",
    [MIME_MESSAGE_ID] = "Message-ID",
    [MIME_REFERENCES] = "References",
    [FIELD_TYPE] = "Content-Type",
    [FIELD_ENCODING] = "Content-Transfer-Encoding",
    [FIELD_ID] = "Content-ID",
    [FIELD_DESCRIPTION] = "Content-Description",
    [FIELD_MD5] = "Content-MD5",
    [FIELD_DISPOSITION] = "Content-Disposition",
    [FIELD_LANGUAGE] = "Content-Language",
    [FIELD_LOCATION] = "Content-Location",
};

static bool is_address_field(int field)
{
    return field >= MIME_FROM && field <= MIME_BCC;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void parser_header_begin(struct mime_parser *parser)
{
    parser->field = FIELD_SKIP;
    parser->part_kept = 0;
}

/* Which field the name that was read is, if its value is wanted. */
static int field_of_name(const struct mime_parser *parser)
{
    struct str name = str_n(parser->name, parser->name_length);
    int first = parser->current->envelope != NULL ? 0 : FIELD_TYPE;

    while (name.length > 0 &&
           (name.data[name.length - 1] == ' ' || name.data[name.length - 1] == '\t'))
        name.length--;
    for (int field = first; field < KEPT_FIELDS; field++) {
        if (!str_is_nocase(name, field_names[field]))
            continue;
        if (parser->current->first[field] != NULL && !is_address_field(field))
            return FIELD_SKIP; /* the first one counts */
        return field;
    }
    return FIELD_SKIP;
}

static void begin_value(struct mime_parser *parser)
{
    size_t left = smaller(parser->limits.part_bytes - parser->part_kept,
                          parser->limits.total_bytes - parser->total_kept);

    parser->field = field_of_name(parser);
    if (left <= PIECE_COST)
        parser->field = FIELD_SKIP;
    else
        parser->value_limit = smaller(left - PIECE_COST, parser->limits.field_bytes);
    parser->value_length = 0;
    parser->cut = false;
}

static void grow_value(struct mime_parser *parser)
{
    size_t size = parser->value_size == 0 ? FIRST_VALUE_SIZE : parser->value_size * 2;
    char *value = arena_alloc(parser->arena, size);

    if (parser->value_length > 0)
        memcpy(value, parser->value, parser->value_length);
    parser->value = value;
    parser->value_size = size;
}

static void add_to_value(struct mime_parser *parser, const char *data, size_t length)
{
    for (size_t i = 0; i < length && !parser->cut; i++) {
        char c = data[i];

        if (c == '\0' || (parser->value_length == 0 && (c == ' ' || c == '\t')))
            continue;
        if (parser->value_length == parser->value_limit) {
            parser->cut = true;
            return;
        }
        if (parser->value_length == parser->value_size)
            grow_value(parser);
        parser->value[parser->value_length++] = c;
    }
}

/* Takes name bytes up to a colon; returns how many bytes of data were used. */
static size_t add_to_name(struct mime_parser *parser, const char *data, size_t length)
{
    const char *colon = memchr(data, ':', length);
    size_t n = colon == NULL ? length : (size_t)(colon - data);

    if (n > sizeof(parser->name) - parser->name_length) {
        parser->field = FIELD_SKIP;
        return length;
    }
    memcpy(parser->name + parser->name_length, data, n);
    parser->name_length += n;
    if (colon == NULL)
        return length;
    begin_value(parser);
    return n + 1;
}

/* An address that the limit cut in two is better left out. */
static void drop_cut_address(struct mime_parser *parser)
{
    while (parser->value_length > 0 && parser->value[parser->value_length - 1] != ',')
        parser->value_length--;
    if (parser->value_length > 0)
        parser->value_length--;
}

static void finish_field(struct mime_parser *parser)
{
    struct mime_node *node = parser->current;
    struct field_piece *piece;
    struct str value;

    if (parser->field < 0)
        return;
    if (parser->cut && is_address_field(parser->field))
        drop_cut_address(parser);
    value = str_trim(str_n(parser->value, parser->value_length));
    piece = arena_alloc(parser->arena, sizeof(*piece));
    piece->value = str_n(arena_copy(parser->arena, value.data, value.length), value.length);
    if (node->first[parser->field] == NULL)
        node->first[parser->field] = piece;
    else
        node->newest[parser->field]->next = piece;
    node->newest[parser->field] = piece;
    parser->part_kept += value.length + PIECE_COST;
    parser->total_kept += value.length + PIECE_COST;
    parser->field = FIELD_SKIP;
}

void parser_header_bytes(struct mime_parser *parser, const char *data, size_t length, bool begins)
{
    if (begins && data[0] != ' ' && data[0] != '\t') {
        finish_field(parser);
        parser->field = FIELD_NAME;
        parser->name_length = 0;
    }
    if (parser->field == FIELD_NAME) {
        size_t used = add_to_name(parser, data, length);

        data += used;
        length -= used;
    }
    if (parser->field >= 0)
        add_to_value(parser, data, length);
}

void parser_header_line_end(struct mime_parser *parser)
{
    if (parser->field == FIELD_NAME)
        parser->field = FIELD_SKIP;
    else if (parser->field >= 0 && parser->value_length > 0 &&
             parser->value[parser->value_length - 1] == '\r')
        parser->value_length--;
}

static struct str only_value(const struct mime_node *node, int field)
{
    return node->first[field] == NULL ? (struct str){NULL, 0} : node->first[field]->value;
}

static struct str joined_value(struct mime_parser *parser, int field)
{
    const struct field_piece *first = parser->current->first[field];
    size_t size = 0;
    size_t length = 0;
    char *text;

    if (first == NULL || first->next == NULL)
        return only_value(parser->current, field);
    for (const struct field_piece *piece = first; piece != NULL; piece = piece->next)
        size += piece->value.length + 2;
    text = arena_alloc(parser->arena, size);
    for (const struct field_piece *piece = first; piece != NULL; piece = piece->next) {
        memcpy(text + length, piece->value.data, piece->value.length);
        length += piece->value.length;
        if (piece->next != NULL) {
            text[length++] = ',';
            text[length++] = ' ';
        }
    }
    return str_n(text, length);
}

/* RFC 2045 section 5.2: what is missing or not readable is text/plain; in a multipart/digest a part
   without Content-Type is a message. */
static void fill_type(struct mime_parser *parser, struct mime_part *part)
{
    struct str text = only_value(parser->current, FIELD_TYPE);
    bool digest = text.data == NULL && parser->current->in_digest;
    struct str type;
    struct str subtype;
    bool good;

    scan_cfws(&text, NULL);
    good = scan_token(&text, &type);
    scan_cfws(&text, NULL);
    good = good && scan_byte(&text, '/');
    scan_cfws(&text, NULL);
    good = good && scan_token(&text, &subtype);
    if (!good) {
        part->type = digest ? STR("message") : STR("text");
        part->subtype = digest ? STR("rfc822") : STR("plain");
        return;
    }
    part->type = type;
    part->subtype = subtype;
    part->params = mime_params_parse(parser->arena, text, parser->limits.params);
}

static void fill_disposition(struct mime_parser *parser, struct mime_part *part)
{
    struct str text = only_value(parser->current, FIELD_DISPOSITION);

    scan_cfws(&text, NULL);
    if (!scan_token(&text, &part->disposition)) {
        part->disposition = (struct str){NULL, 0};
        return;
    }
    part->disposition_params = mime_params_parse(parser->arena, text, parser->limits.params);
}

static void fill_encoding(const struct mime_node *node, struct mime_part *part)
{
    struct str text = only_value(node, FIELD_ENCODING);

    scan_cfws(&text, NULL);
    if (!scan_token(&text, &part->encoding))
        part->encoding = (struct str){NULL, 0};
}

static void fill_envelope(struct mime_parser *parser, struct mime_envelope *envelope)
{
    for (int field = 0; field < MIME_ENVELOPE_FIELDS; field++)
        envelope->field[field] = joined_value(parser, field);
}

void parser_header_end(struct mime_parser *parser)
{
    struct mime_node *node = parser->current;
    struct mime_part *part = &node->part;

    finish_field(parser);
    fill_type(parser, part);
    fill_encoding(node, part);
    fill_disposition(parser, part);
    part->id = only_value(node, FIELD_ID);
    part->description = only_value(node, FIELD_DESCRIPTION);
    part->md5 = only_value(node, FIELD_MD5);
    part->language = only_value(node, FIELD_LANGUAGE);
    part->location = only_value(node, FIELD_LOCATION);
    if (node->envelope != NULL)
        fill_envelope(parser, node->envelope);
}
