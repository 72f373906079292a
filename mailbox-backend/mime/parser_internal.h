/* What the two halves of the parser share: parser.c knows lines, boundaries and the tree,
   parser_header.c the header of one part. */
#ifndef MAILBOX_BACKEND_MIME_PARSER_INTERNAL_H
#define MAILBOX_BACKEND_MIME_PARSER_INTERNAL_H

#include "mailbox-backend/mime/parser.h"

/* The header fields that are kept: those of enum mime_envelope_field, and these. */
enum kept_field {
    FIELD_TYPE = MIME_ENVELOPE_FIELDS,
    FIELD_ENCODING,
    FIELD_ID,
    FIELD_DESCRIPTION,
    FIELD_MD5,
    FIELD_DISPOSITION,
    FIELD_LANGUAGE,
    FIELD_LOCATION,
    KEPT_FIELDS
};

/* One occurrence of a kept field. */
struct field_piece {
    struct field_piece *next;
    struct str value;
};

struct mime_node {
    struct mime_part part; /* first, so that the tree of nodes is a tree of parts */
    struct mime_node *parent;
    struct mime_node *last_child;
    struct mime_envelope *envelope;
    struct field_piece *first[KEPT_FIELDS]; /* only while the header is being read */
    struct field_piece *newest[KEPT_FIELDS];
    unsigned depth;
    bool in_digest;
    struct str boundary;    /* empty: none is looked for */
    uint64_t lines_at_body; /* LFs before the body */
};

/* The header of parser->current begins. */
void parser_header_begin(struct mime_parser *parser);

/* Some bytes of a header line, without its LF; begins tells the first ones of a line. */
void parser_header_bytes(struct mime_parser *parser, const char *data, size_t length, bool begins);

/* The LF of a header line that is not blank. */
void parser_header_line_end(struct mime_parser *parser);

/* The header is over: fills the part of parser->current from what was kept. */
void parser_header_end(struct mime_parser *parser);

#endif
