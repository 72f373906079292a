#include "mailbox-backend/mime/parser.h"

#include <string.h>

#include "mailbox-backend/mime/parser_internal.h"

const struct mime_limits mime_default_limits = {
    .parts = 1000,
    .depth = 100,
    .params = 128,
    .field_bytes = (size_t)128 << 10,
    .part_bytes = (size_t)256 << 10,
    .total_bytes = (size_t)512 << 10,
};

/* Makes the part whose header begins at offset and reads it from now on. A part that is a message
   has an envelope. */
static void open_part(struct mime_parser *parser, struct mime_node *parent, bool message,
                      uint64_t offset)
{
    struct mime_node *node = arena_alloc(parser->arena, sizeof(*node));

    node->parent = parent;
    node->part.header_offset = offset;
    if (message) {
        node->envelope = arena_alloc(parser->arena, sizeof(*node->envelope));
        node->part.envelope = node->envelope;
    }
    if (parent != NULL) {
        node->depth = parent->depth + 1;
        node->in_digest = mime_part_is(&parent->part, "multipart", "digest");
        node->part.parent = &parent->part;
        if (parent->last_child == NULL)
            parent->part.children = &node->part;
        else
            parent->last_child->part.next = &node->part;
        parent->last_child = node;
    }
    parser->parts++;
    parser->current = node;
    parser->in_header = true;
    parser_header_begin(parser);
}

static struct str boundary_of(const struct mime_part *part)
{
    struct str boundary = mime_part_param(part, "boundary");

    while (boundary.length > 0 && (boundary.data[boundary.length - 1] == ' ' ||
                                   boundary.data[boundary.length - 1] == '\t'))
        boundary.length--;
    if (boundary.length > MIME_BOUNDARY_MAX)
        boundary.length = 0;
    return boundary;
}

/* What is encoded as a whole shows nothing of the message in it (RFC 2046 section 5.2.1 forbids it, but
   it comes). */
static bool is_encoded(const struct mime_part *part)
{
    return str_is_nocase(part->encoding, "base64") ||
           str_is_nocase(part->encoding, "quoted-printable");
}

static bool is_message(const struct mime_parser *parser, const struct mime_part *part)
{
    return mime_part_is(part, "message", "rfc822") ||
           (parser->limits.global && mime_part_is(part, "message", "global"));
}

/* The header of the current part ends at offset, where its body or the message in it begins. */
static void end_header(struct mime_parser *parser, uint64_t offset)
{
    struct mime_node *node = parser->current;
    struct mime_part *part = &node->part;
    bool may_nest = node->depth < parser->limits.depth && parser->parts < parser->limits.parts;
    bool multipart;
    bool message;

    parser_header_end(parser);
    parser->in_header = false;
    part->header_length = offset - part->header_offset;
    part->body_offset = offset;
    node->lines_at_body = parser->lines;
    multipart = mime_part_is(part, "multipart", NULL);
    message = is_message(parser, part);
    if (may_nest && multipart) {
        part->kind = MIME_MULTIPART;
        node->boundary = boundary_of(part);
    } else if (may_nest && message && !is_encoded(part)) {
        part->kind = MIME_MESSAGE;
        open_part(parser, node, true, offset);
    } else {
        part->opaque = multipart || message;
    }
}

/* The current part ends where the given number of bytes and LFs have passed; the one around it goes
   on. */
static void close_part(struct mime_parser *parser, uint64_t offset, uint64_t lines)
{
    struct mime_node *node = parser->current;

    if (offset > node->part.body_offset) {
        node->part.body_length = offset - node->part.body_offset;
        node->part.body_lines = lines - node->lines_at_body;
    }
    parser->current = node->parent;
}

/* Ends the headers that are cut short at offset: that of the current part and, when it turns out to
   be a message, that of the message inside. */
static void cut_headers(struct mime_parser *parser, uint64_t offset)
{
    while (parser->in_header)
        end_header(parser, offset);
}

/* The open multipart whose boundary the line is; *closing tells whether it is the last one. */
static struct mime_node *find_boundary(const struct mime_parser *parser, bool *closing)
{
    struct str line = str_n(parser->prefix, parser->prefix_length);

    while (line.length > 0 && strchr(" \t\r", line.data[line.length - 1]) != NULL)
        line.length--;
    if (!parser->rest_blank || line.length < 3)
        return NULL;
    line.data += 2;
    line.length -= 2;
    for (struct mime_node *node = parser->current; node != NULL; node = node->parent) {
        struct str boundary = node->boundary;

        if (boundary.length == 0 || line.length < boundary.length ||
            memcmp(line.data, boundary.data, boundary.length) != 0)
            continue;
        *closing =
            line.length == boundary.length + 2 && memcmp(line.data + boundary.length, "--", 2) == 0;
        if (*closing || line.length == boundary.length)
            return node;
    }
    return NULL;
}

/* The line that ends now is a boundary of node. */
static void on_boundary(struct mime_parser *parser, struct mime_node *node, bool closing)
{
    /* The line end before it is not content (RFC 2046 section 5.1.1). */
    uint64_t end = parser->line_start - parser->previous_end;
    uint64_t lines = parser->lines - (parser->previous_end > 0 ? 1 : 0);

    cut_headers(parser, parser->line_start);
    while (parser->current != node)
        close_part(parser, end, lines);
    if (closing)
        node->boundary.length = 0; /* an epilogue follows */
    else
        open_part(parser, node, false, parser->offset);
}

/* Beyond the limit of parts nothing is a boundary any more. */
static bool take_boundary(struct mime_parser *parser)
{
    struct mime_node *node = NULL;
    bool closing = false;

    if (parser->maybe_boundary && parser->prefix_length >= 2 &&
        parser->parts < parser->limits.parts)
        node = find_boundary(parser, &closing);
    if (node != NULL)
        on_boundary(parser, node, closing);
    return node != NULL;
}

static void end_line(struct mime_parser *parser)
{
    uint64_t length = parser->offset - parser->line_start;
    bool with_cr = length > 0 && parser->last == '\r';
    bool blank = length == 0 || (length == 1 && with_cr);
    bool boundary;

    parser->offset++;
    boundary = parser->line_open && take_boundary(parser);
    parser->lines++;
    if (!boundary && parser->in_header) {
        if (blank)
            end_header(parser, parser->offset);
        else
            parser_header_line_end(parser);
    }
    parser->previous_end = with_cr ? 2 : 1;
    parser->line_start = parser->offset;
    parser->line_open = false;
}

/* Keeps the begin of a line that may be a boundary; further on only white space may follow. */
static void add_to_prefix(struct mime_parser *parser, const char *data, size_t length)
{
    size_t room = sizeof(parser->prefix) - parser->prefix_length;
    size_t n = length < room ? length : room;

    memcpy(parser->prefix + parser->prefix_length, data, n);
    parser->prefix_length += n;
    if (parser->prefix_length >= 2 && parser->prefix[1] != '-')
        parser->maybe_boundary = false;
    for (; n < length && parser->rest_blank; n++)
        parser->rest_blank = data[n] == ' ' || data[n] == '\t' || data[n] == '\r';
}

static void add_to_line(struct mime_parser *parser, const char *data, size_t length)
{
    bool begins = !parser->line_open;

    if (begins) {
        parser->line_open = true;
        parser->maybe_boundary = data[0] == '-';
        parser->rest_blank = true;
        parser->prefix_length = 0;
    }
    if (parser->maybe_boundary)
        add_to_prefix(parser, data, length);
    if (parser->in_header)
        parser_header_bytes(parser, data, length, begins);
    parser->last = data[length - 1];
    parser->offset += length;
}

void mime_parser_init(struct mime_parser *parser, struct arena *arena,
                      const struct mime_limits *limits)
{
    *parser = (struct mime_parser){.arena = arena,
                                   .limits = limits == NULL ? mime_default_limits : *limits};
    open_part(parser, NULL, true, 0);
    parser->root = parser->current;
}

void mime_parser_feed(struct mime_parser *parser, const void *data, size_t length)
{
    const char *bytes = data;

    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t n = end == NULL ? length : (size_t)(end - bytes);

        if (n > 0)
            add_to_line(parser, bytes, n);
        if (end == NULL)
            return;
        end_line(parser);
        bytes += n + 1;
        length -= n + 1;
    }
}

bool mime_parser_in_header(const struct mime_parser *parser)
{
    return parser->in_header;
}

bool mime_parser_has_header(const struct mime_parser *parser)
{
    return !parser->in_header || parser->current != parser->root;
}

const struct mime_part *mime_parser_finish(struct mime_parser *parser)
{
    if (parser->line_open)
        take_boundary(parser);
    cut_headers(parser, parser->offset);
    while (parser->current != NULL)
        close_part(parser, parser->offset, parser->lines);
    return &parser->root->part;
}
