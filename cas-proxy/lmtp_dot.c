#include "cas-proxy/lmtp_dot.h"

#include "proto/dot_run.h"

static void text_byte(struct lmtp_dot *dot, uint8_t byte, struct buf *out)
{
    if (byte == '\n' && dot->state == DOT_TEXT_CR)
        dot->state = DOT_LINE_START;
    else
        dot->state = byte == '\r' ? DOT_TEXT_CR : DOT_TEXT;
    buf_byte(out, byte);
}

/* A byte that may be a stuffed dot or of the end, or may end a line whose CR is not here any more. */
static void feed_byte(struct lmtp_dot *dot, uint8_t byte, struct buf *out)
{
    if (dot->state == DOT_LINE_START && byte == '.') {
        dot->state = DOT_SEEN;
    } else if (dot->state == DOT_SEEN && byte == '\r') {
        dot->state = DOT_CR_SEEN;
    } else if (dot->state == DOT_CR_SEEN && byte == '\n') {
        dot->state = DOT_END;
    } else {
        /* A dot that was held back is gone; the CR behind it is content after all. */
        if (dot->state == DOT_CR_SEEN)
            text_byte(dot, '\r', out);
        text_byte(dot, byte, out);
    }
}

static bool needs_look(const struct lmtp_dot *dot, uint8_t byte)
{
    return dot->state != DOT_TEXT && !(dot->state == DOT_LINE_START && byte != '.');
}

/* All lines up to the next one that begins with a dot, in one piece. */
static size_t feed_run(struct lmtp_dot *dot, const uint8_t *bytes, size_t length, struct buf *out)
{
    size_t run = dot_run(bytes, length);

    if (bytes[run - 1] == '\r')
        dot->state = DOT_TEXT_CR;
    else
        dot->state = run >= 2 && bytes[run - 1] == '\n' && bytes[run - 2] == '\r' ? DOT_LINE_START
                                                                                  : DOT_TEXT;
    buf_append(out, bytes, run);
    return run;
}

size_t lmtp_dot_feed(struct lmtp_dot *dot, const uint8_t *bytes, size_t length, struct buf *out,
                     size_t most)
{
    size_t taken = 0;

    while (taken < length && dot->state != DOT_END && buf_length(out) < most) {
        size_t room = most - buf_length(out);
        size_t left = length - taken;

        if (needs_look(dot, bytes[taken]))
            feed_byte(dot, bytes[taken++], out);
        else
            taken += feed_run(dot, bytes + taken, left < room ? left : room, out);
    }
    return taken;
}

bool lmtp_dot_is_over(const struct lmtp_dot *dot)
{
    return dot->state == DOT_END;
}
