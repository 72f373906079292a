#include "mailbox-backend/pop3/dot.h"

#include <string.h>

/* The bytes up to and with the next LF, or all. */
static size_t run_length(const uint8_t *bytes, size_t length)
{
    const uint8_t *newline = memchr(bytes, '\n', length);

    return newline == NULL ? length : (size_t)(newline - bytes) + 1;
}

void dot_feed(struct dot *dot, const uint8_t *bytes, size_t length, struct buf *out)
{
    while (length > 0) {
        size_t run = run_length(bytes, length);
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
