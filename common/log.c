#include "common/log.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

const char *const log_targets[] = {
    [LOG_TO_STDERR] = "stderr",
    [LOG_TO_JOURNAL] = "journal",
    [LOG_TO_SYSLOG] = "syslog",
    NULL,
};

const char *const log_levels[] = {
    [LOG_LEVEL_DEBUG] = "debug",     [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_ERROR] = "error", NULL,
};

static const char *program_name = "mail";
static enum log_target target_now = LOG_TO_STDERR;
static atomic_int least_now = LOG_LEVEL_NOTICE;
static pid_t process;

void log_open(const char *program, enum log_target target, enum log_level least)
{
    program_name = program;
    process = getpid();
    target_now = target;
    atomic_store(&least_now, (int)least);
    if (target == LOG_TO_SYSLOG)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

/* Length of the valid, printable UTF-8 sequence at text, or 0. C1 controls count as not printable. */
static size_t utf8_length(const unsigned char *text, size_t left)
{
    size_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    uint32_t point;

    if (text[0] < 0xC2 || text[0] > 0xF4 || left < length)
        return 0;
    point = text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3F);
    }
    if (point < 0xA0 || (length == 3 && point < 0x800) || (length == 4 && point < 0x10000) ||
        (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF || point == 0x2028 ||
        point == 0x2029)
        return 0;
    return length;
}

static size_t escape(char *out, size_t room, const char *text)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t left = strlen(text);
    size_t used = 0;

    while (left > 0 && used + 5 < room) {
        size_t length = *in >= 0x20 && *in < 0x7F && *in != '\\' ? 1 : utf8_length(in, left);

        if (length == 0) {
            used += (size_t)sprintf(out + used, *in == '\\' ? "\\\\" : "\\x%02x", *in);
            length = 1;
        } else {
            memcpy(out + used, in, length);
            used += length;
        }
        in += length;
        left -= length;
    }
    out[used] = '\0';
    return used;
}

/* Lines of this thread that are not written yet: no more than goes into a pipe in one piece. */
struct held {
    bool on;
    size_t length;
    char text[PIPE_BUF];
};
static _Thread_local struct held held;

static void put(const char *text, size_t length)
{
    if (write(STDERR_FILENO, text, length) < 0)
        return; /* nobody is left to tell */
}

void log_flush(void)
{
    size_t length = held.length;

    held.length = 0;
    if (length > 0)
        put(held.text, length);
}

void log_hold(void)
{
    held.on = true;
}

void log_let_go(void)
{
    held.on = false;
    log_flush();
}

static void write_line(enum log_level level, const char *line, size_t length)
{
    if (length > sizeof(held.text) - held.length)
        log_flush();
    if (!held.on || length > sizeof(held.text)) {
        put(line, length);
        return;
    }
    memcpy(held.text + held.length, line, length);
    held.length += length;
    if (level >= LOG_LEVEL_NOTICE)
        log_flush();
}

/* "2026-01-31T12:00:00": made once a second, as long as lines come. */
static const char *second_text(time_t second)
{
    static _Thread_local char text[48];
    static _Thread_local time_t of = -1;
    struct tm parts;

    if (second != of) {
        gmtime_r(&second, &parts);
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        of = second;
    }
    return text;
}

static void write_stderr(enum log_level level, const char *line)
{
    char out[LINE_MAX_BYTES * 2 + 128];
    struct timespec now;
    int length;

    clock_gettime(CLOCK_REALTIME, &now);
    length = snprintf(out, sizeof(out), "%s.%03ldZ %s[%d] %s: %s\n", second_text(now.tv_sec),
                      now.tv_nsec / 1000000, program_name, process != 0 ? process : getpid(),
                      log_levels[level], line);
    write_line(level, out, (size_t)length);
}

static void write_journal(enum log_level level, int priority, const char *line)
{
    char out[LINE_MAX_BYTES * 2 + 8];
    int length = snprintf(out, sizeof(out), "<%d>%s\n", priority, line);

    write_line(level, out, (size_t)length);
}

void log_line(enum log_level level, const char *who, const char *format, ...)
{
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};
    char text[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES * 2];
    size_t used = 0;
    va_list args;

    if ((int)level < atomic_load(&least_now))
        return;
    if (who != NULL) {
        used = escape(line, LINE_MAX_BYTES / 2, who);
        memcpy(line + used, ": ", 2);
        used += 2;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    escape(line + used, sizeof(line) - used, text);
    if (target_now == LOG_TO_SYSLOG) {
        syslog(priorities[level], "%s", line);
    } else if (target_now == LOG_TO_JOURNAL) {
        write_journal(level, priorities[level], line);
    } else {
        write_stderr(level, line);
    }
}
