/* COMPRESS=DEFLATE (RFC 4978), with a client that compresses by zlib itself. */
#include "tests/unit/backend/harness.h"

#include <zlib.h>

#include "mailbox-backend/imap4/compress.h"
#include "mailbox-backend/imap4/engine.h"

struct stream {
    struct session *session;
    z_stream up, down;
    struct buf told; /* inflated */
};

static void expect(struct session *session, const char *expected)
{
    const char *line = session_take_line(session);

    assert_non_null(line);
    assert_string_equal(line, expected);
}

static void begin(struct stream *stream, struct harness *harness)
{
    *stream = (struct stream){0};
    harness_open(harness);
    stream->session = session_open(harness, &imap4_engine, NULL);
    session_take_line(stream->session);
    session_send_text(stream->session, "a COMPRESS DEFLATE\r\n");
    expect(stream->session, "a OK COMPRESS completed");
    assert_int_equal(deflateInit2(&stream->up, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(inflateInit2(&stream->down, -15), Z_OK);
}

static void end(struct stream *stream, struct harness *harness)
{
    deflateEnd(&stream->up);
    inflateEnd(&stream->down);
    buf_release(&stream->told);
    session_close(stream->session);
    harness_close(harness);
}

static void say(struct stream *stream, const void *bytes, size_t length)
{
    struct buf raw = {0};

    stream->up.next_in = (Bytef *)(uintptr_t)bytes;
    stream->up.avail_in = (uInt)length;
    stream->up.next_out = buf_reserve(&raw, length + 1000);
    stream->up.avail_out = (uInt)length + 1000;
    assert_int_equal(deflate(&stream->up, Z_SYNC_FLUSH), Z_OK);
    buf_commit(&raw, length + 1000 - stream->up.avail_out);
    session_send(stream->session, buf_bytes(&raw), buf_length(&raw));
    buf_release(&raw);
}

static void inflate_sent(struct stream *stream)
{
    struct buf *sent = &stream->session->sent;

    session_run(stream->session);
    while (buf_length(sent) > 0) {
        stream->down.next_in = (Bytef *)(uintptr_t)buf_bytes(sent);
        stream->down.avail_in = (uInt)buf_length(sent);
        stream->down.next_out = buf_reserve(&stream->told, 65536);
        stream->down.avail_out = 65536;
        assert_int_equal(inflate(&stream->down, Z_SYNC_FLUSH), Z_OK);
        buf_commit(&stream->told, 65536 - stream->down.avail_out);
        buf_consume(sent, buf_length(sent) - stream->down.avail_in);
    }
}

static void told_is(struct stream *stream, const char *expected)
{
    inflate_sent(stream);
    assert_int_equal(buf_length(&stream->told), strlen(expected));
    assert_memory_equal(buf_bytes(&stream->told), expected, strlen(expected));
    buf_truncate(&stream->told, 0);
}

static void commands_and_answers_are_compressed(void **state)
{
    struct harness harness;
    struct stream stream;

    (void)state;
    begin(&stream, &harness);
    say(&stream, "b NOOP\r\nc NOOP\r\n", 16);
    told_is(&stream, "b OK NOOP completed\r\nc OK NOOP completed\r\n");
    say(&stream, "d COMPRESS DEFLATE\r\n", 20);
    told_is(&stream, "d BAD Compression is active already\r\n");
    say(&stream, "e IDLE\r\n", 8);
    told_is(&stream, "+ idling\r\n");
    say(&stream, "DONE\r\n", 6);
    told_is(&stream, "e OK IDLE completed\r\n");
    say(&stream, "f LOGOUT\r\n", 10);
    told_is(&stream, "* BYE Logging out\r\nf OK LOGOUT completed\r\n");
    end(&stream, &harness);
}

static void large_messages_go_both_ways(void **state)
{
    struct harness harness;
    struct stream stream;
    struct buf text = {0};
    size_t length;

    (void)state;
    begin(&stream, &harness);
    stream.session->room = 10000;
    buf_text(&text, "b APPEND INBOX {600000+}\r\n");
    length = buf_length(&text);
    for (size_t i = 0; i < 600000; i++)
        buf_byte(&text, i % 77 == 76 ? '\n' : (uint8_t)('a' + i * i % 23));
    buf_text(&text, "\r\nc SELECT INBOX\r\nd FETCH 1 BODY.PEEK[]\r\n");
    say(&stream, buf_bytes(&text), buf_length(&text));
    inflate_sent(&stream);
    assert_true(buf_length(&stream.told) > 600000);
    assert_non_null(memmem(buf_bytes(&stream.told), buf_length(&stream.told),
                           buf_bytes(&text) + length, 600000));
    buf_release(&text);
    end(&stream, &harness);
}

/* 20 MB of one letter are some 20 KB: they pass through. */
static void few_bytes_that_become_many_are_inflated_little_by_little(void **state)
{
    struct harness harness;
    struct stream stream;
    char *zeros = mem_grow(NULL, 1000000, 1);

    (void)state;
    begin(&stream, &harness);
    memset(zeros, 'x', 1000000);
    say(&stream, "a NOOP ", 7);
    for (unsigned i = 0; i < 20; i++)
        say(&stream, zeros, 1000000);
    say(&stream, "\r\nb NOOP\r\n", 10);
    told_is(&stream, "a BAD The command line is too long\r\nb OK NOOP completed\r\n");
    free(zeros);
    end(&stream, &harness);
}

static void no_more_is_inflated_ahead_than_is_allowed(void **state)
{
    struct compress *compress = compress_create();
    struct buf raw = {0};
    z_stream up = {0};
    char *zeros = mem_grow(NULL, 1000000, 1);

    (void)state;
    memset(zeros, 0, 1000000);
    assert_int_equal(deflateInit2(&up, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    up.next_in = (Bytef *)zeros;
    up.avail_in = 1000000;
    up.next_out = buf_reserve(&raw, 100000);
    up.avail_out = 100000;
    assert_int_equal(deflate(&up, Z_SYNC_FLUSH), Z_OK);
    buf_commit(&raw, 100000 - up.avail_out);
    assert_true(compress_inflate(compress, &raw));
    assert_in_range(buf_length(compress_input(compress)), COMPRESS_AHEAD,
                    COMPRESS_AHEAD + (16 << 10));
    deflateEnd(&up);
    buf_release(&raw);
    free(zeros);
    compress_destroy(&compress);
}

static void broken_data_end_the_session(void **state)
{
    struct harness harness;
    struct stream stream;

    (void)state;
    begin(&stream, &harness);
    session_send_text(stream.session, "b NOOP\r\n");
    told_is(&stream, "* BYE The compressed data is broken\r\n");
    assert_true(stream.session->ended);
    end(&stream, &harness);
}

static void what_is_not_deflate_is_refused(void **state)
{
    struct harness harness;
    struct session *session;

    (void)state;
    harness_open(&harness);
    session = session_open(&harness, &imap4_engine, NULL);
    session_take_line(session);
    session_send_text(session,
                      "a COMPRESS LZ4\r\nb COMPRESS\r\nc COMPRESS DEFLATE 9\r\nd NOOP\r\n");
    expect(session, "a BAD Unknown compression");
    expect(session, "b BAD Missing argument");
    expect(session, "c BAD Unexpected extra arguments");
    expect(session, "d OK NOOP completed");
    session_close(session);
    harness_close(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_and_answers_are_compressed),
        cmocka_unit_test(large_messages_go_both_ways),
        cmocka_unit_test(few_bytes_that_become_many_are_inflated_little_by_little),
        cmocka_unit_test(no_more_is_inflated_ahead_than_is_allowed),
        cmocka_unit_test(broken_data_end_the_session),
        cmocka_unit_test(what_is_not_deflate_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
