#include "proto/admin_secret.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/mem.h"

/* Byte by byte, so that nothing of it stays in a buffer of stdio, and what follows stays unread. */
static bool read_line(char *line, size_t room, bool *too_long)
{
    size_t used = 0;
    ssize_t got;
    char c;

    *too_long = false;
    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (used + 1 < room)
            line[used++] = c;
        else
            *too_long = true;
    }
    if (used > 0 && line[used - 1] == '\r')
        used--;
    line[used] = '\0';
    return got == 1 || used > 0;
}

enum err_code admin_secret_read(char secret[ADMIN_SECRET_MAX], struct err *err)
{
    bool too_long;

    if (!read_line(secret, ADMIN_SECRET_MAX, &too_long) || secret[0] == '\0')
        return err_set(err, ERR_INVALID, "no password came on standard input");
    if (too_long)
        return err_set(err, ERR_LIMIT, "the password is longer than %d bytes",
                       ADMIN_SECRET_MAX - 1);
    return ERR_NONE;
}

static struct termios usual; /* the terminal as it was, for on_signal() */

/* Ctrl-C at the prompt: the echo comes back, then the signal does what it always does. */
static void on_signal(int number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
    signal(number, SIG_DFL);
    raise(number);
}

static bool silence(void)
{
    struct termios silent;

    if (tcgetattr(STDIN_FILENO, &usual) != 0)
        return false;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    silent = usual;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    return true;
}

static enum err_code ask_once(const char *prompt, char secret[ADMIN_SECRET_MAX], struct err *err)
{
    enum err_code code;
    bool is_silent;

    fputs(prompt, stderr);
    fflush(stderr);
    is_silent = silence();
    code = admin_secret_read(secret, err);
    if (is_silent) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    fputc('\n', stderr);
    return code;
}

enum err_code admin_secret_ask(char secret[ADMIN_SECRET_MAX], struct err *err)
{
    char again[ADMIN_SECRET_MAX];
    enum err_code code = ask_once("Password: ", secret, err);

    if (code == ERR_NONE)
        code = ask_once("Once more: ", again, err);
    if (code == ERR_NONE && strcmp(secret, again) != 0)
        code = err_set(err, ERR_INVALID, "the two passwords differ");
    mem_wipe(again, sizeof(again));
    return code;
}

bool admin_confirm(const char *question)
{
    char answer[16];
    bool too_long;

    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    return read_line(answer, sizeof(answer), &too_long) && (answer[0] == 'y' || answer[0] == 'Y');
}
