#include "mailbox-backend/imap4/input.h"

#include <assert.h>
#include <string.h>

#define LINE_KEPT ((size_t)256)

enum mode {
    MODE_LINE,
    MODE_LITERAL,
    MODE_DROP_LITERAL,
    MODE_DROP_LINE,
    MODE_COMMAND, /* a command is in text */
};

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* Bytes of in up to and with the first LF, or all. */
static size_t line_length(const struct buf *in, bool *whole)
{
    size_t length = buf_length(in);
    const uint8_t *end = length == 0 ? NULL : memchr(buf_bytes(in), '\n', length);

    *whole = end != NULL;
    return end != NULL ? (size_t)(end - buf_bytes(in)) + 1 : length;
}

static struct str without_line_end(const void *data, size_t length)
{
    const char *text = data;

    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    return str_n(text, length);
}

struct str input_text(const struct input *input)
{
    return str_n(buf_bytes(&input->text), buf_length(&input->text));
}

static void keep_tail(struct input *input, const uint8_t *bytes, size_t length)
{
    size_t room = sizeof(input->tail);
    size_t old;

    if (length == 0)
        return;
    assert(bytes != NULL);
    if (length > room) {
        bytes += length - room;
        length = room;
    }
    old = least(input->tail_length, room - length);
    memmove(input->tail, input->tail + input->tail_length - old, old);
    memcpy(input->tail + old, bytes, length);
    input->tail_length = old + length;
}

static enum input_event end_with(struct input *input, enum input_event event)
{
    input->mode = MODE_COMMAND;
    return event;
}

static enum input_event drop_then(struct input *input, enum mode mode, enum input_event then)
{
    input->mode = mode;
    input->then = then;
    input->tail_length = 0;
    return INPUT_WAIT;
}

static enum input_event refuse_literal(struct input *input, const struct literal *literal)
{
    if (literal->synchronizing) /* the client waits for "+", which will not come */
        return end_with(input, INPUT_TOO_BIG);
    input->left = literal->size;
    return drop_then(input, MODE_DROP_LITERAL, INPUT_TOO_BIG);
}

static enum input_event end_line(struct input *input, struct buf *out, uint64_t max_literals,
                                 input_streams *streams)
{
    struct str line = without_line_end(buf_bytes(&input->text) + input->line_start,
                                       buf_length(&input->text) - input->line_start);
    struct literal literal;

    buf_truncate(&input->text, input->line_start + line.length);
    if (!parse_trailing_literal(line, &literal))
        return end_with(input, INPUT_COMMAND);
    if (streams(input_text(input)))
        return end_with(input, INPUT_STREAM);
    if (literal.size > max_literals - input->literal_bytes)
        return refuse_literal(input, &literal);
    input->literal_bytes += literal.size;
    input->left = literal.size;
    input->mode = MODE_LITERAL;
    buf_text(&input->text, "\r\n");
    if (literal.synchronizing)
        buf_text(out, "+ OK\r\n");
    return INPUT_WAIT;
}

static enum input_event read_line(struct input *input, struct buf *in, struct buf *out,
                                  uint64_t max_literals, input_streams *streams)
{
    bool whole;
    size_t length = line_length(in, &whole);
    size_t kept = least(length, INPUT_LINES_MAX - input->line_bytes);

    buf_append(&input->text, buf_bytes(in), kept);
    buf_consume(in, kept);
    input->line_bytes += kept;
    if (kept < length) {
        drop_then(input, MODE_DROP_LINE, INPUT_TOO_LONG);
        keep_tail(input, buf_bytes(&input->text), buf_length(&input->text));
        return INPUT_WAIT;
    }
    return whole ? end_line(input, out, max_literals, streams) : INPUT_WAIT;
}

static void read_literal(struct input *input, struct buf *in)
{
    size_t length = least(input->left, buf_length(in));

    buf_append(&input->text, buf_bytes(in), length);
    buf_consume(in, length);
    input->left -= length;
    if (input->left > 0)
        return;
    input->mode = MODE_LINE;
    input->line_start = buf_length(&input->text);
}

static void drop_literal(struct input *input, struct buf *in)
{
    size_t length = least(input->left, buf_length(in));

    buf_consume(in, length);
    input->left -= length;
    if (input->left == 0)
        input->mode = MODE_DROP_LINE;
}

/* A dropped line may announce a literal that comes without our asking. */
static enum input_event drop_line(struct input *input, struct buf *in)
{
    bool whole;
    size_t length = line_length(in, &whole);
    struct literal literal;
    struct str tail;

    keep_tail(input, buf_bytes(in), length);
    buf_consume(in, length);
    if (!whole)
        return INPUT_WAIT;
    tail = without_line_end(input->tail, input->tail_length);
    input->tail_length = 0;
    if (parse_trailing_literal(tail, &literal) && !literal.synchronizing) {
        input->left = literal.size;
        input->mode = MODE_DROP_LITERAL;
        return INPUT_WAIT;
    }
    if (input->then != INPUT_WAIT)
        return end_with(input, input->then);
    input->mode = MODE_LINE;
    return INPUT_WAIT;
}

static enum input_event take(struct input *input, struct buf *in, struct buf *out,
                             uint64_t max_literals, input_streams *streams)
{
    switch ((enum mode)input->mode) {
    case MODE_LINE:
        return read_line(input, in, out, max_literals, streams);
    case MODE_LITERAL:
        read_literal(input, in);
        return INPUT_WAIT;
    case MODE_DROP_LITERAL:
        drop_literal(input, in);
        return INPUT_WAIT;
    case MODE_DROP_LINE:
        return drop_line(input, in);
    case MODE_COMMAND:
        break;
    }
    return INPUT_WAIT;
}

static bool can_go_on(const struct input *input, const struct buf *in)
{
    if (input->mode == MODE_COMMAND)
        return false;
    if (input->mode == MODE_LITERAL && input->left == 0)
        return true;
    return buf_length(in) > 0;
}

enum input_event input_read(struct input *input, struct buf *in, struct buf *out,
                            uint64_t max_literals, input_streams *streams)
{
    while (can_go_on(input, in)) {
        enum input_event event = take(input, in, out, max_literals, streams);

        if (event != INPUT_WAIT)
            return event;
    }
    return INPUT_WAIT;
}

void input_next_command(struct input *input)
{
    buf_truncate(&input->text, 0);
    input->line_start = 0;
    input->line_bytes = 0;
    input->literal_bytes = 0;
    if (input->mode == MODE_COMMAND)
        input->mode = MODE_LINE;
}

void input_drop(struct input *input, uint64_t left)
{
    input->left = left;
    drop_then(input, left > 0 ? MODE_DROP_LITERAL : MODE_DROP_LINE, INPUT_WAIT);
}

bool input_line(struct input *input, struct buf *in, struct str *line)
{
    bool whole;
    size_t length = line_length(in, &whole);

    if (length == 0)
        return false;
    if (input->line_whole)
        buf_truncate(&input->line, 0);
    buf_append(&input->line, buf_bytes(in), least(LINE_KEPT - buf_length(&input->line), length));
    buf_consume(in, length);
    input->line_whole = whole;
    *line = without_line_end(buf_bytes(&input->line), buf_length(&input->line));
    return whole;
}

void input_release(struct input *input)
{
    buf_release(&input->text);
    buf_release(&input->line);
}

void input_release_idle(struct input *input)
{
    buf_release_idle(&input->text);
    buf_release_idle(&input->line);
}
