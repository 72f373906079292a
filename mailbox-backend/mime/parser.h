/* A push parser for whole messages: one pass over bytes that come in pieces of any size, memory
   bounded by limits whatever the message holds. Any bytes are a message. Lines end at LF, with or
   without a CR before it. How the message was cut into pieces makes no difference to the result. */
#ifndef MAILBOX_BACKEND_MIME_PARSER_H
#define MAILBOX_BACKEND_MIME_PARSER_H

#include "common/arena.h"
#include "mailbox-backend/mime/part.h"

struct mime_limits {
    unsigned parts;     /* at most so many parts: all that follows is body of the last one */
    unsigned depth;     /* a multipart or message nested deeper stays a MIME_LEAF */
    unsigned params;    /* parameters kept of one header field */
    size_t field_bytes; /* kept of one header field */
    size_t part_bytes;  /* kept of one part's header */
    size_t total_bytes; /* kept of all headers together */
    bool global;        /* message/global (RFC 6532) is looked into as message/rfc822 is */
};

/* What the back end uses: 1,000 parts, depth 100, 128 parameters, 128 KB a field, 256 KB a part,
   512 KB in all; message/global is a leaf as any other. */
extern const struct mime_limits mime_default_limits;

/* A boundary longer than this is none (RFC 2046 allows 70). */
#define MIME_BOUNDARY_MAX 256

/* Longer field names are not among those that matter. */
#define MIME_NAME_MAX 32

struct mime_node; /* a part while it is being built */

/* Embed it; the members are the parser's own. */
struct mime_parser {
    struct arena *arena;
    struct mime_limits limits;
    struct mime_node *root;
    struct mime_node *current; /* the part whose header or body is being read */
    unsigned parts;
    size_t part_kept;
    size_t total_kept;

    uint64_t offset; /* bytes fed so far */
    uint64_t lines;  /* LFs fed so far */
    bool in_header;

    /* The line being read. */
    uint64_t line_start;
    bool line_open;        /* some of it has been seen */
    char last;             /* its newest byte */
    unsigned previous_end; /* length of the line end before it: 0, 1 or 2 */
    bool maybe_boundary;   /* begins with "--" as far as it was seen */
    bool rest_blank;       /* what did not fit into prefix is white space */
    size_t prefix_length;
    char prefix[2 + MIME_BOUNDARY_MAX + 2];

    /* The header field being read. */
    int field; /* which one, or one of the states of the header reader */
    size_t name_length;
    char name[MIME_NAME_MAX];
    bool cut; /* the value went over a limit */
    size_t value_length;
    size_t value_limit;
    size_t value_size;
    char *value; /* the arena's, reused from field to field */
};

/* Begins a message. The tree and all it points to will be the arena's; it stays good until the
   arena is reset, and a parser that is given up needs no end of its own. limits is copied; NULL
   stands for mime_default_limits. */
void mime_parser_init(struct mime_parser *parser, struct arena *arena,
                      const struct mime_limits *limits);

/* The next bytes of the message. */
void mime_parser_feed(struct mime_parser *parser, const void *data, size_t length);

/* Whether the header of the message itself has been read whole: enough, after mime_parser_finish(),
   for its envelope, or for a search in its header. */
bool mime_parser_has_header(const struct mime_parser *parser);

/* Whether what is fed next, at the start of a line, is of a header: the message's, a part's, or that of a
   message inside. The blank line behind it is. */
bool mime_parser_in_header(const struct mime_parser *parser);

/* Ends the message and gives its tree, never NULL: an empty message is an empty text/plain part.
   The parser must not be fed afterwards. */
const struct mime_part *mime_parser_finish(struct mime_parser *parser);

#endif
