/* One line for each thing that an administrator should know. Lines are escaped: bytes outside
   printable ASCII and valid UTF-8 come out as \xNN, so that no client can forge a line.
   Credentials and message text are never logged. Any thread may log. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/err.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR
};

enum log_target {
    LOG_TO_STDERR, /* "2026-01-31T12:00:00.123Z program[pid] level: text" */
    LOG_TO_JOURNAL, /* "<priority>text" on stderr, which systemd's journal understands (sd-daemon(3)) */
    LOG_TO_SYSLOG, /* syslog(3), facility mail */
};

/* The words for them in settings, in order; NULL behind the last. */
extern const char *const log_targets[];
extern const char *const log_levels[];

/* Until it is called, lines from NOTICE up go to stderr. program is kept, not copied. */
void log_open(const char *program, enum log_target target, enum log_level least);

/* who is the context ("imap4[42] alice") or NULL. */
void log_line(enum log_level level, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* From now on this thread's lines up to INFO are kept until log_flush(), which must be called often: a
   loop does so before it sends the answers that they tell of, and before it sleeps. A line from NOTICE up
   is written at once, behind those that are kept. Not with LOG_TO_SYSLOG. */
void log_hold(void);

/* Writes what this thread keeps: in one call, but never more than a pipe takes in one piece. */
void log_flush(void);

/* Writes it, and keeps no more. */
void log_let_go(void);

#define log_debug(who, ...) log_line(LOG_LEVEL_DEBUG, who, __VA_ARGS__)
#define log_info(who, ...) log_line(LOG_LEVEL_INFO, who, __VA_ARGS__)
#define log_notice(who, ...) log_line(LOG_LEVEL_NOTICE, who, __VA_ARGS__)
#define log_warning(who, ...) log_line(LOG_LEVEL_WARNING, who, __VA_ARGS__)
#define log_error(who, ...) log_line(LOG_LEVEL_ERROR, who, __VA_ARGS__)

#endif
