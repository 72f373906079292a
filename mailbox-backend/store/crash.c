#include "mailbox-backend/store/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600

_Thread_local struct crash_marks *crash_suspect;

static char *path_in(const char *folder)
{
    char *path;

    if (asprintf(&path, "%s/crashes", folder) < 0)
        abort();
    return path;
}

/* ---- the file ---- */

static bool is_long_ago(const struct crash_marks *marks, time_t now)
{
    return now - marks->last >= CRASHES_APART;
}

enum err_code crash_marks_open(struct crash_marks *marks, const char *folder, struct err *err)
{
    char *path = path_in(folder);
    struct stat facts;
    enum err_code code = ERR_NONE;

    *marks = (struct crash_marks){.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE)};
    if (marks->fd < 0 || fstat(marks->fd, &facts) != 0) {
        code = err_errno(err, errno, "%s", path);
    } else {
        marks->count = facts.st_size > (off_t)CRASHES_MOST ? CRASHES_MOST : (unsigned)facts.st_size;
        marks->last = facts.st_mtime;
        if (marks->count < CRASHES_MOST && is_long_ago(marks, time(NULL)))
            marks->count = 0; /* the next one is written over it */
    }
    if (code != ERR_NONE)
        crash_marks_close(marks);
    free(path);
    return code;
}

void crash_marks_close(struct crash_marks *marks)
{
    if (marks->fd >= 0)
        close(marks->fd);
    marks->fd = -1;
}

void crash_marks_forgive(struct crash_marks *marks)
{
    if (marks->count < CRASHES_MOST)
        return;
    marks->count = CRASHES_MOST - 1;
    marks->last = time(NULL);
    if (ftruncate(marks->fd, (off_t)marks->count) != 0)
        marks->count = CRASHES_MOST; /* it is asked for again after the next start */
}

void crash_marks_remove(const char *folder)
{
    char *path = path_in(folder);

    unlink(path);
    free(path);
}

/* ---- the signals ---- */

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[SIGNALS];

/* Only what may be called in a handler (signal-safety(7)). The page cache outlives the process: no sync. */
static void mark(const struct crash_marks *marks)
{
    off_t at = (off_t)marks->count;
    ssize_t written;

    if (at > 0 && is_long_ago(marks, time(NULL))) {
        at = 0;
        if (ftruncate(marks->fd, 0) != 0)
            return;
    }
    written = pwrite(marks->fd, "x", 1, at);
    (void)written; /* nobody is left to be told */
}

/* What somebody else sends says nothing about a database. abort() sends to its own thread. */
static bool is_our_own(const siginfo_t *info)
{
    return info->si_code > 0 || info->si_code == SI_TKILL;
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (crash_suspect != NULL && crash_suspect->fd >= 0 && is_our_own(info))
        mark(crash_suspect);
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            sigaction(number, &before[i], NULL);
    if (info->si_code <= 0) /* else the instruction fails again on return */
        raise(number);
}

void crash_watch(void)
{
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &before[i]);
}
