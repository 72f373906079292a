#include "cas-proxy/lmtp_dot.h"

#include <string.h>

/* How many bytes from here on can be passed on without a look at each: up to the next CR. */
static size_t plain_run(const uint8_t *bytes, size_t length)
{
    const uint8_t *cr = memchr(bytes, '\r', length);

    return cr == NULL ? length : (size_t)(cr - bytes);
}

static void text_byte(struct lmtp_dot *dot, uint8_t byte, struct buf *out)
{
    if (byte == '\n' && dot->state == DOT_TEXT_CR)
        dot->state = DOT_LINE_START;
    else
        dot->state = byte == '\r' ? DOT_TEXT_CR : DOT_TEXT;
    buf_byte(out, byte);
}

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

size_t lmtp_dot_feed(struct lmtp_dot *dot, const uint8_t *bytes, size_t length, struct buf *out,
                     size_t most)
{
    size_t taken = 0;

    while (taken < length && dot->state != DOT_END && buf_length(out) < most) {
        size_t room = most - buf_length(out);
        size_t run = 0;

        if (dot->state == DOT_TEXT)
            run = plain_run(bytes + taken, length - taken < room ? length - taken : room);
        if (run > 0) {
            buf_append(out, bytes + taken, run);
            taken += run;
        } else {
            feed_byte(dot, bytes[taken++], out);
        }
    }
    return taken;
}

bool lmtp_dot_is_over(const struct lmtp_dot *dot)
{
    return dot->state == DOT_END;
}
