#include "proto/admin_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define PLAIN_SECONDS 10 /* between lines where there is no terminal */

void admin_progress_begin(struct admin_progress_line *line, FILE *to, bool only_terminal)
{
    *line = (struct admin_progress_line){.to = to, .is_terminal = isatty(fileno(to)) != 0};
    line->is_off = only_terminal && !line->is_terminal;
    clock_gettime(CLOCK_MONOTONIC, &line->last);
}

static size_t width(const struct admin_progress_line *line)
{
    struct winsize size;

    if (ioctl(fileno(line->to), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1u;
    return 79;
}

/* columns: 0 for any number. */
static void put(struct admin_progress_line *line, const char *text, size_t columns)
{
    size_t used = 0;

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        used += (byte & 0xC0) != 0x80;
        if (columns > 0 && used > columns)
            break;
        fputc(byte < ' ' || byte == 0x7F ? '?' : byte, line->to);
    }
}

static bool is_due(struct admin_progress_line *line)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - line->last.tv_sec < PLAIN_SECONDS)
        return false;
    line->last = now;
    return true;
}

void admin_progress_show(struct admin_progress_line *line, const char *text)
{
    if (line->is_off)
        return;
    if (line->is_terminal) {
        fputs("\r\033[K", line->to);
        put(line, text, width(line));
        line->is_shown = true;
    } else if (is_due(line)) {
        put(line, text, 0);
        fputc('\n', line->to);
    }
    fflush(line->to);
}

void admin_progress_clear(struct admin_progress_line *line)
{
    if (line->is_shown) {
        fputs("\r\033[K", line->to);
        fflush(line->to);
    }
    line->is_shown = false;
}
