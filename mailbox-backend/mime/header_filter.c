#include "mailbox-backend/mime/header_filter.h"

#include <string.h>

enum {
    LINE_BEGIN, /* nothing of the line has been seen */
    FIELD_NAME, /* its begin is held until the name is known */
    FIELD_REST  /* it passes or not up to its end */
};

void mime_header_filter_init(struct mime_header_filter *filter, const struct mime_section *section)
{
    filter->section = section;
    filter->total = 0;
    filter->ended = false;
    filter->state = LINE_BEGIN;
    filter->pass = section->kind == MIME_SECTION_FIELDS_NOT; /* for a continuation of nothing */
    filter->held = 0;
}

static void let_through(struct mime_header_filter *filter, const char *data, size_t length,
                        struct buf *out)
{
    filter->total += length;
    if (out != NULL)
        buf_append(out, data, length);
}

static bool is_listed(const struct mime_section *section, struct str name)
{
    for (unsigned i = 0; i < section->field_count; i++) {
        if (str_equal_nocase(section->fields[i], name))
            return true;
    }
    return false;
}

/* The line's begin is held and enough of it is known: whether it passes is decided now. What has no
   name is not among the fields asked for. */
static void decide(struct mime_header_filter *filter, bool has_name, struct buf *out)
{
    struct str name = str_n(filter->hold, filter->held);
    bool listed;

    while (name.length > 0 &&
           (name.data[name.length - 1] == ' ' || name.data[name.length - 1] == '\t'))
        name.length--;
    listed = has_name && is_listed(filter->section, name);
    filter->pass = listed == (filter->section->kind == MIME_SECTION_FIELDS);
    if (filter->pass)
        let_through(filter, filter->hold, filter->held, out);
    filter->held = 0;
    filter->state = FIELD_REST;
}

/* Takes bytes of a line's begin up to its colon or LF; returns how many were used. The deciding
   byte is not, but for the LF of the blank line. */
static size_t hold_begin(struct mime_header_filter *filter, const char *data, size_t length,
                         struct buf *out)
{
    size_t n = 0;

    while (n < length && data[n] != ':' && data[n] != '\n' && filter->held < sizeof(filter->hold))
        filter->hold[filter->held++] = data[n++];
    if (n == length)
        return n;
    if (data[n] == '\n' && (filter->held == 0 || (filter->held == 1 && filter->hold[0] == '\r'))) {
        let_through(filter, filter->hold, filter->held, out);
        let_through(filter, "\n", 1, out);
        filter->ended = true;
        return n + 1;
    }
    decide(filter, data[n] == ':', out);
    return n;
}

static size_t take_rest(struct mime_header_filter *filter, const char *data, size_t length,
                        struct buf *out)
{
    const char *end = memchr(data, '\n', length);
    size_t n = end == NULL ? length : (size_t)(end - data) + 1;

    if (filter->pass)
        let_through(filter, data, n, out);
    if (end != NULL)
        filter->state = LINE_BEGIN;
    return n;
}

void mime_header_filter_feed(struct mime_header_filter *filter, const void *data, size_t length,
                             struct buf *out)
{
    const char *bytes = data;

    while (length > 0 && !filter->ended) {
        size_t used;

        if (filter->state == LINE_BEGIN)
            filter->state = bytes[0] == ' ' || bytes[0] == '\t' ? FIELD_REST : FIELD_NAME;
        if (filter->state == FIELD_NAME)
            used = hold_begin(filter, bytes, length, out);
        else
            used = take_rest(filter, bytes, length, out);
        bytes += used;
        length -= used;
    }
}

void mime_header_filter_finish(struct mime_header_filter *filter, struct buf *out)
{
    if (filter->state == FIELD_NAME && !filter->ended && filter->held > 0)
        decide(filter, false, out);
}
