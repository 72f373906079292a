/* The line that says how far a command is: on a terminal one line that is written over, elsewhere a line
   every ten seconds, so that a log of it stays short. */
#ifndef PROTO_ADMIN_PROGRESS_H
#define PROTO_ADMIN_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct admin_progress_line {
    FILE *to;
    bool is_terminal, is_off;
    bool is_shown; /* on the terminal, now */
    struct timespec last;
};

/* only_terminal: says nothing where to is none (--json: a program reads). */
void admin_progress_begin(struct admin_progress_line *line, FILE *to, bool only_terminal);

/* What could move the cursor is shown as "?"; on a terminal the line is cut at its width. */
void admin_progress_show(struct admin_progress_line *line, const char *text);

/* Before anything else is printed. */
void admin_progress_clear(struct admin_progress_line *line);

#endif
