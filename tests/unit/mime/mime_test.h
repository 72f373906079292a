/* What the tests of the MIME code share. */
#ifndef TESTS_UNIT_MIME_MIME_TEST_H
#define TESTS_UNIT_MIME_MIME_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/mime/parser.h"

static inline const struct mime_part *parse_bytes(struct arena *arena, const void *data,
                                                  size_t length)
{
    struct mime_parser parser;

    mime_parser_init(&parser, arena, NULL);
    mime_parser_feed(&parser, data, length);
    return mime_parser_finish(&parser);
}

static inline const struct mime_part *parse_text(struct arena *arena, const char *text)
{
    return parse_bytes(arena, text, strlen(text));
}

static inline void assert_str(struct str actual, const char *expected)
{
    char *text;

    if (expected == NULL) {
        assert_null(actual.data);
        return;
    }
    assert_non_null(actual.data);
    text = strndup(actual.data, actual.length);
    assert_string_equal(text, expected);
    assert_int_equal(actual.length, strlen(expected));
    free(text);
}

/* Compares what a buffer holds and empties it. */
static inline void assert_buf(struct buf *buf, const char *expected)
{
    buf_byte(buf, '\0');
    assert_string_equal((const char *)buf_bytes(buf), expected);
    assert_int_equal(buf_length(buf), strlen(expected) + 1);
    buf_release(buf);
}

#endif
