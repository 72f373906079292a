/* FETCH of what dialogues cannot show: large messages, long headers, many messages, damaged ones. */
#include <fcntl.h>

#include "common/base64.h"
#include "mailbox-backend/imap4/engine.h"
#include "mailbox-backend/mailbox/delivery.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "tests/unit/backend/harness.h"

/* What a step may write beyond the room that there was: a label, a line, a chunk's rest. */
#define OVERSHOOT 256

struct fixture {
    struct harness harness;
    struct session *session;
    struct buf heard;
    size_t most; /* bytes of output that any step left */
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    harness_open(&fixture.harness);
    fixture.session = session_open(&fixture.harness, &imap4_engine, NULL);
    assert_non_null(session_take_line(fixture.session));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    session_close(fixture->session);
    buf_release(&fixture->heard);
    harness_close(&fixture->harness);
    return 0;
}

/* ---- messages ---- */

/* Puts a message into the inbox as delivery does. */
static void deliver(struct fixture *fixture, struct str text)
{
    struct store *store = fixture->harness.backend.store;
    struct store_op op = {.folder = STORE_INBOX_FOLDER};
    struct intake *intake;
    struct err err;

    assert_int_equal(mailbox_open(store, &fixture->harness.account, &op.mailbox, &err), ERR_NONE);
    assert_int_equal(intake_create(store, store_mailbox_database(op.mailbox), 0, &intake, &err),
                     ERR_NONE);
    assert_int_equal(intake_append(intake, text.data, text.length, &err), ERR_NONE);
    assert_int_equal(intake_finish(intake, &err), ERR_NONE);
    intake_fill(intake, &op);
    assert_int_equal(store_run(&op), ERR_NONE);
    intake_destroy(&intake);
    store_mailbox_unref(&op.mailbox);
}

static struct str bytes_of(const struct buf *buf)
{
    return str_n(buf_bytes(buf), buf_length(buf));
}

/* A message with a body of size bytes, every 64 of them different. */
static void make_large(struct buf *text, size_t size)
{
    size_t end;

    buf_text(text, "Subject: large\r\n\r\n");
    end = buf_length(text) + size;
    for (unsigned i = 0; buf_length(text) < end; i++)
        buf_printf(text, "%010u 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJK\r\n", i);
    buf_truncate(text, end);
}

/* Changes a byte of a stored message where the text stands in the segment. */
static void damage(struct fixture *fixture, const char *text)
{
    static uint8_t bytes[4 << 20];
    char path[128];
    uint8_t *found;
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->harness.folder);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    length = pread(fd, bytes, sizeof(bytes), 0);
    assert_true(length > 0);
    found = memmem(bytes, (size_t)length, text, strlen(text));
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "~", 1, found - bytes), 1);
    close(fd);
}

/* ---- talking ---- */

/* One step; what it wrote is heard when the client would get it. */
static enum step one_step(struct fixture *fixture, struct session *session, unsigned why)
{
    enum step step;
    size_t length;

    assert_true(harness_wait(session, false));
    step = session->engine->advance(session, session->state, session->events | why);
    session->events = 0;
    length = buf_length(&session->output);
    if (length > fixture->most)
        fixture->most = length;
    session->worked |= step == STEP_WORK;
    if (step != STEP_NEXT && step != STEP_WORK) {
        buf_append(&fixture->heard, buf_bytes(&session->output), length);
        buf_consume(&session->output, length);
    }
    return step;
}

/* Steps until the engine has nothing more to do, or, with pause, until its output is full. */
static void go_on(struct fixture *fixture, struct session *session, bool pause)
{
    enum step step = STEP_NEXT;
    unsigned why = WHY_DRAINED;

    while (step != STEP_IDLE && !session->ended && !(pause && step == STEP_MORE)) {
        step = one_step(fixture, session, why);
        why = step == STEP_WORK ? WHY_WORKER : step == STEP_MORE ? WHY_DRAINED : 0;
        session->ended = step == STEP_END;
    }
}

static void say(struct fixture *fixture, const char *text)
{
    buf_append(&fixture->session->input, text, strlen(text));
    fixture->session->events |= WHY_INPUT;
    go_on(fixture, fixture->session, false);
}

/* Twice: so nothing is \Recent. */
static void select_inbox(struct fixture *fixture)
{
    say(fixture, "s SELECT INBOX\r\ns SELECT INBOX\r\n");
    buf_release(&fixture->heard);
}

/* The next bytes that were heard are these. */
static void expect_bytes(struct fixture *fixture, struct str expected)
{
    assert_true(buf_length(&fixture->heard) >= expected.length);
    if (expected.length > 0)
        assert_memory_equal(buf_bytes(&fixture->heard), expected.data, expected.length);
    buf_consume(&fixture->heard, expected.length);
}

static void expect(struct fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void expect(struct fixture *fixture, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (buf_length(&fixture->heard) < strlen(text) ||
        memcmp(buf_bytes(&fixture->heard), text, strlen(text)) != 0)
        fail_msg("expected: %s\ncame: %.*s", text, (int)buf_length(&fixture->heard),
                 (const char *)buf_bytes(&fixture->heard));
    buf_consume(&fixture->heard, strlen(text));
}

static void expect_end(struct fixture *fixture)
{
    assert_int_equal(buf_length(&fixture->heard), 0);
}

/* ---- large messages ---- */

static void a_large_message_streams_through_a_small_buffer(void **state)
{
    static const size_t rooms[] = {1000, 16384, 40000};
    struct fixture *fixture = *state;
    struct buf text = {0};

    make_large(&text, 900000);
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        fixture->session->room = rooms[i];
        fixture->most = 0;
        say(fixture, "a FETCH 1 BODY.PEEK[]\r\n");
        expect(fixture, "* 1 FETCH (BODY[] {%zu}\r\n", buf_length(&text));
        expect_bytes(fixture, bytes_of(&text));
        expect(fixture, ")\r\na OK FETCH completed\r\n");
        expect_end(fixture);
        assert_true(fixture->most <= rooms[i] + OVERSHOOT);
    }
    assert_true(fixture->session->worked);
    buf_release(&text);
}

/* In lines of 76 characters, as senders write it. */
static void append_base64_lines(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.length; i += 57) {
        size_t length = bytes.length - i < 57 ? bytes.length - i : 57;

        base64_encode(out, bytes.data + i, length);
        buf_text(out, "\r\n");
    }
}

/* The middle of it is NUL. */
static void a_large_part_is_decoded_through_a_small_buffer(void **state)
{
    static const size_t rooms[] = {1000, 16384, 40000};
    struct fixture *fixture = *state;
    struct buf decoded = {0};
    struct buf text = {0};

    make_large(&decoded, 350000);
    buf_byte(&decoded, '\0');
    make_large(&decoded, 350000);
    buf_text(&text, "Content-Transfer-Encoding: base64\r\n\r\n");
    append_base64_lines(&text, bytes_of(&decoded));
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        fixture->session->room = rooms[i];
        fixture->most = 0;
        say(fixture, "a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[1]<500000.1000>)\r\n");
        expect(fixture, "* 1 FETCH (BINARY.SIZE[1] %zu BINARY[1] ~{%zu}\r\n", buf_length(&decoded),
               buf_length(&decoded));
        expect_bytes(fixture, bytes_of(&decoded));
        expect(fixture, " BINARY[1]<500000> {1000}\r\n");
        expect_bytes(fixture, str_n(buf_bytes(&decoded) + 500000, 1000));
        expect(fixture, ")\r\na OK FETCH completed\r\n");
        expect_end(fixture);
        assert_true(fixture->most <= rooms[i] + OVERSHOOT);
    }
    buf_release(&decoded);
    buf_release(&text);
}

/* Whatever is kept of one slice for the next. */
static void decoded_slices_come_in_any_order(void **state)
{
    static const unsigned origins[] = {0,      50000, 100000, 100000, 350000, 349999, 650000,
                                       699000, 7,     699999, 800000, 350000, 20000,  75000};
    struct fixture *fixture = *state;
    struct buf decoded = {0};
    struct buf text = {0};

    make_large(&decoded, 350000);
    buf_byte(&decoded, '\0');
    make_large(&decoded, 350000);
    buf_text(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                    "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=20b\r\n"
                    "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    append_base64_lines(&text, bytes_of(&decoded));
    buf_text(&text, "--b--\r\n");
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        char command[100];
        size_t left = buf_length(&decoded);
        size_t length;
        struct str slice;

        left = origins[i] < left ? left - origins[i] : 0;
        length = left < 50000 ? left : 50000;
        slice = str_n(buf_bytes(&decoded) + (length > 0 ? origins[i] : 0), length);
        snprintf(command, sizeof(command), "a FETCH 1 BINARY.PEEK[2]<%u.50000>\r\n", origins[i]);
        say(fixture, command);
        expect(fixture, "* 1 FETCH (BINARY[2]<%u> ", origins[i]);
        if (length == 0)
            expect(fixture, "\"\"");
        else
            expect(fixture, "%s{%zu}\r\n",
                   memchr(slice.data, '\0', slice.length) != NULL ? "~" : "", length);
        expect_bytes(fixture, slice);
        expect(fixture, ")\r\na OK FETCH completed\r\n");
        say(fixture, i % 2 == 0 ? "b FETCH 1 BINARY.SIZE[2]\r\n" : "b FETCH 1 BINARY.SIZE[1]\r\n");
        expect(fixture, "* 1 FETCH (BINARY.SIZE[%d] %zu)\r\nb OK FETCH completed\r\n",
               i % 2 == 0 ? 2 : 1, i % 2 == 0 ? buf_length(&decoded) : 3);
        expect_end(fixture);
    }
    buf_release(&decoded);
    buf_release(&text);
}

static void a_lazy_preview_of_a_large_message_is_nil(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};

    make_large(&text, 300000);
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    say(fixture, "a FETCH 1 PREVIEW (LAZY)\r\n");
    expect(fixture, "* 1 FETCH (PREVIEW NIL)\r\na OK FETCH completed\r\n");
    say(fixture, "b FETCH 1 (PREVIEW (LAZY) BODY.PEEK[TEXT]<0.10>)\r\n");
    expect(fixture, "* 1 FETCH (PREVIEW NIL BODY[TEXT]<0> {10}\r\n0000000000)\r\n");
    expect(fixture, "b OK FETCH completed\r\n");
    say(fixture, "c FETCH 1 PREVIEW\r\n");
    expect(fixture, "* 1 FETCH (PREVIEW \"0000000000 0123456789 abcdefghijklmnopqrstuvwxyz "
                    "ABCDEFGHIJK 0000000001 ");
    buf_release(&fixture->heard);
    buf_release(&text);
}

/* Behind what may be looked at, also where the whole is parsed. */
static void a_text_behind_a_large_attachment_gives_no_preview(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};

    buf_text(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                    "Content-Type: application/octet-stream\r\n");
    make_large(&text, 300000);
    buf_text(&text, "\r\n--b\r\n\r\ntext\r\n--b--\r\n");
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    say(fixture, "a FETCH 1 PREVIEW\r\n");
    expect(fixture, "* 1 FETCH (PREVIEW \"\")\r\na OK FETCH completed\r\n");
    say(fixture, "b FETCH 1 (PREVIEW BODY.PEEK[2])\r\n");
    expect(fixture, "* 1 FETCH (PREVIEW \"\" BODY[2] {4}\r\ntext)\r\nb OK FETCH completed\r\n");
    buf_release(&text);
}

static void parts_of_a_large_message_cross_what_the_store_holds_at_a_time(void **state)
{
    static const size_t origins[] = {0, 262100, 524280, 700000, 899990};
    struct fixture *fixture = *state;
    struct buf text = {0};
    char command[64];

    make_large(&text, 900000);
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        struct str rest = str_n(buf_bytes(&text) + origins[i], buf_length(&text) - origins[i]);
        size_t length = rest.length < 100 ? rest.length : 100;

        snprintf(command, sizeof(command), "a FETCH 1 BODY.PEEK[]<%zu.100>\r\n", origins[i]);
        say(fixture, command);
        expect(fixture, "* 1 FETCH (BODY[]<%zu> {%zu}\r\n", origins[i], length);
        expect_bytes(fixture, str_n(rest.data, length));
        expect(fixture, ")\r\na OK FETCH completed\r\n");
    }
    buf_release(&text);
}

static void parts_inside_a_large_message_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};
    struct buf part = {0};

    make_large(&part, 400000);
    buf_text(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (unsigned i = 0; i < 2; i++) {
        buf_text(&text, "--b\r\nContent-Type: message/rfc822\r\n\r\n");
        buf_append(&text, buf_bytes(&part), buf_length(&part));
        buf_text(&text, "\r\n");
    }
    buf_text(&text, "--b--\r\n");
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    fixture->session->room = 5000;
    say(fixture, "a FETCH 1 (BODY.PEEK[2] BODY.PEEK[1.HEADER] BODY.PEEK[2]<399990.20>)\r\n");
    expect(fixture, "* 1 FETCH (BODY[2] {%zu}\r\n", buf_length(&part));
    expect_bytes(fixture, bytes_of(&part));
    expect(fixture, " BODY[1.HEADER] {18}\r\nSubject: large\r\n\r\n BODY[2]<399990> {20}\r\n");
    expect_bytes(fixture, str_n(buf_bytes(&part) + 399990, 20));
    expect(fixture, ")\r\na OK FETCH completed\r\n");
    assert_true(fixture->most <= 5000 + OVERSHOOT);
    buf_release(&part);
    buf_release(&text);
}

/* Two messages, "x" and "y", of a small and a large part. */
static void deliver_large_parts(struct fixture *fixture)
{
    for (unsigned i = 0; i < 2; i++) {
        struct buf text = {0};

        buf_printf(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsmall %c",
                   'x' + i);
        buf_text(&text, "\r\n--b\r\n\r\n");
        for (unsigned byte = 0; byte < 400000; byte++)
            buf_byte(&text, (uint8_t)('x' + i));
        buf_text(&text, "\r\n--b--\r\n");
        deliver(fixture, bytes_of(&text));
        buf_release(&text);
    }
    select_inbox(fixture);
}

static void slices_of_large_parts_come_in_any_order(void **state)
{
    struct fixture *fixture = *state;

    deliver_large_parts(fixture);
    for (unsigned i = 0; i < 2; i++) {
        say(fixture, "a FETCH 1 BODY.PEEK[2]<399998.5>\r\na FETCH 2 BODY.PEEK[2]<300000.2>\r\n");
        expect(fixture, "* 1 FETCH (BODY[2]<399998> {2}\r\nxx)\r\na OK FETCH completed\r\n"
                        "* 2 FETCH (BODY[2]<300000> {2}\r\nyy)\r\na OK FETCH completed\r\n");
        say(fixture, "b FETCH 1:2 (BODY.PEEK[1] BODY.PEEK[3])\r\n");
        expect(fixture, "* 1 FETCH (BODY[1] {7}\r\nsmall x BODY[3] NIL)\r\n"
                        "* 2 FETCH (BODY[1] {7}\r\nsmall y BODY[3] NIL)\r\n"
                        "b OK FETCH completed\r\n");
    }
}

/* So it can be told though its beginning was damaged meanwhile. */
static void the_next_slice_of_a_large_part_needs_no_parsing(void **state)
{
    struct fixture *fixture = *state;

    deliver_large_parts(fixture);
    say(fixture, "a FETCH 1 BODY.PEEK[2]<0.1>\r\n");
    expect(fixture, "* 1 FETCH (BODY[2]<0> {1}\r\nx)\r\na OK FETCH completed\r\n");
    damage(fixture, "small x");
    say(fixture, "a FETCH 1 BODY.PEEK[2]<300000.1>\r\n");
    expect(fixture, "* 1 FETCH (BODY[2]<300000> {1}\r\nx)\r\na OK FETCH completed\r\n");
    select_inbox(fixture); /* forgets it */
    say(fixture, "a FETCH 1 BODY.PEEK[2]<300000.1>\r\n");
    expect(fixture, "a NO [CORRUPTION] ");
}

static void many_sections_are_told_in_a_small_buffer(void **state)
{
    struct fixture *fixture = *state;
    struct buf command = {0};

    deliver(fixture, STR("Subject: x\r\n\r\nbody\r\n"));
    select_inbox(fixture);
    buf_text(&command, "a FETCH 1 (BODY.PEEK[1]");
    for (unsigned i = 2; i <= 3000; i++)
        buf_printf(&command, " BODY.PEEK[%u]", i);
    buf_text(&command, ")\r\n");
    buf_byte(&command, '\0');
    fixture->session->room = 1000;
    fixture->most = 0;
    say(fixture, (const char *)buf_bytes(&command));
    expect(fixture, "* 1 FETCH (BODY[1] {6}\r\nbody\r\n");
    for (unsigned i = 2; i <= 3000; i++)
        expect(fixture, " BODY[%u] NIL", i);
    expect(fixture, ")\r\na OK FETCH completed\r\n");
    assert_true(fixture->most <= 1000 + OVERSHOOT);
    buf_release(&command);
}

static void every_byte_comes_as_it_was_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};

    buf_text(&text, "Subject: x\r\n\r\n");
    for (unsigned i = 0; i < 1024; i++)
        buf_byte(&text, (uint8_t)(i * 7));
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    say(fixture, "a FETCH 1 BODY.PEEK[TEXT]\r\n");
    expect(fixture, "* 1 FETCH (BODY[TEXT] {1024}\r\n");
    expect_bytes(fixture, str_n(buf_bytes(&text) + 14, 1024));
    expect(fixture, ")\r\na OK FETCH completed\r\n");
    buf_release(&text);
}

/* ---- headers ---- */

static void fields_of_a_long_header_are_counted_and_streamed(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};
    struct buf wanted = {0};

    for (unsigned i = 0; i < 20000; i++) {
        char line[64];

        snprintf(line, sizeof(line), "X-%s: %u\r\n folded\r\n", i % 3 == 0 ? "Wanted" : "Other", i);
        buf_text(&text, line);
        if (i % 3 == 0)
            buf_text(&wanted, line);
    }
    buf_text(&text, "\r\nbody\r\n");
    buf_text(&wanted, "\r\n");
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    fixture->session->room = 3000;
    say(fixture, "a FETCH 1 BODY.PEEK[HEADER.FIELDS (X-WANTED)]\r\n");
    expect(fixture, "* 1 FETCH (BODY[HEADER.FIELDS (X-WANTED)] {%zu}\r\n", buf_length(&wanted));
    expect_bytes(fixture, bytes_of(&wanted));
    expect(fixture, ")\r\na OK FETCH completed\r\n");
    say(fixture, "a FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (x-other)]<100001.50000>\r\n");
    expect(fixture, "* 1 FETCH (BODY[HEADER.FIELDS.NOT (x-other)]<100001> {50000}\r\n");
    expect_bytes(fixture, str_n(buf_bytes(&wanted) + 100001, 50000));
    expect(fixture, ")\r\na OK FETCH completed\r\n");
    expect_end(fixture);
    assert_true(fixture->most <= 3000 + 1024 + OVERSHOOT); /* a field name that was held back */
    buf_release(&wanted);
    buf_release(&text);
}

/* Delivery keeps no summary then. */
static void a_long_envelope_is_made_from_the_message(void **state)
{
    struct fixture *fixture = *state;
    struct buf text = {0};
    char subject[3001];

    memset(subject, 's', sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = '\0';
    buf_printf(&text, "Subject: %s\r\nContent-Type: text/html\r\n\r\n<b>\r\n", subject);
    deliver(fixture, bytes_of(&text));
    deliver(fixture, STR("Subject: short\r\n\r\nbody\r\n"));
    select_inbox(fixture);
    say(fixture, "a FETCH 1:2 (ENVELOPE UID)\r\n");
    expect(fixture, "* 1 FETCH (ENVELOPE (NIL ");
    if (*buf_bytes(&fixture->heard) == '{')
        expect(fixture, "{3000}\r\n");
    else
        expect(fixture, "\"");
    expect_bytes(fixture, str_of(subject));
    if (*buf_bytes(&fixture->heard) == '"')
        expect(fixture, "\"");
    expect(fixture, " NIL NIL NIL NIL NIL NIL NIL NIL) UID 1)\r\n"
                    "* 2 FETCH (ENVELOPE (NIL \"short\" NIL NIL NIL NIL NIL NIL NIL NIL) UID 2)\r\n"
                    "a OK FETCH completed\r\n");
    say(fixture, "a FETCH 1 (BODY BODYSTRUCTURE)\r\n");
    expect(fixture,
           "* 1 FETCH (BODY (\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 1) "
           "BODYSTRUCTURE (\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 1 NIL "
           "NIL NIL NIL))\r\na OK FETCH completed\r\n");
    buf_release(&text);
}

static void a_message_without_a_body_has_empty_text(void **state)
{
    struct fixture *fixture = *state;

    deliver(fixture, STR("Subject: x\r\n"));
    deliver(fixture, STR("\r\n"));
    select_inbox(fixture);
    say(fixture, "a FETCH 1:2 (BODY.PEEK[TEXT] BODY.PEEK[1] BODY.PEEK[HEADER])\r\n");
    expect(fixture, "* 1 FETCH (BODY[TEXT] \"\" BODY[1] \"\" BODY[HEADER] {12}\r\n"
                    "Subject: x\r\n)\r\n"
                    "* 2 FETCH (BODY[TEXT] \"\" BODY[1] \"\" BODY[HEADER] {2}\r\n\r\n)\r\n"
                    "a OK FETCH completed\r\n");
}

/* ---- many messages ---- */

/* 2 to the power of doublings messages: copies of copies of one. */
static void fill_inbox(struct fixture *fixture, unsigned doublings)
{
    deliver(fixture, STR("Subject: x\r\n\r\nbody\r\n"));
    select_inbox(fixture);
    for (unsigned i = 0; i < doublings; i++)
        say(fixture, "f COPY 1:* INBOX\r\n");
    select_inbox(fixture);
}

static void many_messages_are_told_in_a_small_buffer(void **state)
{
    struct fixture *fixture = *state;

    fill_inbox(fixture, 11);
    fixture->session->room = 2000;
    fixture->most = 0;
    say(fixture, "a FETCH 1:* (UID RFC822.SIZE FLAGS ENVELOPE)\r\n");
    for (unsigned i = 1; i <= 2048; i++)
        expect(fixture,
               "* %u FETCH (UID %u RFC822.SIZE 20 FLAGS () ENVELOPE (NIL \"x\" NIL NIL NIL "
               "NIL NIL NIL NIL NIL))\r\n",
               i, i);
    expect(fixture, "a OK FETCH completed\r\n");
    assert_true(fixture->most <= 2000 + OVERSHOOT);
}

static void scattered_messages_are_told_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct buf command = {0};

    fill_inbox(fixture, 11);
    buf_text(&command, "a UID FETCH 2048");
    for (unsigned i = 1; i < 2048; i += 3)
        buf_printf(&command, ",%u", i);
    buf_text(&command, " UID\r\n");
    buf_byte(&command, '\0');
    say(fixture, (const char *)buf_bytes(&command));
    for (unsigned i = 1; i < 2048; i += 3)
        expect(fixture, "* %u FETCH (UID %u)\r\n", i, i);
    expect(fixture, "* 2048 FETCH (UID 2048)\r\na OK UID FETCH completed\r\n");
    buf_release(&command);
}

static void seen_is_set_for_many_messages_and_told_with_each(void **state)
{
    struct fixture *fixture = *state;

    fill_inbox(fixture, 8);
    say(fixture, "a STORE 100:200 +FLAGS.SILENT (\\Seen)\r\n");
    buf_release(&fixture->heard);
    fixture->session->room = 100;
    say(fixture, "a FETCH 1:* BODY[TEXT]\r\n");
    for (unsigned i = 1; i <= 256; i++)
        expect(fixture, "* %u FETCH (BODY[TEXT] {6}\r\nbody\r\n%s)\r\n", i,
               i >= 100 && i <= 200 ? "" : " FLAGS (\\Seen)");
    expect(fixture, "a OK FETCH completed\r\n");
    say(fixture, "b NOOP\r\nc STATUS INBOX (UNSEEN)\r\n");
    expect(fixture, "b OK NOOP completed\r\n* STATUS INBOX (UNSEEN 0)\r\n");
}

/* Who leaves in the middle finds unread what did not come. */
static void seen_is_not_set_far_ahead(void **state)
{
    struct fixture *fixture = *state;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);

    fill_inbox(fixture, 8);
    fixture->session->room = 100;
    buf_append(&fixture->session->input, "a FETCH 1:* BODY[]\r\n", 20);
    fixture->session->events |= WHY_INPUT;
    go_on(fixture, fixture->session, true);
    assert_non_null(session_take_line(other));
    session_send_text(other, "b STATUS INBOX (UNSEEN)\r\n");
    assert_string_equal(session_take_line(other), "* STATUS INBOX (UNSEEN 192)");
    session_close(other);
}

/* ---- what can go wrong ---- */

static void an_open_message_is_told_though_it_is_expunged_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct session *other = session_open(&fixture->harness, &imap4_engine, NULL);
    struct buf text = {0};

    make_large(&text, 300000);
    deliver(fixture, bytes_of(&text));
    deliver(fixture, STR("Subject: x\r\n\r\nbody\r\n"));
    select_inbox(fixture);
    fixture->session->room = 5000;
    buf_append(&fixture->session->input, "a FETCH 1:2 RFC822\r\n", 20);
    fixture->session->events |= WHY_INPUT;
    go_on(fixture, fixture->session, true);
    session_send_text(other,
                      "b SELECT INBOX\r\nb STORE 1:2 +FLAGS.SILENT \\Deleted\r\nb CLOSE\r\n");
    go_on(fixture, fixture->session, false);
    expect(fixture, "* 1 FETCH (RFC822 {%zu}\r\n", buf_length(&text));
    expect_bytes(fixture, bytes_of(&text));
    expect(fixture, " FLAGS (\\Seen))\r\n"
                    "a NO [EXPUNGEISSUED] Some of the messages have been expunged\r\n");
    session_close(other);
    buf_release(&text);
}

static void a_damaged_message_is_refused_and_the_others_are_told(void **state)
{
    struct fixture *fixture = *state;

    deliver(fixture, STR("Subject: x\r\n\r\nfirst\r\n"));
    deliver(fixture, STR("Subject: x\r\n\r\npristine\r\n"));
    deliver(fixture, STR("Subject: x\r\n\r\nthird\r\n"));
    damage(fixture, "pristine");
    select_inbox(fixture);
    say(fixture, "a FETCH 1:3 (UID BODY.PEEK[TEXT])\r\n");
    expect(fixture, "* 1 FETCH (UID 1 BODY[TEXT] {7}\r\nfirst\r\n)\r\n"
                    "* 3 FETCH (UID 3 BODY[TEXT] {7}\r\nthird\r\n)\r\n"
                    "a NO [CORRUPTION] ");
    assert_non_null(strstr(fixture->session->log, "CORRUPTION"));
    buf_release(&fixture->heard);
    say(fixture, "b FETCH 2 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\nc FETCH 2 RFC822.SIZE\r\n");
    expect(fixture, "b NO [CORRUPTION] ");
    assert_false(fixture->session->ended);
}

static void a_damage_found_in_a_literal_ends_the_session(void **state)
{
    struct fixture *fixture = *state;
    size_t length;
    struct buf text = {0};

    make_large(&text, 600000);
    deliver(fixture, bytes_of(&text));
    damage(fixture, "0000008000");
    select_inbox(fixture);
    say(fixture, "a FETCH 1 BODY.PEEK[]\r\n");
    assert_true(fixture->session->ended);
    expect(fixture, "* 1 FETCH (BODY[] {%zu}\r\n", buf_length(&text));
    length = buf_length(&fixture->heard);
    assert_true(length < buf_length(&text));
    expect_bytes(fixture, str_n(buf_bytes(&text), length));
    assert_non_null(strstr(fixture->session->log, "damaged"));
    buf_release(&text);
}

static void a_stop_within_a_literal_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct session *session = fixture->session;
    struct buf text = {0};

    make_large(&text, 300000);
    deliver(fixture, bytes_of(&text));
    select_inbox(fixture);
    session->room = 5000;
    buf_append(&session->input, "a FETCH 1 BODY.PEEK[]\r\n", 23);
    session->events |= WHY_INPUT;
    go_on(fixture, session, true);
    session->events |= WHY_STOP;
    go_on(fixture, session, false);
    assert_true(session->ended);
    expect(fixture, "* 1 FETCH (BODY[] {%zu}\r\n", buf_length(&text));
    assert_true(buf_length(&fixture->heard) < buf_length(&text));
    expect_bytes(fixture, str_n(buf_bytes(&text), buf_length(&fixture->heard)));
    buf_release(&text);
}

/* The sanitizer looks for what is left behind. */
static void a_session_may_end_in_the_middle_of_a_message(void **state)
{
    static const char *const commands[] = {"a FETCH 1 BODY[]\r\n", "a FETCH 1 BODY.PEEK[1.2]\r\n",
                                           "a FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (x)]\r\n"};
    struct fixture *fixture = *state;
    struct buf text = {0};

    buf_text(&text, "Content-Type: multipart/mixed; boundary=b\r\n");
    make_large(&text, 300000);
    deliver(fixture, bytes_of(&text));
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct session *session = session_open(&fixture->harness, &imap4_engine, NULL);

        buf_consume(&session->sent, buf_length(&session->sent));
        session_send_text(session, "s SELECT INBOX\r\n");
        session->room = 20;
        buf_append(&session->input, commands[i], strlen(commands[i]));
        session->events |= WHY_INPUT;
        for (unsigned steps = 0; steps < 3; steps++)
            one_step(fixture, session, WHY_WORKER);
        session_close(session);
    }
    buf_release(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_message_streams_through_a_small_buffer),
        TEST(a_large_part_is_decoded_through_a_small_buffer),
        TEST(decoded_slices_come_in_any_order),
        TEST(a_lazy_preview_of_a_large_message_is_nil),
        TEST(a_text_behind_a_large_attachment_gives_no_preview),
        TEST(parts_of_a_large_message_cross_what_the_store_holds_at_a_time),
        TEST(parts_inside_a_large_message_are_found),
        TEST(slices_of_large_parts_come_in_any_order),
        TEST(the_next_slice_of_a_large_part_needs_no_parsing),
        TEST(many_sections_are_told_in_a_small_buffer),
        TEST(every_byte_comes_as_it_was_delivered),
        TEST(fields_of_a_long_header_are_counted_and_streamed),
        TEST(a_long_envelope_is_made_from_the_message),
        TEST(a_message_without_a_body_has_empty_text),
        TEST(many_messages_are_told_in_a_small_buffer),
        TEST(scattered_messages_are_told_in_order),
        TEST(seen_is_set_for_many_messages_and_told_with_each),
        TEST(seen_is_not_set_far_ahead),
        TEST(an_open_message_is_told_though_it_is_expunged_meanwhile),
        TEST(a_damaged_message_is_refused_and_the_others_are_told),
        TEST(a_damage_found_in_a_literal_ends_the_session),
        TEST(a_stop_within_a_literal_says_nothing),
        TEST(a_session_may_end_in_the_middle_of_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
