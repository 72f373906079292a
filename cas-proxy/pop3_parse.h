/* POP3 lines as they are spoken before login. Pure. */
#ifndef FRONT_POP3_PARSE_H
#define FRONT_POP3_PARSE_H

#include "common/str.h"

#define POP3_LINE_MAX 8192
#define POP3_SASL_MAX 16384 /* of AUTH with its initial response, and of a response */

/* How long the line at the start of input may be. */
size_t pop3_limit(struct str input);

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
