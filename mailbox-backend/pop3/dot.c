#include "mailbox-backend/pop3/dot.h"

#include "proto/dot_run.h"

/* Where a CR may have come before, its LF goes by itself. */
static size_t run_length(const struct dot *dot, const uint8_t *bytes, size_t length)
{
    return dot->last == '\r' ? 1 : dot_run(bytes, length);
}

void dot_feed(struct dot *dot, const uint8_t *bytes, size_t length, struct buf *out)
{
    while (length > 0) {
        size_t run = run_length(dot, bytes, length);
        uint8_t before = run > 1 ? bytes[run - 2] : dot->last;

        if (dot->line_start && bytes[0] == '.')
            buf_byte(out, '.');
        buf_append(out, bytes, run);
        dot->last = bytes[run - 1];
        dot->line_start = dot->last == '\n' && before == '\r';
        bytes += run;
        length -= run;
    }
}

void dot_finish(struct dot *dot, struct buf *out)
{
    if (!dot->line_start)
        buf_text(out, "\r\n");
    buf_text(out, ".\r\n");
}
