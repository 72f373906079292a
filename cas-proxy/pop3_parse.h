/* POP3 lines as they are spoken before login. Pure. */
#ifndef FRONT_POP3_PARSE_H
#define FRONT_POP3_PARSE_H

#include "common/str.h"

#define POP3_LINE_MAX 8192
#define POP3_SASL_MAX 16384 /* of AUTH with its initial response, and of a response */

enum pop3_found {
    POP3_MORE,    /* no line end yet */
    POP3_WHOLE,   /* length is that of the line with its end */
    POP3_TOO_LONG /* over the limit, ended or not */
};

/* Looks for the first line of input; seen (0 for a new line) is how far it was looked before. most is
   the limit, which AUTH raises to POP3_SASL_MAX by itself. */
enum pop3_found pop3_find_line(struct str input, size_t most, size_t *seen, size_t *length);

/* A line in parts. argument is all behind the first space, blanks and all (a password may hold or
   begin with spaces: RFC 1939 section 7, PASS), without the line end; has_argument tells "PASS " from
   "PASS". */
struct pop3_command {
    struct str name, argument;
    bool has_argument;
};

/* False for a line that holds NUL or has no name. */
bool pop3_command(struct pop3_command *command, struct str line);

/* Takes the next word (without blanks) off the start of argument; false when there is none. */
bool pop3_word(struct str *argument, struct str *word);

#endif
