/* IMAP4 as far as it is spoken before login (RFC 3501 and 9051, section 9): where a command ends,
   and what it says. Pure: bytes in, facts out. */
#ifndef FRONT_IMAP4_PARSE_H
#define FRONT_IMAP4_PARSE_H

#include "common/buf.h"
#include "common/str.h"

#define IMAP4_COMMAND_MAX 8192 /* of one command with its literals */
#define IMAP4_SASL_MAX 16384   /* of AUTHENTICATE with its initial response, and of a response */
#define IMAP4_ID_PAIRS 30      /* RFC 2971 section 3.3 */

/* How far a command at the start of the input has been looked through; {0} for each new command. */
struct imap4_scan {
    size_t start; /* of the line that is being looked at: behind the last literal */
    size_t seen;  /* no line end before this */
    bool asked;   /* for the literal at the end of that line */
};

enum imap4_found {
    IMAP4_MORE,     /* not all of it has come */
    IMAP4_CONTINUE, /* the client waits for "+" before it sends a literal, then scan again; the
                       command is scan->seen + 1 long without */
    IMAP4_WHOLE,    /* scan->seen is its length, the final line end included */
    IMAP4_TOO_BIG, /* announces a literal over the limit and waits; it is scan->seen long without */
    IMAP4_TOO_LONG, /* over the limit and still coming: the connection is of no use any more */
};

/* Looks for the end of the command at the start of input, which may have grown since the last call
   but must begin with the same bytes. */
enum imap4_found imap4_scan(struct imap4_scan *scan, struct str input);

/* A command in parts. arguments is what follows the name, from its first space on, without the
   final line end. */
struct imap4_command {
    struct str tag, name, arguments;
};

/* False when there is no tag (the answer is an untagged BAD); an empty name when only the rest is
   wrong. line is a whole command as imap4_scan() found it. */
bool imap4_command(struct imap4_command *command, struct str line);

/* Each takes one element off the start of arguments and is false when something else stands there.
   imap4_astring() appends the string's value to out without leaving copies behind (out grows at most
   once). */
bool imap4_space(struct str *arguments);
bool imap4_atom(struct str *arguments, struct str *atom);
bool imap4_astring(struct str *arguments, struct buf *out);

/* The parameter list of ID: appends key NUL value NUL for each pair to out, a NIL value being
   empty; count becomes the number of pairs. Takes NIL for none. */
bool imap4_id_list(struct str *arguments, struct buf *out, size_t *count);

#endif
