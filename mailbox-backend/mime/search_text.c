#include "mailbox-backend/mime/search_text.h"

#include <string.h>

#include "common/buf.h"
#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/header.h"
#include "mailbox-backend/mime/parameter.h"
#include "mailbox-backend/mime/transfer.h"

/* A header field is decoded in pieces of at most this many bytes, a body in steps. */
#define FIELD_PIECE ((size_t)64 << 10)
#define BODY_STEP ((size_t)8 << 10)

struct mime_search {
    const struct mime_part *root;
    struct mime_search_key *keys;
    unsigned count;
    const struct mime_search_tap *tap; /* or NULL */

    const struct mime_part
        *part;    /* the part that comes next or is being read; NULL behind the last */
    bool in_body; /* of part, else its header */
    bool entered;
    uint64_t offset; /* bytes fed so far */

    /* The header field being read. */
    struct buf field;
    bool line_begins;
    bool continues; /* its first pieces were decoded already */
    struct str name;
    char name_text[128];

    /* The body being read. */
    bool wanted;
    struct transfer_stream transfer;
    struct charset_stream charset;
    struct buf bytes;
    struct buf text;
};

struct mime_search *mime_search_begin(struct arena *arena, const struct mime_part *root,
                                      struct mime_search_key *keys, unsigned count)
{
    struct mime_search *search = arena_alloc(arena, sizeof(*search));

    search->root = root;
    search->part = root;
    search->keys = keys;
    search->count = count;
    return search;
}

void mime_search_give(struct mime_search *search, const struct mime_search_tap *tap)
{
    search->tap = tap;
}

uint64_t mime_search_need(const struct mime_search *search)
{
    bool header_is_enough = search->tap == NULL;

    for (unsigned i = 0; i < search->count; i++) {
        if (search->keys[i].scope != MIME_SEARCH_FIELD)
            header_is_enough = false;
    }
    return header_is_enough ? search->root->header_length
                            : search->root->body_offset + search->root->body_length;
}

static bool is_own_header(const struct mime_search *search)
{
    return search->part == search->root && !search->in_body;
}

/* Whether a key looks at the text that is being read now. */
static bool concerns(const struct mime_search *search, const struct mime_search_key *key)
{
    switch (key->scope) {
    case MIME_SEARCH_FIELD:
        return is_own_header(search) && search->name.length > 0 &&
               str_equal_nocase(search->name, key->field);
    case MIME_SEARCH_BODY:
        return !is_own_header(search);
    case MIME_SEARCH_TEXT:
        return true;
    }
    return false;
}

static void match_bytes(struct mime_search *search, const void *data, size_t length)
{
    for (unsigned i = 0; i < search->count; i++) {
        if (concerns(search, &search->keys[i]))
            text_match_feed(&search->keys[i].match, data, length);
    }
    if (search->tap != NULL)
        search->tap->text(search->tap->context, data, length);
}

/* Gives the decoded text to the keys and empties it. */
static void match_decoded(struct mime_search *search)
{
    size_t length = buf_length(&search->text);

    match_bytes(search, length == 0 ? (const void *)"" : buf_bytes(&search->text), length);
    buf_truncate(&search->text, 0);
}

static void match_break(struct mime_search *search)
{
    for (unsigned i = 0; i < search->count; i++)
        text_match_break(&search->keys[i].match);
    if (search->tap != NULL)
        search->tap->seam(search->tap->context);
}

/* "Subject: " is part of a header's text, but not of the field's value. */
static void match_name(struct mime_search *search)
{
    for (unsigned i = 0; i < search->count; i++) {
        struct mime_search_key *key = &search->keys[i];

        if (key->scope == MIME_SEARCH_FIELD || !concerns(search, key))
            continue;
        text_match_feed(&key->match, search->name.data, search->name.length);
        text_match_feed(&key->match, ": ", 2);
    }
    if (search->tap != NULL) {
        search->tap->text(search->tap->context, search->name.data, search->name.length);
        search->tap->text(search->tap->context, ": ", 2);
    }
}

static void keep_name(struct mime_search *search, struct str name)
{
    if (name.length > sizeof(search->name_text))
        name.length = 0; /* nobody asks for it */
    memcpy(search->name_text, name.data, name.length);
    search->name = str_n(search->name_text, name.length);
}

/* Decodes what is held of the header field. */
static void match_field_piece(struct mime_search *search)
{
    struct str rest = str_n(buf_bytes(&search->field), buf_length(&search->field));
    struct arena arena = {0};
    struct mime_field field;

    if (search->continues) {
        field.value = rest;
    } else {
        if (!mime_field_next(&rest, &field)) {
            buf_truncate(&search->field, 0); /* the blank line */
            return;
        }
        keep_name(search, field.name);
        match_name(search);
    }
    mime_words_decode(mime_unfold(&arena, field.value), &search->text);
    match_decoded(search);
    arena_reset(&arena);
    buf_truncate(&search->field, 0);
}

static void end_field(struct mime_search *search)
{
    if (buf_length(&search->field) > 0)
        match_field_piece(search);
    match_break(search);
    search->continues = false;
}

static void read_header_line(struct mime_search *search, const char *data, size_t length)
{
    if (search->line_begins && data[0] != ' ' && data[0] != '\t')
        end_field(search);
    search->line_begins = data[length - 1] == '\n';
    while (length > 0) {
        size_t room = FIELD_PIECE - buf_length(&search->field);
        size_t n = length < room ? length : room;

        buf_append(&search->field, data, n);
        data += n;
        length -= n;
        if (buf_length(&search->field) == FIELD_PIECE) {
            match_field_piece(search);
            search->continues = true;
        }
    }
}

static void read_header(struct mime_search *search, const char *data, size_t length)
{
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t n = end == NULL ? length : (size_t)(end - data) + 1;

        read_header_line(search, data, n);
        data += n;
        length -= n;
    }
}

/* The name of an attachment may be written in pieces and encoded, so it is searched decoded too. */
static void match_attachment_name(struct mime_search *search)
{
    search->name.length = 0;
    if (mime_param_decode(search->part->disposition_params, "filename", &search->text))
        match_decoded(search);
    match_break(search);
    if (mime_param_decode(search->part->params, "name", &search->text))
        match_decoded(search);
    match_break(search);
}

static void enter_header(struct mime_search *search)
{
    match_attachment_name(search);
    search->line_begins = true;
    search->continues = false;
}

static void enter_body(struct mime_search *search)
{
    const struct mime_part *part = search->part;

    search->wanted = mime_part_is(part, "text", NULL) || mime_part_is(part, "message", NULL);
    if (!search->wanted)
        return;
    transfer_init(&search->transfer, transfer_encoding_of(part->encoding));
    if (charset_open(&search->charset, mime_part_param(part, "charset"), NULL) != ERR_NONE)
        charset_open(&search->charset, STR("utf-8"), NULL); /* needs nothing, cannot fail */
}

static void convert_step(struct mime_search *search)
{
    if (buf_length(&search->bytes) > 0)
        charset_feed(&search->charset, buf_bytes(&search->bytes), buf_length(&search->bytes),
                     &search->text);
    buf_truncate(&search->bytes, 0);
}

static void read_body(struct mime_search *search, const char *data, size_t length)
{
    while (search->wanted && length > 0) {
        size_t n = length < BODY_STEP ? length : BODY_STEP;

        transfer_feed(&search->transfer, data, n, &search->bytes);
        convert_step(search);
        match_decoded(search);
        data += n;
        length -= n;
    }
}

static void leave_body(struct mime_search *search)
{
    if (!search->wanted)
        return;
    transfer_finish(&search->transfer, &search->bytes);
    convert_step(search);
    charset_finish(&search->charset, &search->text);
    charset_close(&search->charset);
    match_decoded(search);
    match_break(search);
}

static void enter(struct mime_search *search)
{
    search->entered = true;
    if (search->in_body)
        enter_body(search);
    else
        enter_header(search);
}

static void leave(struct mime_search *search)
{
    if (search->in_body)
        leave_body(search);
    else
        end_field(search);
    search->entered = false;
}

/* What is searched comes in this order: a part's header, its body if it is a leaf, the next part. */
static void go_on(struct mime_search *search)
{
    if (!search->in_body && search->part->kind == MIME_LEAF) {
        search->in_body = true;
        return;
    }
    search->in_body = false;
    search->part = mime_part_next(search->part);
}

static bool is_decided(const struct mime_search *search)
{
    for (unsigned i = 0; i < search->count; i++) {
        if (!search->keys[i].match.found)
            return false;
    }
    return search->tap == NULL;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Reads on in the region that comes next; returns how many bytes were used or passed over. */
static size_t read_region(struct mime_search *search, const char *data, size_t length)
{
    const struct mime_part *part = search->part;
    uint64_t begin = search->in_body ? part->body_offset : part->header_offset;
    uint64_t end = begin + (search->in_body ? part->body_length : part->header_length);
    size_t n;

    if (search->offset < begin) {
        n = (size_t)smaller(length, begin - search->offset); /* boundaries, preambles */
        search->offset += n;
        return n;
    }
    if (!search->entered)
        enter(search);
    n = (size_t)smaller(length, end - search->offset);
    if (search->in_body)
        read_body(search, data, n);
    else
        read_header(search, data, n);
    search->offset += n;
    if (search->offset == end) {
        leave(search);
        go_on(search);
    }
    return n;
}

bool mime_search_feed(struct mime_search *search, const void *data, size_t length)
{
    const char *bytes = data;

    while (length > 0 && search->part != NULL && !is_decided(search)) {
        size_t used = read_region(search, bytes, length);

        bytes += used;
        length -= used;
    }
    return is_decided(search);
}

void mime_search_end(struct mime_search **search_at)
{
    struct mime_search *search = *search_at;

    if (search->entered)
        leave(search);
    for (unsigned i = 0; i < search->count; i++) {
        struct mime_search_key *key = &search->keys[i];

        if (key->scope != MIME_SEARCH_FIELD && key->match.length == 0)
            key->match.found = true;
    }
    buf_release(&search->field);
    buf_release(&search->bytes);
    buf_release(&search->text);
    *search_at = NULL;
}
